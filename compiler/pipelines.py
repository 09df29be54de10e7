"""The named pipelines, one list per level, read top to bottom: each ends with IR of the level that names it.

nd -> graph -> loop -> vector -> llvm

GPUs share the tensor level, and the graph level but for kernels of several contractions, which have no mapping to a
grid; below it, the machine that schedules are chosen for is another, statements become launches, and threads of a block
wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dialects.errors import CompileError
from .registry import nearest
from .spec import PassSpec, parse_pipeline

ND = [
    "stablehlo-to-nd",
    "inline",
    "symbol-dce",
    "expand-complex",
    "canonicalize",
    "recognize",
    "decompose",
    "canonicalize",
    "optimize",
    "winograd{numerics=ieee}",
    "fold-constants",
    "dce",
]

PLANNED = [
    "graph-wrap",
    "graph-order",
    "graph-plan",
]
"""From kernels to their launches in planned memory."""

KERNELS = {
    "cpu": ["assign-layout", "graph-fuse", "graph-outline", *PLANNED],
    "gpu": ["graph-fuse{chains=false}", "graph-outline{prepare=false}", *PLANNED],
}
"""From tensor ops to launches, by the kind of machine. What depends on constants alone is prepared by native code where
that is the machine's; for GPUs the compiler has evaluated it."""

GRAPH = [
    *ND,
    *KERNELS["cpu"],
]

LOOP = [
    *GRAPH,
    "nd-to-loop",
    "collapse-axes",
    "choose-schedule",
    "apply-schedule",
    "hoist-constants",
    "loop-copies",
]

VECTOR = [
    *LOOP,
    "lower-loop",
]

LLVM = [
    *VECTOR,
    "expand-math",
]

ON_GPUS = {"decompose": "decompose{turned=false}", "fold-constants": "fold-constants{max-bytes=268435456}"}
"""Threads of a block share a line best where it is the last dimension, to which a read may turn it; constants of any
size are evaluated."""

CUDA_ND = [ON_GPUS.get(p, p) for p in ND]

CUDA_GRAPH = [
    *CUDA_ND,
    *KERNELS["gpu"],
]

CUDA_LOOP = [
    *CUDA_GRAPH,
    "nd-to-loop",
    "collapse-axes",
    "choose-schedule{machine=sm_90a}",
    "apply-schedule",
    "loop-copies",
]

CUDA_VECTOR = [
    *CUDA_LOOP,
    "lower-loop{launch=true}",
    "insert-barriers",
]

CUDA = [
    *CUDA_VECTOR,
    "expand-math",
]

PIPELINES: dict[str, list[str]] = {
    "nd": ND,
    "graph": GRAPH,
    "loop": LOOP,
    "vector": VECTOR,
    "llvm": LLVM,
    "cpu": LLVM,
    "cuda": CUDA,
}
"""`llvm` and `cpu` run the same passes; `mlc-opt --pipeline=llvm` prints the LLVM IR text emitted at their end."""

LEVELS: dict[str, dict[str, list[str]]] = {
    "cpu": {"nd": ND, "graph": GRAPH, "loop": LOOP, "vector": VECTOR, "llvm": LLVM},
    "cuda": {"nd": CUDA_ND, "graph": CUDA_GRAPH, "loop": CUDA_LOOP, "vector": CUDA_VECTOR, "llvm": CUDA},
}
"""By target: the passes down to each level."""


def named(name: str) -> list[PassSpec]:
    """The passes of a named pipeline."""
    if name not in PIPELINES:
        raise CompileError(
            f"unknown pipeline {name!r}{nearest(name, PIPELINES)}; expected one of {', '.join(PIPELINES)}"
        )
    return specs(PIPELINES[name])


def specs(texts: Sequence[str]) -> list[PassSpec]:
    """The passes of a list of pipeline texts."""
    return [spec for text in texts for spec in parse_pipeline(text)]

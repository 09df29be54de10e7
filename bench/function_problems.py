"""Programs that are no contraction alone: what they compute, once for JAX and once for torch, and what bounds them.

mlc compiles what JAX exports. References are JAX's, in float64. Constant arguments (weights) are all but the first.
"""

# The peers have no types, and are not installed for type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeStubs=false

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mlc
import numpy as np
from mlc.compiler.driver import run
from mlc.compiler.parsing import parse_module
from mlc.compiler.pipelines import specs
from mlc.compiler.registry import build
from mlc.runtime.matching import Tolerance, assert_matches

Array = np.ndarray[Any, Any]
Make = Callable[[Any], Callable[..., Any]]

MATH_NS = {"exp": 0.20, "tanh": 0.30, "log": 0.28, "erf": 0.28}
"""Nanoseconds that a function takes for an f32 element in the first cache, where vectors have 512 bits."""


@dataclass(frozen=True)
class Function:
    """`jax` and `torch` get their module and give the function of the arrays; so does `numpy`, where NumPy competes.

    An operand's shape may end in the name of how it is drawn: `(512, "index 30000")` are positions below 30000,
    `(64, "positive")` magnitudes of normal numbers.
    """

    shapes: tuple[tuple[int | str, ...], ...]
    jax: Make
    torch: Make
    numpy: Make | None = None
    math: Mapping[str, int] = field(default_factory=dict[str, int])
    """Functions computed for each element of the first operand, by the names of `MATH_NS`."""
    flops: float = 0.0
    """Of products, where they bound the program."""
    terms: int = 1
    """How many values are added for one element of a result, at most."""
    magnitude: float = 1.0
    """Of what is added."""
    numerics: str = "ieee"
    passes: tuple[str, ...] = ()
    """What runs on mlc's program before it is compiled."""
    constant: bool = False
    images: bool = False
    """Whether operands of four dimensions are images, which torch may want with channels last."""
    trains: bool = False
    """Whether torch needs gradients; the peers that only run models have none."""
    kind: str = "function"
    dtype: str = "float32"

    def arrays(self, seed: int = 0) -> list[Array]:
        """Normal numbers; those of a matrix that is multiplied are divided by the root of its rows."""
        rng = np.random.default_rng(seed)
        return [aligned(drawn(rng, shape, bool(self.flops))) for shape in self.shapes]

    def reference(self, arrays: Sequence[Array]) -> list[Array]:
        """The results, computed in float64 and rounded once."""
        import jax

        with jax.enable_x64(True):
            wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
            found = jax.jit(self.jax(jax))(*wide)
            results = [np.asarray(y) for y in (found if isinstance(found, tuple) else (found,))]
        return [y.astype(np.float32) if y.dtype == np.float64 else y for y in results]

    def check(self, got: Any, want: Sequence[Array]) -> None:
        """AssertionError where `got` is not `want`."""
        results = list(got) if isinstance(got, list | tuple) else [got]
        assert len(results) == len(want), f"expected {len(want)} results, found {len(results)}"
        bound = Tolerance(ulp=256, sums=16 * math.sqrt(self.terms) * self.magnitude)
        if self.numerics == "fast":
            bound = Tolerance(ulp=256, sums=512 * math.sqrt(self.terms) * self.magnitude)
        for x, y in zip(results, want, strict=True):
            whole = np.issubdtype(y.dtype, np.integer)
            assert_matches(Tolerance() if whole else bound, np.asarray(x).astype(y.dtype, copy=False), y)

    def bytes(self, arrays: Sequence[Array], results: Sequence[Array]) -> tuple[int, int]:
        """Read and written, each array once; of a table that is looked up in, what is looked up."""
        looked_up = any(isinstance(s[-1], str) and s[-1].startswith("index") for s in self.shapes)
        written = sum(y.nbytes for y in results)
        return (written if looked_up else sum(x.nbytes for x in arrays)), written

    def math_seconds(self, arrays: Sequence[Array]) -> float:
        return sum(MATH_NS[name] * count for name, count in self.math.items()) * arrays[0].size * 1e-9

    def compiled(self, arrays: Sequence[Array], threads: int) -> Any:
        """mlc's executable of what JAX exports; it takes `given(arrays)`."""
        import jax

        text = jax.jit(self.jax(jax)).lower(*(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays)).as_text()
        constants = {f"arg{k}": a for k, a in enumerate(arrays) if k} if self.constant else {}
        module: Any = text
        if self.passes:
            module = parse_module(text, "<program>")
            run(module, [build(p) for p in specs(list(self.passes))])
        return mlc.compile(module, threads=threads, numerics=self.numerics, constants=constants)

    def given(self, arrays: Sequence[Array]) -> list[Array]:
        return list(arrays[:1] if self.constant else arrays)


def aligned(x: Array) -> Array:
    """At an address that all competitors like."""
    memory = np.empty(x.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    found = memory[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def drawn(rng: np.random.Generator, shape: Sequence[int | str], scaled: bool) -> Array:
    sizes = [n for n in shape if isinstance(n, int)]
    how = next((n for n in shape if isinstance(n, str)), "")
    if how.startswith("index"):
        return rng.integers(0, int(how.split()[1]), sizes, np.int32)
    if how.startswith("mask"):
        return rng.random(sizes) < 0.7
    x = rng.standard_normal(sizes, np.float32)
    if scaled and len(sizes) == 2:
        x /= np.float32(math.sqrt(sizes[0]))
    return np.abs(x) if how == "positive" else x

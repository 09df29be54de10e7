"""The programs: a file each, random inputs by its signature, and what its results may err by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mlc.compiler.blocks import entry
from mlc.compiler.driver import run
from mlc.compiler.modules import parse
from mlc.compiler.pipelines import specs
from mlc.compiler.registry import build
from mlc.dialects.nd.types import NUMPY, element, shape_of
from mlc.runtime.matching import program_tolerance
from xdsl.dialects.builtin import ModuleOp

Array = np.ndarray[Any, Any]
FOLDER = Path(__file__).parent / "programs"
SMALL = ("ew_4K", "mm_256", "mm_odd_509x1021x253", "mm_32x768x3072", "seed_mse_64x256", "tiny_8x16")
"""Those that run and compile in moments."""
TO_ND = ("stablehlo-to-nd", "inline", "symbol-dce", "canonicalize", "cse", "dce")


@dataclass(frozen=True)
class Program:
    name: str

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.mlir"

    @cached_property
    def tensors(self) -> ModuleOp:
        """The program at the tensor level."""
        module = parse(self.path)
        run(module, [build(p) for p in specs(list(TO_ND))])
        return module

    def inputs(self, seed: int = 0) -> list[Array]:
        """Normal numbers; a matrix's are divided by the root of its rows, so that values keep their size."""
        rng = np.random.default_rng(seed)
        types = entry(parse(self.path), "main").function_type.inputs.data
        drawn: list[Array] = []
        for t in types:
            shape = tuple(int(d) for d in shape_of(t))  # pyright: ignore[reportArgumentType]: no symbols
            scale = 1 / math.sqrt(shape[0]) if len(shape) == 2 else 1
            drawn.append((scale * rng.standard_normal(shape, np.float32)).astype(NUMPY[element(t)]))
        return drawn

    def tolerance(self, inputs: list[Array]) -> Any:
        """By the tolerances of its ops; found by running it in the interpreter."""
        return program_tolerance(self.tensors, inputs)


PROGRAMS = {p.stem: Program(p.stem) for p in sorted(FOLDER.glob("*.mlir"))}

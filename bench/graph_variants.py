"""One program compiled in several ways: without groups of rules, without fusion, with constant weights.

A variant is a module at the tensor level and what is left out of its compilation. Programs are not kept on disk, since
their key does not hold what was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from mlc.compiler.blocks import entry
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.driver import run
from mlc.compiler.modules import parse
from mlc.compiler.options import CompileOptions, passes
from mlc.compiler.transforms.graph_fuse import GraphFuse
from mlc.compiler.transforms.rules.selection import Selection, Trace, selected
from mlc.compiler.weights import bind
from mlc.dialects.nd.types import NUMPY, element, shape_of
from xdsl.dialects.builtin import ModuleOp

from .environment import environment
from .suite.programs import PROGRAMS

Array = np.ndarray[Any, Any]


@dataclass
class Fired(Trace):
    """Only remembers which groups of rules fired, in order."""

    groups: dict[str, None] = field(default_factory=dict[str, None])

    def fired(self, rule: Any, op: Any) -> None:
        self.groups[rule.group] = None

    def declined(self, rule: Any, op: Any, why: str) -> None:
        pass


@dataclass(frozen=True)
class Variant:
    """`off`: groups of rules; `apart`: every op is a kernel."""

    off: frozenset[str] = frozenset()
    apart: bool = False
    numerics: str = "ieee"


@dataclass(frozen=True)
class Subject:
    """A program of the suite with numbers for its arguments, of which all but the first may be constants."""

    name: str
    text: str
    numbers: Sequence[Array]
    constant: bool

    @staticmethod
    def of(program: str, constant: bool = False, sizes: tuple[str, str] | None = None) -> Subject:
        """`sizes` stands for another in the text: ("128", "16") makes a sequence shorter."""
        text = PROGRAMS[program].path.read_text()
        name = program
        if sizes is not None:
            text, name = text.replace(*sizes), program.replace(*sizes)
        rng, numbers = np.random.default_rng(0), list[Array]()
        for t in entry(parse(text), "main").function_type.inputs.data:
            shape = tuple(int(d) for d in shape_of(t))  # pyright: ignore[reportArgumentType]: no symbols
            scale = 1.0 if len(shape) < 2 else shape[0] ** -0.5 if len(shape) == 2 else np.prod(shape[1:]) ** -0.5
            numbers.append((scale * rng.standard_normal(shape)).astype(NUMPY[element(t)]))
        return Subject(name, text, numbers, constant)

    @property
    def given(self) -> list[Array]:
        return list(self.numbers[:1] if self.constant else self.numbers)

    def module(self) -> ModuleOp:
        module = parse(self.text)
        if self.constant:
            f = entry(module, "main")
            names = [a.name_hint or f"arg{a.index}" for a in f.body.block.args]
            for arg, name in zip(f.body.block.args, names, strict=True):
                arg.name_hint = name
            bind(f, {n: x.copy() for n, x in zip(names[1:], self.numbers[1:], strict=True)})
        return module

    def fused(self, variant: Variant) -> tuple[ModuleOp, list[str]]:
        """The module with its kernels, and the groups of rules that fired on the way."""
        module, fired = self.module(), Fired(lambda line: None)
        steps = passes(CompileOptions(numerics=variant.numerics), "graph")
        at = next(k for k, p in enumerate(steps) if isinstance(p, GraphFuse))
        steps[at:] = [replace(steps[at], apart=variant.apart)]
        with selected(Selection(variant.off, fired)):
            run(module, steps)
        return module, list(fired.groups)

    def compiled(self, variant: Variant) -> Compiled:
        with environment(MLC_CACHE="0"), selected(Selection(variant.off)):
            module = self.fused(variant)[0] if variant.apart else self.module()
            return compile_module(module, options=CompileOptions(numerics=variant.numerics))

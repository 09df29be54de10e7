"""limit-memory: a program whose kernels pass to each other what fits into so many bytes.

    func.func @main(%x: tensor<16x16xf32>, ..) -> .. { .. }        graph.arena = #graph.size<2176> in the end
becomes, with `limit-memory{bytes=1280}`,
    func.func @main(%x: tensor<16x16xf32>, ..) -> .. attributes {mlc.least_memory} { .. }         #graph.size<1280>

What counts is the arena that `graph-plan` lays out, `report()["arena_bytes"]`: not arguments, results and constants,
and not what a kernel needs while it runs. A program that fits stays as it is. Else its kernels are ordered for the
least memory (`graph-order{worth=0}`); if that is not enough, values are computed again rather than kept
(`rematerialize`, where that pass is there). How much has to be computed again shows when the program is fused and
planned, so that copies of it are, for a few budgets: the limit itself, and less if that does not fit. A program that
fits with none of them is refused; the error names the smallest limit that works, and what holds the peak within it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.graph.ops import ARENA, LEAST_MEMORY
from ..dialects.graph.place import SizeAttr
from ..dialects.nd.dims import typical
from .driver import Options, run
from .memory import Memory, memory_of
from .pipelines import KERNELS
from .registry import PASSES
from .transforms.graph_order import GraphOrder

LESS = (0.95, 0.85, 0.7, 0.5, 0.25, 0)
"""Budgets as parts of the limit, until one fits, where the limit itself does not and 0 does."""

UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}

SHOWN = 8
"""The most tensors that an error names."""


def bytes_of(limit: int | str) -> int:
    """A number of bytes, or a text such as `64MiB`; CompileError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", limit.strip()) if isinstance(limit, str) else None
    if found and found[2] in UNITS:
        return int(float(found[1]) * UNITS[found[2]])
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return limit
    raise CompileError(f"memory_limit: expected bytes such as 1000000 or '64MiB', found {limit!r}")


@dataclass(frozen=True)
class Trial:
    """A copy of the program, planned."""

    arena: int
    main: FuncOp
    """The program that needs the most."""

    @property
    def memory(self) -> Memory:
        return memory_of(self.main)


class Limiter:
    """Finds out what a program within a limit takes."""

    def __init__(self, module: ModuleOp, target: str) -> None:
        self.module = module
        self.passes = KERNELS[target]
        self.order = self.passes.index(GraphOrder.name)
        self.trials: dict[int, Trial] = {}
        """By budget of what is computed again."""

    def run(self, limit: int) -> None:
        """Rewrite the module so that it fits; CompileError if nothing that is tried does."""
        fused = self.module.clone()
        self._run(fused, self.passes[: self.order])
        usual = self._planned(fused.clone(), self.order)
        if usual is None or usual.arena <= limit:
            return
        mark(fused)
        ordered = self._planned(fused, self.order)
        assert ordered is not None
        if ordered.arena > limit:
            budget = self._budget(limit)
            if budget is None:
                raise self._refusal(limit, ordered)
            self._recompute(self.module, budget)
        mark(self.module)

    def _budget(self, limit: int) -> int | None:
        """The largest budget tried that fits, None if computing everything again does not."""
        if "rematerialize" not in PASSES:
            return None
        if self._trial(limit).arena <= limit:
            return limit
        if self._trial(0).arena > limit:
            return None
        budgets = [int(limit * part) for part in LESS]
        return next(b for b in budgets if self._trial(b).arena <= limit)

    def _trial(self, budget: int) -> Trial:
        if budget not in self.trials:
            module = self.module.clone()
            self._recompute(module, budget)
            mark(module)
            found = self._planned(module)
            assert found is not None
            self.trials[budget] = found
        return self.trials[budget]

    def _recompute(self, module: ModuleOp, budget: int) -> None:
        fused = "" if self.passes is KERNELS["cpu"] else " chains=false"
        self._run(module, [f"rematerialize{{budget={budget}{fused}}}"])

    def _planned(self, module: ModuleOp, start: int = 0) -> Trial | None:
        """The program of a module that needs the most, once it is planned; None if there is none."""
        self._run(module, self.passes[start:])
        found: Trial | None = None
        for f in module.body.block.ops:
            arena = f.attributes.get(ARENA)
            if isinstance(f, FuncOp) and isinstance(arena, SizeAttr):
                if not isinstance(arena.data, int):
                    message = f"expected a program of sizes that are known, found an arena of {arena.data} bytes"
                    raise CompileError(f"memory_limit: {message}", f.location)
                if found is None or arena.data > found.arena:
                    found = Trial(arena.data, f)
        return found

    def _run(self, module: ModuleOp, passes: Sequence[str]) -> None:
        run(module, passes, Options(verify_input=False, verify_each=False))

    def _refusal(self, limit: int, ordered: Trial) -> CompileError:
        trials = sorted([ordered, *self.trials.values()], key=lambda t: t.arena)
        known = (ordered, self.trials.get(0, ordered))
        best = next(t for t in trials if t in known or self._budget(t.arena) is not None)
        peak = best.memory.peak
        moment = best.memory.moments[peak.at]
        shown = [f"held while {moment.kernel} runs: {h}" for h in peak.holders[:SHOWN]]
        if rest := peak.holders[SHOWN:]:
            shown.append(f"and {len(rest)} smaller tensors, {sum(typical(h.bytes) for h in rest)} bytes")
        message = f"expected a program within {limit} bytes, found none; the smallest limit that works is {best.arena}"
        return CompileError(f"memory_limit: {message}", best.main.location, shown)


def mark(module: ModuleOp) -> None:
    """Have the programs of a module ordered for the least memory."""
    for f in module.body.block.ops:
        if isinstance(f, FuncOp) and (f.sym_visibility is None or f.sym_visibility.data != "private"):
            f.attributes[LEAST_MEMORY] = UnitAttr()


@dataclass(frozen=True)
class LimitMemory(ModulePass):
    """Have the values between the kernels of each program fit into `bytes`; `target` is cpu or gpu."""

    name = "limit-memory"
    bytes: int
    target: str = "cpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.target not in KERNELS:
            raise CompileError(f"limit-memory: expected target {' or '.join(KERNELS)}, found {self.target!r}")
        Limiter(op, self.target).run(self.bytes)

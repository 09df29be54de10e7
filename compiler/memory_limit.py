"""limit-memory: a program whose kernels pass to each other what fits into so many bytes.

    func.func @main(%x: tensor<16x16xf32>, ..) -> .. { .. }        graph.arena = #graph.size<2176> in the end
becomes, with `limit-memory{bytes=1280}`,
    func.func @main(%x: tensor<16x16xf32>, ..) -> .. attributes {mlc.least_memory} { .. }         #graph.size<1280>

What counts is the arena that `graph-plan` lays out, `report()["arena_bytes"]`: not arguments, results and constants,
and not what a kernel needs while it runs. A program that fits stays as it is. Else its kernels are ordered for the
least memory (`graph-order{worth=0}`); if that is not enough, values are computed again rather than kept
(`rematerialize`, where that pass is there). How much has to be computed again shows when the program is fused and
planned, so that copies of it are, for a few budgets: the limit itself first, less if that does not fit, more if it
does. A program that fits with none of them is refused; the error names the smallest limit that works and what holds it.
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
from .memory import Memory, memory_of

LESS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Budgets as parts of the limit, until one fits."""

HALVINGS = 3
"""How often a budget between one that fits and one that does not is tried."""

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
        self.module, self.target = module, target
        self.trials: dict[int, Trial] = {}
        """By budget of what is computed again."""

    def run(self, limit: int) -> None:
        """Rewrite the module so that it fits; CompileError if nothing that is tried does."""
        usual = self._planned(self.module.clone())
        if usual is None or usual.arena <= limit:
            return
        least = self.module.clone()
        mark(least)
        ordered = self._planned(least)
        assert ordered is not None
        if ordered.arena > limit:
            budget = self._budget(limit, ordered.arena) if self._recomputes() else None
            if budget is None:
                raise self._refusal(limit, [usual, ordered, *self.trials.values()])
            self._recompute(self.module, budget)
        mark(self.module)

    def _recomputes(self) -> bool:
        from .registry import PASSES

        return "rematerialize" in PASSES

    def _budget(self, limit: int, most: int) -> int | None:
        """The largest budget that is found to fit."""
        above = most
        for part in LESS:
            budget = int(limit * part)
            if self._trial(budget).arena <= limit:
                break
            above = budget
        else:
            return None
        for _ in range(HALVINGS):
            middle = (budget + above) // 2
            if self._trial(middle).arena <= limit:
                budget = middle
            else:
                above = middle
        return budget

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
        self._run(module, [f"rematerialize{{budget={budget}}}"])

    def _planned(self, module: ModuleOp) -> Trial | None:
        """The program of a module that needs the most, after fusion and plan; None if there is none."""
        from .pipelines import KERNELS

        self._run(module, KERNELS[self.target])
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
        from .driver import Options, run

        run(module, passes, Options(verify_input=False, verify_each=False))

    def _refusal(self, limit: int, trials: Sequence[Trial]) -> CompileError:
        best = min(trials, key=lambda t: t.arena)
        for trial in sorted(trials, key=lambda t: t.arena):
            if self._fits(trial.arena, trials[:2]):
                best = trial
                break
        peak = best.memory.peak
        moment = best.memory.moments[peak.at]
        shown = [f"held while {moment.kernel} runs: {h}" for h in peak.holders[:SHOWN]]
        if len(peak.holders) > SHOWN:
            rest = peak.holders[SHOWN:]
            shown.append(f"and {len(rest)} smaller tensors, {sum(typical(h.bytes) for h in rest)} bytes")
        message = f"expected a program within {limit} bytes, found none; the smallest limit that works is {best.arena}"
        return CompileError(f"memory_limit: {message}", best.main.location, shown)

    def _fits(self, limit: int, others: Sequence[Trial]) -> bool:
        """Would a program with this limit be compiled?"""
        if any(t.arena <= limit for t in others):
            return True
        return self._recomputes() and self._budget(limit, others[-1].arena) is not None


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
        from .pipelines import KERNELS

        if self.target not in KERNELS:
            raise CompileError(f"limit-memory: expected target {' or '.join(KERNELS)}, found {self.target!r}")
        Limiter(op, self.target).run(self.bytes)

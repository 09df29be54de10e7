"""Trying a rule at one point, and making a point at which it fails small enough for people to check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....dialects.errors import CompileError
from ....dialects.nd.elementwise import Np
from ....dialects.nd.op import NdOp, Tolerance, numbers
from ....dialects.nd.types import kind_of
from ....runtime.matching import assert_matches
from .define import Rule
from .field import PRIME, centred, evaluate
from .instances import Instance, Run

RELATIVE = 1e-12
SIMPLE = (0, 1, -1, 2)
"""What an element of a counterexample becomes if the sides still differ, the first that does."""
ROUNDINGS = 4
"""The right side may err by so many times what the left one does, and by so many units in the last place."""
SHRUNK = 64
"""Elements that are tried to be simpler, at most."""

Equal = Callable[[Np, Np, float], bool]
"""Of the right side, the left side and the largest magnitude on the way."""


def reference(op: NdOp, args: Sequence[Np]) -> Np:
    """The op on NumPy's arrays."""
    return np.asarray(op.reference(*args))


def same(got: Np, want: Np, scale: float) -> bool:
    """Bit by bit, but for the bits of a NaN."""
    return _matches(Tolerance(), got, want)


def near(got: Np, want: Np, scale: float) -> bool:
    """To 1e-12 of the largest value."""
    if kind_of(want.dtype) not in "fc" or not np.isfinite(scale):
        return same(got, want, scale)
    return bool((np.abs(got - want) <= RELATIVE * np.maximum(np.abs(want), scale)).all())


def within(tolerance: Tolerance) -> Equal:
    """As far as the ops may err; -0 may be 0."""
    return lambda got, want, scale: _matches(tolerance, got + 0, want + 0)


def _matches(tolerance: Tolerance, got: Np, want: Np) -> bool:
    try:
        assert_matches(tolerance, got, want)
    except AssertionError:
        return False
    return True


@dataclass(frozen=True)
class Trial:
    """A rule, how its ops are run, and when two results are equal.

    `finite`: nothing is claimed where a value on the way is NaN or infinite.
    """

    rule: Rule
    how: Run
    equal: Equal
    finite: bool = False

    def at(self, instance: Instance, inputs: Sequence[Np]) -> bool:
        """Was something claimed at this point? CompileError if it does not hold."""
        claimed, difference = self._compare(instance, inputs)
        if difference is None:
            return claimed
        inputs, difference = self._smallest(instance, list(inputs), difference)
        raise self._error(instance, inputs, difference)

    def at_each(self, instance: Instance, inputs: Sequence[Np]) -> None:
        """Try an elementwise rule of sizes 1 at many points at once; one by one if it does not hold."""
        if self._compare(instance, inputs)[1] is not None:
            for point in zip(*inputs, strict=True):
                self.at(instance, [np.full(numbers(t), x) for t, x in zip(instance.types, point, strict=True)])

    def _compare(self, at: Instance, inputs: Sequence[Np]) -> tuple[bool, tuple[Np, Np] | None]:
        """Whether something is claimed, and the first root that differs, of both sides."""
        left, on_left = at.left.run(inputs, self.how)
        right, on_right = at.right.run(inputs, self.how)
        values = () if self.how is evaluate else (*on_left, *on_right)
        scale = float(np.max([_largest(v) for v in values], initial=0.0))  # NaN, if there is one
        if self.finite and not np.isfinite(scale):
            return False, None
        pairs = zip(left, right, strict=True)
        return True, next(((x, y) for x, y in pairs if not self.equal(y, x, scale)), None)

    def _smallest(
        self, at: Instance, inputs: list[Np], difference: tuple[Np, Np]
    ) -> tuple[Sequence[Np], tuple[Np, Np]]:
        """With simple numbers for as many elements as there can be."""
        for k, place in [(k, p) for k, x in enumerate(inputs) for p in np.ndindex(x.shape)][:SHRUNK]:
            for value in SIMPLE:
                simpler = np.array(inputs[k])
                simpler[place] = np.asarray(value % PRIME if self.how is evaluate else value).astype(simpler.dtype)
                if (simpler[place] == inputs[k][place]).all():
                    break
                found = self._compare(at, [*inputs[:k], simpler, *inputs[k + 1 :]])[1]
                if found is not None:
                    inputs[k], difference = simpler, found
                    break
        return inputs, difference

    def _error(self, at: Instance, inputs: Sequence[Np], difference: tuple[Np, Np]) -> CompileError:
        exact = self.how is evaluate
        names = [a.name_hint or f"argument {k}" for k, a in enumerate(self.rule.op.arguments)]
        shown = [str((centred(x) if exact else x).tolist()) for x in (*inputs, *difference)]
        given = "; ".join(f"%{n} = {x}" for n, x in zip(names, shown[:-2], strict=True))
        left, right = shown[-2:]
        where = ", ".join(filter(None, (str(at), f"in exact arithmetic modulo {PRIME}" if exact else "")))
        message = f"rule @{self.rule.name} is false: expected equal sides, found {left} on the left and {right} on the"
        return CompileError(f"{message} right for {where}: {given}", self.rule.op.location)


@dataclass(frozen=True)
class Accuracy(Trial):
    """Is the right side no less accurate than the left, as both tell in double precision?

    What is lost where values cancel, underflow or are stretched by an exponential shows here, and nowhere else.
    """

    def _compare(self, at: Instance, inputs: Sequence[Np]) -> tuple[bool, tuple[Np, Np] | None]:
        left, on_left = at.left.run(inputs, self.how)
        right, on_right = at.right.run(inputs, self.how)
        double = [x.astype(np.float64) if kind_of(x.dtype) == "f" else x for x in inputs]
        truths = [side.run(double, self.how)[0] for side in (at.left, at.right)]  # one may cancel even there
        slack = ROUNDINGS + sum(op.tolerance.ulp for op in at.right.block.ops if isinstance(op, NdOp))
        unclaimed: Any = np.any(np.broadcast_arrays(*(~np.isfinite(v) for v in (*on_left, *on_right))), 0)
        for x, y, *wanted in zip(left, right, *truths, strict=True):
            if kind_of(x.dtype) != "f":
                continue
            units = [slack * np.spacing(np.abs(w).astype(x.dtype)) for w in wanted]
            near_one = [np.abs(y - w) <= ROUNDINGS * np.abs(x - w) + u for w, u in zip(wanted, units, strict=True)]
            if not (np.any(near_one, 0) | unclaimed).all():
                return True, (x, y)
        return True, None


def _largest(x: Np) -> float:
    if not x.size or x.dtype.kind == "b":
        return 0.0
    return float(np.abs(x if kind_of(x.dtype) == "c" else x.astype(np.float64)).max())

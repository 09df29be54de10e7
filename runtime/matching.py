"""`assert_matches`: the one comparison of numbers, in tests, tools and benches.

What an op may err by stands in its row (`TOLERANCE`):

    integers, i1, and ops that move or compare: not at all; NaN, infinities and the sign of zero stand where they should
    elementwise ops: `ulp` units in the last place of the value in float64
    sums: `sums` * eps * sqrt(K) * sum of the K terms' magnitudes (4 for a contraction)
    complex numbers: each part as much as a real number of their magnitude; one that is not finite stays so

Along a program both add up over the longest path (`program_tolerance`) and refer to the largest magnitude on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue

from ..dialects.graph.regions import carried, outside, region_of
from ..dialects.nd.control import Control, If, Scan, While, yields
from ..dialects.nd.dims import Sym
from ..dialects.nd.op import EXACT, NdOp, Tolerance, sizes
from ..dialects.nd.types import finfo, kind_of, shape_of

Array = np.ndarray[Any, np.dtype[Any]]


def assert_matches(how: NdOp | Tolerance, got: Any, want: Any, *, inputs: Sequence[Any] = ()) -> None:
    """`got` is `want` within the tolerance of the op (on these inputs) or program; AssertionError says where not."""
    got, want = np.asarray(got), np.asarray(want)
    if got.dtype != want.dtype:
        raise AssertionError(f"expected elements of {want.dtype}, got {got.dtype}")
    if got.shape != want.shape:
        raise AssertionError(f"expected shape {list(want.shape)}, got {list(got.shape)}")
    tolerance = how if isinstance(how, Tolerance) else how.tolerance
    with np.errstate(all="ignore"):
        if kind_of(want.dtype) == "c":
            _compare_complex(how, tolerance, got, want, [np.asarray(x) for x in inputs])
        elif kind_of(want.dtype) != "f" or tolerance.exact:
            _report(got, want, _same(got, want), None)
        elif isinstance(how, Tolerance):
            scale = max(how.scale, _largest(want))
            eps = max(how.eps, _eps(want))
            bound = how.ulp * _spacing(want) + (how.sums + (how.ulp if how.scale else 0)) * eps * scale
            _compare(got, want, want.astype(np.float64), np.asarray(bound), signs=False)
        else:
            _compare_op(how, got, want, [np.asarray(x) for x in inputs])


def _compare_op(op: NdOp, got: Array, want: Array, inputs: Sequence[Array]) -> None:
    exact = want.astype(np.float64)
    if inputs and not any(isinstance(d, Sym) for v in (*op.operands, *op.results) for d in shape_of(v.type)):
        inputs = [x.astype(np.float64) if kind_of(x.dtype) == "f" else x for x in inputs]
        exact = np.asarray(op.reference(*inputs), np.float64)
    bound = op.tolerance.ulp * _spacing(exact.astype(want.dtype))
    if op.tolerance.sums:
        terms = max(op.terms(*inputs), 1) if inputs else max(want.size, 1)
        found = op.magnitude(*inputs) if inputs else None
        size = np.maximum(np.abs(exact), 0) if found is None else np.asarray(found, np.float64)
        bound = bound + _spacing(exact.astype(want.dtype)) + op.tolerance.sums * _eps(want) * np.sqrt(terms) * size
        # partial sums may overflow where the sum does not: no claim there
        bound = np.where(size > float(finfo(want.dtype).max), np.inf, bound)
    _compare(got, want, exact, np.asarray(bound), signs=not op.tolerance.sums)


def _compare_complex(how: NdOp | Tolerance, tolerance: Tolerance, got: Any, want: Any, inputs: Sequence[Array]) -> None:
    if tolerance.exact:
        _report(got, want, _same(got.real, want.real) & _same(got.imag, want.imag), None)
        return
    size: Any = np.abs(want.astype(np.complex128))
    if isinstance(how, Tolerance):
        scale = max(how.scale, _largest(size))
        sums = (how.sums + (how.ulp if how.scale else 0)) * max(how.eps, _eps(want)) * scale
    else:
        found = how.magnitude(*inputs) if inputs and tolerance.sums else None
        terms = max(how.terms(*inputs), 1) if found is not None else max(want.size, 1)
        sums = tolerance.sums * _eps(want) * np.sqrt(terms) * (size if found is None else np.asarray(found, np.float64))
    # a product of parts rounds three times where one of real numbers does once
    bound = 2 * (tolerance.ulp + 1) * _spacing(size.astype(want.real.dtype)) + 2 * sums
    ok: Any = (np.abs(got.real - want.real) <= bound) & (np.abs(got.imag - want.imag) <= bound)
    limit: Any = np.asarray(bound)
    finite: Any = np.isfinite(want)
    _report(got, want, finite & (ok | np.isinf(limit)) | ~finite & ~np.isfinite(got), limit)


def _compare(got: Array, want: Array, exact: Array, bound: Array, signs: bool) -> None:
    rounded = exact.astype(want.dtype)
    special = ~np.isfinite(rounded)
    ok = np.abs(got.astype(np.float64) - exact) <= bound
    ok = np.where(special, _same(got, rounded), ok)
    if signs:
        ok &= ~((exact == 0) & (got == 0)) | (np.signbit(got) == np.signbit(exact))
    _report(got, want, ok | np.isinf(bound) | _same(got, rounded), bound)


def _same(got: Array, want: Array) -> Array:
    """Equal, with NaN equal to NaN and -0 different from 0."""
    if kind_of(want.dtype) != "f":
        return got == want
    return (np.isnan(got) & np.isnan(want)) | ((got == want) & (np.signbit(got) == np.signbit(want)))


def _spacing(x: Array) -> Array:
    """A unit in the last place of each element, as float64; of the least one where an element is not finite."""
    info = finfo(x.dtype)
    v = x.astype(np.float64)
    _, exponent = np.frexp(np.where(np.isfinite(v), v, 0))
    least = int(np.log2(float(info.smallest_normal))) + 1
    return np.ldexp(1.0, np.maximum(np.where(v == 0, least, exponent), least) - 1 - info.nmant)


def _eps(x: Any) -> float:
    return float(finfo(x.real.dtype).eps)


def _largest(x: Array) -> float:
    v = np.abs(x) if kind_of(x.dtype) == "c" else x.astype(np.float64)
    finite = np.abs(v[np.isfinite(v)])
    return float(finite.max(initial=0))


def _report(got: Array, want: Array, ok: Array, bound: Array | None) -> None:
    if ok.all():
        return
    wrong = np.argwhere(~ok)
    at = tuple(int(i) for i in wrong[0])
    text = f"at {list(at)}: got {got[at]!r}, want {want[at]!r}"
    if bound is not None:
        limit = float(np.broadcast_to(bound, want.shape)[at])
        text += f", difference {float(abs(got[at] - want[at])):.3g}, allowed {limit:.3g}"
    else:
        text += ", allowed no difference"
    raise AssertionError(f"{text} ({len(wrong)} of {want.size} elements differ)")


_last: list[tuple[ModuleOp, Sequence[Any], Tolerance]] = []


def program_tolerance(module: ModuleOp, inputs: Sequence[Any], entry: str = "main") -> Tolerance:
    """What the results of a module may err by on these inputs: found by running it in the interpreter.

    Errors add up over the trips of loops: what a body yielded last counts for its carried value.
    """
    from .interpreter import Frame, Interpreter

    for last, same, found in _last:
        if last is module and len(inputs) == len(same) and all(a is b for a, b in zip(inputs, same, strict=True)):
            return found
    so_far: dict[SSAValue, Tolerance] = {}

    def known(value: SSAValue) -> Tolerance:
        if value in so_far or (op := region_of(value)) is None:
            return so_far.get(value, EXACT)
        assert isinstance(value, BlockArgument)
        if (found := outside(value)) is not None:
            return known(found[0])
        assert isinstance(op, While | Scan)
        k = carried(value) or 0
        return _largest_of([known(op.inits[k]), so_far.get(yields(op.block)[k], EXACT)])

    def observe(frame: Frame, op: Operation) -> None:
        if isinstance(op, Control):
            blocks = [region.block for region in op.regions] if isinstance(op, If) else [op.block]
            for k, r in enumerate(op.results):
                so_far[r] = _largest_of([known(v) for v in (*op.operands, *(yields(b)[k] for b in blocks))])
                results.append(so_far[r])
            return
        path = _largest_of([known(v) for v in op.operands])
        found = [frame.values.get(v) for v in op.operands]
        arrays = [cast(Array, a) for a in found if isinstance(a, np.ndarray)]
        for r in op.results:
            value = frame.values.get(r)
            if isinstance(value, np.ndarray):
                array = cast(Array, value)
                with sizes(frame.symbols):
                    so_far[r] = path.then(_own_tolerance(op, arrays, array))
                if array.dtype.name in ("float64", "complex128"):
                    coarsest.append(so_far[r].eps)
            results.append(so_far.get(r, path))

    results: list[Tolerance] = []
    coarsest: list[float] = []
    Interpreter(module, [observe]).call(entry, *inputs)
    out = replace(_largest_of(results), eps=max(coarsest, default=0))
    _last[:] = [(module, list(inputs), out)]
    return out


def _largest_of(all_: Sequence[Tolerance]) -> Tolerance:
    """Each part's largest."""
    return Tolerance(
        max((t.ulp for t in all_), default=0),
        max((t.sums for t in all_), default=0),
        max((t.scale for t in all_), default=0),
        max((t.eps for t in all_), default=0),
    )


def _own_tolerance(op: Operation, inputs: Sequence[Array], value: Array) -> Tolerance:
    """One op's share: ops of other levels count as a sum over their largest operand."""
    if kind_of(value.dtype) not in "fc":
        return Tolerance(scale=_largest(value) if kind_of(value.dtype) in "iu" else 0)
    if not isinstance(op, NdOp):
        largest = max((x.size for x in inputs), default=1)
        return Tolerance(ulp=4, sums=4 * float(np.sqrt(max(largest, 1))), scale=_largest(value), eps=_eps(value))
    scale, eps = _largest(value), 0 if op.tolerance.exact else _eps(value)
    if not op.tolerance.sums:
        return Tolerance(op.tolerance.ulp, 0, scale, eps)
    found = op.magnitude(*inputs)
    scale = max(scale, _largest(np.asarray(found, np.float64)) if found is not None else 0)
    return Tolerance(op.tolerance.ulp, op.tolerance.sums * float(np.sqrt(max(op.terms(*inputs), 1))), scale, eps)

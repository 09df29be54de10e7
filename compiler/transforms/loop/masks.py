"""What the body of a stage gives where a comparison of affine indices has one outcome: `select i >= k, x, -inf`.

Arithmetic is that of finite numbers: 0 * x is 0 and -inf + x is -inf, whatever x is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from xdsl.dialects.builtin import AnyFloat, IndexType, i1
from xdsl.ir import Operation, SSAValue

from ....dialects.loop.combiners import integer_width, is_integer
from ....dialects.loop.linear import Linear
from ....dialects.loop.ops import IndexOp, StageOp
from ....dialects.nd.dims import Dim
from ....runtime.interpret_arith import constant, evaluate, predicate_of

Known = float | bool
SAME_FORM = ("arith.index_cast", "arith.extsi", "arith.trunci")


@dataclass(frozen=True)
class Edge:
    """The points at which `form`, over axes inside of a loop, is at least `limit`, over those outside."""

    form: Linear
    limit: Linear

    @staticmethod
    def from_below(difference: Linear, inside: Mapping[str, Dim]) -> Edge | None:
        """Points where `difference` is certainly >= 0: `form` is what grows inside, the rest at its least."""
        form, limit = Linear(), Linear(difference.const).scaled(-1)
        for name, c in difference.terms:
            if name not in inside:
                limit += Linear.axis(name, -c)
            elif c > 0:
                form += Linear.axis(name, c)
            else:
                limit += Linear((inside[name] - 1) * -c)
        return Edge(form, limit) if form.terms else None

    def implies(self, other: Edge) -> bool:
        """Is each of these points one of the other's?"""
        ahead = self.limit + other.limit.scaled(-1)
        return self.form == other.form and not ahead.terms and isinstance(ahead.const, int) and ahead.const >= 0


@dataclass
class Evaluated:
    values: dict[SSAValue, Known] = field(default_factory=dict[SSAValue, Known])
    edges: list[Edge] = field(default_factory=list[Edge])
    """Where the comparisons of the body have one outcome."""


AT_LEAST: dict[int, Callable[[Linear, Linear], tuple[Linear, Linear]]] = {
    2: lambda a, b: (b + a.scaled(-1) + Linear(-1), a + b.scaled(-1)),
    3: lambda a, b: (b + a.scaled(-1), a + b.scaled(-1) + Linear(-1)),
    4: lambda a, b: (a + b.scaled(-1) + Linear(-1), b + a.scaled(-1)),
    5: lambda a, b: (a + b.scaled(-1), b + a.scaled(-1) + Linear(-1)),
}
"""By predicate (slt, sle, sgt, sge): the forms that are >= 0 where the comparison holds, and where it does not."""


def evaluated(
    stage: StageOp, edge: Edge | None, arguments: Mapping[SSAValue, Known], inside: Mapping[str, Dim]
) -> Evaluated:
    """What is known of a body's values beyond an edge, if its arguments are so."""
    out = Evaluated(dict(arguments))
    forms: dict[SSAValue, Linear] = {}
    for op in stage.body.block.ops:
        if isinstance(op, IndexOp):
            forms[op.res] = op.linear
        elif op.name == "arith.cmpi" and all(v in forms for v in op.operands) and predicate_of(op) in AT_LEAST:
            holds, fails = AT_LEAST[predicate_of(op)](*(forms[v] for v in op.operands))
            for form, outcome in ((holds, True), (fails, False)):
                own = Edge.from_below(form, inside)
                if own is not None:
                    out.edges.append(own)
                    if edge is not None and edge.implies(own):
                        out.values[op.results[0]] = outcome
        elif op.results:
            if (form := affine(op, forms)) is not None:
                forms[op.results[0]] = form
            known = value_of(op, [out.values.get(v) for v in op.operands])
            if known is not None:
                out.values[op.results[0]] = known
    return out


def affine(op: Operation, forms: Mapping[SSAValue, Linear]) -> Linear | None:
    """The linear form of an integer, if it has one."""
    if op.name == "arith.constant":
        return Linear(int(constant(op))) if wide_enough(op) else None
    found = [forms[v] for v in op.operands if v in forms]
    if len(found) != len(op.operands) or not wide_enough(op):
        return None
    if op.name in SAME_FORM:
        return found[0]
    if op.name in ("arith.addi", "arith.subi"):
        return found[0] + found[1].scaled(1 if op.name == "arith.addi" else -1)
    return None


def wide_enough(op: Operation) -> bool:
    """Is the result an integer that holds every index?"""
    kind = op.results[0].type
    return isinstance(kind, IndexType) or (is_integer(kind) and integer_width(kind) >= 32)


def value_of(op: Operation, known: list[Known | None]) -> Known | None:
    """The value of an op if what is known of its operands decides it."""
    match op.name, known:
        case "arith.select", [bool() as taken, a, b]:
            return a if taken else b
        case "arith.select", [None, a, b]:
            return a if a == b else None
        case "arith.andi", [a, b] if a is False or b is False:
            return False
        case "arith.ori", [a, b] if a is True or b is True:
            return True
        case "arith.mulf", [a, b] if a == 0 or b == 0:
            return 0.0
        case "arith.addf", [a, b] if (a is None) != (b is None):
            x = a if b is None else b
            return x if x is not None and math.isinf(x) else None
        case "arith.subf", [a, None] if a is not None and math.isinf(a):
            return a
        case "arith.subf", [None, b] if b is not None and math.isinf(b):
            return -b
        case _ if all(x is not None for x in known) and len(op.results) == 1:
            return computed(op, cast("list[Known]", known))
        case _:
            return None


def computed(op: Operation, known: list[Known]) -> Known | None:
    """What an op makes of floats and truth values; None: something else, or no number."""
    kind = op.results[0].type
    if not isinstance(kind, AnyFloat) and kind != i1:
        return None
    result = evaluate(op, [np.asarray(x) for x in known])
    if kind == i1:
        return bool(result)
    number = float(result)
    return None if math.isnan(number) else number

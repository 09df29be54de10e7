"""What becomes of each op that has complex operands or results: op's class -> function of pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....dialects.nd import elementwise as e
from ....dialects.nd import movement as m
from ....dialects.nd import transcendental as t
from ....dialects.nd.activation import Sigmoid
from ....dialects.nd.checkpoint import Barrier, Name
from ....dialects.nd.complex import Complex, Imag, Real
from ....dialects.nd.composite import Mean
from ....dialects.nd.concatenation import Concat
from ....dialects.nd.constant import Constant
from ....dialects.nd.contraction import Contract
from ....dialects.nd.cumulative import Cumulative
from ....dialects.nd.dynamic_slices import DynamicSlice, DynamicUpdateSlice
from ....dialects.nd.gradient import StopGradient
from ....dialects.nd.indirect import Gather
from ....dialects.nd.op import NdOp
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.resource import ResourceOp
from ....dialects.nd.scatter import Scatter
from ....dialects.nd.selection import Compare, Convert, Select
from ....dialects.nd.window import ReduceWindow
from . import angles, exponentials, parts, structured
from .parts import Pair
from .structured import Value, each_part

Expand = Callable[[Any, Sequence[Any]], Value]


def of_pairs(fn: Callable[..., Value]) -> Expand:
    return lambda op, args: fn(*args)


MOVES: tuple[type[NdOp], ...] = (
    e.Neg, e.Add, e.Sub, Select, Mean, ReduceWindow, Scatter, Gather, DynamicSlice, DynamicUpdateSlice, StopGradient,
    Barrier, Name, Concat, m.Transpose, m.Broadcast, m.Reshape, m.Slice, m.Reverse, m.Pad,
)  # fmt: skip
"""They act on each part alone."""

FUNCTIONS: dict[type[NdOp], Callable[..., Value]] = {
    Complex: Pair,
    Real: parts.real,
    Imag: parts.imag,
    e.Mul: parts.mul,
    e.Div: parts.div,
    e.Abs: parts.magnitude,
    e.Sign: exponentials.sign,
    e.Sqrt: exponentials.sqrt,
    e.Rsqrt: exponentials.rsqrt,
    e.Exp: exponentials.exp,
    e.Log: exponentials.log,
    e.Pow: exponentials.power,
    e.Sin: angles.sin,
    e.Cos: angles.cos,
    e.Tanh: angles.tanh,
    t.Exp2: exponentials.exp2,
    t.Expm1: exponentials.expm1,
    t.Log1p: exponentials.log1p,
    t.Log2: exponentials.log2,
    t.Log10: exponentials.log10,
    t.Cbrt: exponentials.cbrt,
    t.Tan: angles.tan,
    t.Sinh: angles.sinh,
    t.Cosh: angles.cosh,
    t.Asin: angles.asin,
    t.Acos: angles.acos,
    t.Atan: angles.atan,
    t.Asinh: angles.asinh,
    t.Acosh: angles.acosh,
    t.Atanh: angles.atanh,
    Sigmoid: exponentials.sigmoid,
}

TABLE: dict[type[NdOp], Expand] = {
    **dict.fromkeys(MOVES, each_part),
    **{cls: of_pairs(fn) for cls, fn in FUNCTIONS.items()},
    Constant: structured.constant_parts,
    ResourceOp: structured.resource_parts,
    Convert: structured.converted,
    Compare: structured.compared,
    Contract: structured.contracted,
    Reduce: structured.reduced,
    Cumulative: structured.accumulated,
}

"""Arithmetic on one float type, scalar or vector, as operations of arith, math and vector, built in order."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache, reduce
from typing import NamedTuple

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float32Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    TensorType,
    VectorType,
    f32,
    f64,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ..dialects.vector import GatherOp, MultiReductionOp
from ..dialects.vector.arith import on_vectors

NO_FLAGS = arith.FastMathFlagsAttr("none")
NO_OVERFLOW = arith.IntegerOverflowAttr("none")
PREDICATES = {"oeq": 1, "ogt": 2, "oge": 3, "olt": 4, "ole": 5, "uno": 14, "une": 13}


class Format(NamedTuple):
    """A binary float format: types, bits of the fraction, exponent bias."""

    scalar: Attribute
    integer: Attribute
    fraction: int
    bias: int

    def bits(self, value: float) -> int:
        codes = "<i", "<f"
        if self.fraction == 52:
            codes = "<q", "<d"
        return struct.unpack(codes[0], struct.pack(codes[1], value))[0]


F32 = Format(f32, i32, 23, 127)
F64 = Format(f64, i64, 52, 1023)


@cache
def _shaped(element: Attribute, shape: tuple[int, ...]) -> Attribute:
    return VectorType(element, list(shape)) if shape else element


@cache
def _constant(kind: Attribute, text: str) -> Attribute:
    """`text` is a number's repr, so that -0.0 and 0.0 differ."""
    if not isinstance(kind, VectorType):
        return IntegerAttr(int(text), kind) if isinstance(kind, IntegerType) else FloatAttr(float(text), kind)  # pyright: ignore
    number = int(text) if isinstance(kind.element_type, IntegerType) else float(text)
    return DenseIntOrFPElementsAttr.from_list(kind, [number])  # pyright: ignore


class MathBuilder:
    """Builds into a list; `of` gives the same builder for another float format of the same shape.

    `space`: where memory of its own is, if it needs some. `lookup`: entries of a table that the machine keeps in a
    register and looks up there; 0: tables cost too much. `nonpositive`: the operand is not above 0, or NaN.
    """

    def __init__(
        self,
        kind: Attribute,
        location: LocationAttr | None,
        ops: list[Operation] | None = None,
        space: Attribute | None = None,
        lookup: int = 0,
        nonpositive: bool = False,
    ) -> None:
        self.space, self.lookup, self.nonpositive = space, lookup, nonpositive
        vector = isinstance(kind, VectorType)
        element = kind.element_type if vector else kind
        self.shape: tuple[int, ...] = tuple(kind.get_shape()) if vector else ()
        self.format = F32 if isinstance(element, Float32Type) else F64
        self.kind, self.location = kind, location
        self.integer = _shaped(self.format.integer, self.shape)
        self.boolean = _shaped(i1, self.shape)
        self.ops: list[Operation] = [] if ops is None else ops
        self.constants: dict[object, SSAValue] = {}

    def of(self, form: Format) -> MathBuilder:
        return MathBuilder(_shaped(form.scalar, self.shape), self.location, self.ops, self.space, self.lookup)

    def inner(self) -> MathBuilder:
        """One of the same kind that builds into a list of its own."""
        return MathBuilder(self.kind, self.location, space=self.space, lookup=self.lookup)

    def emit(
        self,
        op: type[Operation],
        operands: Sequence[SSAValue],
        kind: Attribute,
        properties: dict[str, Attribute] | None = None,
    ) -> SSAValue:
        return self.emit_scalar(on_vectors(op) if self.shape else op, operands, kind, properties)

    def _constant(self, value: float | int, kind: Attribute) -> SSAValue:
        key = (repr(value), kind)
        if key not in self.constants:
            self.constants[key] = self.emit(arith.ConstantOp, (), kind, {"value": _constant(kind, repr(value))})
        return self.constants[key]

    # ---- floats; Python numbers are constants
    def f(self, x: SSAValue | float) -> SSAValue:
        return x if isinstance(x, SSAValue) else self._constant(float(x), self.kind)

    def _float(self, op: type[Operation], *operands: SSAValue | float) -> SSAValue:
        return self.emit(op, [self.f(x) for x in operands], self.kind, {"fastmath": NO_FLAGS})

    def add(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._float(arith.AddfOp, a, b)

    def sub(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._float(arith.SubfOp, a, b)

    def mul(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._float(arith.MulfOp, a, b)

    def div(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._float(arith.DivfOp, a, b)

    def neg(self, a: SSAValue) -> SSAValue:
        return self._float(arith.NegfOp, a)

    def fma(self, a: SSAValue | float, b: SSAValue | float, c: SSAValue | float) -> SSAValue:
        return self._float(math.FmaOp, a, b, c)

    def abs(self, a: SSAValue) -> SSAValue:
        return self._float(math.AbsFOp, a)

    def floor(self, a: SSAValue) -> SSAValue:
        return self._float(math.FloorOp, a)

    def trunc(self, a: SSAValue) -> SSAValue:
        return self._float(math.TruncOp, a)

    def sqrt(self, a: SSAValue) -> SSAValue:
        return self._float(math.SqrtOp, a)

    def copysign(self, a: SSAValue, sign: SSAValue) -> SSAValue:
        return self._float(math.CopySignOp, a, sign)

    def horner(self, x: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """sum of c[i] x^i"""
        total: SSAValue | float = coefficients[-1]
        for c in reversed(coefficients[:-1]):
            total = self.fma(total, x, c)
        return self.f(total)

    def halves(self, x: SSAValue, square: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """The same by even and odd powers, sums beside each other, where x^2 is at hand."""
        if len(coefficients) > 12:
            fourth = self.mul(square, square)
            odd, even = (self.halves(square, fourth, coefficients[k::2]) for k in (1, 0))
        else:
            odd, even = (self.horner(square, coefficients[k::2]) for k in (1, 0))
        return self.fma(odd, x, even)

    # ---- comparisons and choices
    def compare(self, predicate: str, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        properties: dict[str, Attribute] = {
            "predicate": IntegerAttr(PREDICATES[predicate], i64),
            "fastmath": NO_FLAGS,
        }
        return self.emit(arith.CmpfOp, [self.f(a), self.f(b)], self.boolean, properties)

    def select(self, condition: SSAValue, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self.emit(arith.SelectOp, [condition, self.f(a), self.f(b)], self.kind)

    def both(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit(arith.AndIOp, [a, b], self.boolean)

    def either(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit(arith.OrIOp, [a, b], self.boolean)

    def differ(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit(arith.XOrIOp, [a, b], self.boolean)

    def at_most(self, x: SSAValue, limit: float) -> SSAValue:
        """min(x, limit); NaN stays."""
        return self.select(self.compare("ogt", x, limit), limit, x)

    def at_least(self, x: SSAValue, limit: float) -> SSAValue:
        return self.select(self.compare("olt", x, limit), limit, x)

    def exact_near_zero(self, x: SSAValue, value: SSAValue) -> SSAValue:
        """x itself, with its sign, where that is what a function of slope 1 at 0 rounds to."""
        near = self.compare("olt", self.abs(x), 2.0 ** -(self.format.fraction + 2))
        return self.select(near, x, value)

    # ---- bits; Python numbers are constants
    def i(self, x: SSAValue | int) -> SSAValue:
        return x if isinstance(x, SSAValue) else self._constant(int(x), self.integer)

    def _integer(self, op: type[Operation], a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        flags: dict[str, Attribute] = (
            {"overflowFlags": NO_OVERFLOW} if op in (arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.ShLIOp) else {}
        )
        return self.emit(op, [self.i(a), self.i(b)], self.integer, flags)

    def bits(self, x: SSAValue) -> SSAValue:
        return self.emit(arith.BitcastOp, [x], self.integer)

    def from_bits(self, x: SSAValue) -> SSAValue:
        return self.emit(arith.BitcastOp, [x], self.kind)

    def iadd(self, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.AddiOp, a, b)

    def isub(self, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.SubiOp, a, b)

    def imul(self, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.MuliOp, a, b)

    def iand(self, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.AndIOp, a, b)

    def ior(self, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.OrIOp, a, b)

    def ixor(self, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.XOrIOp, a, b)

    def shift_left(self, a: SSAValue, by: SSAValue | int) -> SSAValue:
        return self._integer(arith.ShLIOp, a, by)

    def shift_right(self, a: SSAValue, by: int) -> SSAValue:
        """With copies of the sign."""
        return self._integer(arith.ShRSIOp, a, by)

    def shift_down(self, a: SSAValue, by: SSAValue | int) -> SSAValue:
        """With zeros."""
        return self._integer(arith.ShRUIOp, a, by)

    def iselect(self, condition: SSAValue, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self.emit(arith.SelectOp, [condition, self.i(a), self.i(b)], self.integer)

    def icompare(self, predicate: int, a: SSAValue, b: SSAValue | int) -> SSAValue:
        return self.emit(arith.CmpiOp, [self.i(a), self.i(b)], self.boolean, {"predicate": IntegerAttr(predicate, i64)})

    def is_negative(self, x: SSAValue) -> SSAValue:
        """By its sign, which -0 has."""
        return self.icompare(2, self.bits(x), 0)

    def to_float(self, x: SSAValue) -> SSAValue:
        return self.emit(arith.SIToFPOp, [x], self.kind)

    def to_integer(self, x: SSAValue) -> SSAValue:
        """Towards zero."""
        return self.emit(arith.FPToSIOp, [x], self.integer)

    # ---- tables, of vectors
    def table(self, values: Sequence[float]) -> SSAValue:
        kind = TensorType(self.format.scalar, [len(values)])
        value = DenseIntOrFPElementsAttr.from_list(kind, list(values))  # pyright: ignore
        return self.emit_scalar(arith.ConstantOp, (), kind, {"value": value})

    def entry(self, table: SSAValue, first: int, index: SSAValue) -> SSAValue:
        """table[first + index]"""
        key = (first, IndexType())
        if key not in self.constants:
            properties: dict[str, Attribute] = {"value": IntegerAttr(first, IndexType())}
            self.constants[key] = self.emit_scalar(arith.ConstantOp, (), IndexType(), properties)
        everywhere = self._constant(1, self.boolean)
        operands = [table, self.constants[key], index, everywhere, self.f(0.0)]
        return self.emit_scalar(GatherOp, operands, self.kind)

    # ---- conversions
    def extend(self, x: SSAValue) -> SSAValue:
        return self.emit(arith.ExtFOp, [x], self.kind)

    def truncate(self, x: SSAValue) -> SSAValue:
        return self.emit(arith.TruncFOp, [x], self.kind)

    # ---- control
    def any(self, *conditions: SSAValue) -> SSAValue:
        """Is one of some i1 vectors true anywhere? Each by itself: signs of several registers are tested at once."""
        found = [self._anywhere(c) for c in conditions] if self.shape else conditions
        return reduce(lambda a, b: self.emit_scalar(arith.OrIOp, (a, b), i1), found)

    def _anywhere(self, condition: SSAValue) -> SSAValue:
        false = self.emit_scalar(arith.ConstantOp, (), i1, {"value": _constant(i1, "0")})
        op = MultiReductionOp.make("or", condition, false, range(len(self.shape)))
        return self.add_op(op).results[0]

    def emit_scalar(
        self,
        op: type[Operation],
        operands: Sequence[SSAValue],
        kind: Attribute | None,
        properties: dict[str, Attribute] | None = None,
    ) -> SSAValue:
        """An operation that stays what it is beside vectors."""
        types = [] if kind is None else [kind]
        new = self.add_op(op.create(operands=operands, result_types=types, properties=properties or {}))
        return new.results[0]

    def add_op(self, op: Operation) -> Operation:
        if self.location is not None:
            op.location = self.location
        self.ops.append(op)
        return op

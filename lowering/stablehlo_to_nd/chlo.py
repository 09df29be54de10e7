"""CHLO: functions of special values, and binary ops that broadcast as NumPy's.

`broadcast_dimensions` of a binary op says where the dimensions of the operand of lower rank stand; without it they are
the last ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from xdsl.dialects.builtin import i64
from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.dims import Dim, Sym, show
from ...dialects.nd.elementwise import Add, And, Max, Min, Mul, Or, Sub, Xor
from ...dialects.nd.op import Array, NdOp, bind, here
from ...dialects.nd.selection import Select, convert
from ...dialects.nd.types import is_unsigned, ui64, width
from ...dialects.stablehlo.access import ints
from . import elementwise
from .conversion import Conversion
from .movement import spread
from .table import Converter, Value, converter

UNARY: dict[str, tuple[str, str]] = {
    **{n: ("functions", n) for n in ["acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "erf", "sinh", "tan"]},
    **{n: ("special_functions", n) for n in ["erfc", "erf_inv", "lgamma", "digamma", "bessel_i1e"]},
    "is_inf": ("functions", "isinf"),
    "is_pos_inf": ("special_functions", "is_pos_inf"),
    "is_neg_inf": ("special_functions", "is_neg_inf"),
    "conj": ("functions", "conj"),
}
BINARY: dict[str, tuple[str, str]] = {n: ("special_functions", n) for n in ("next_after", "polygamma", "zeta")}
"""CHLO's op -> module of nd and its function."""


def special(module: str, name: str) -> Converter:
    def convert_(op: Operation, operands: list[Array], c: Conversion) -> Array:
        if len(operands) > 1:
            c.alike(operands)
        return getattr(import_module(f"...dialects.nd.{module}", __package__), name)(*operands)

    return convert_


for _name, _function in (UNARY | BINARY).items():
    converter("chlo." + _name)(special(*_function))


@converter("chlo.square")
def square(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return bind(Mul, operands[0], operands[0])


@converter("chlo.mulhi")
def mulhi(op: Operation, operands: list[Array], c: Conversion) -> Array:
    """The upper half of the product in twice as many bits."""
    c.alike(operands)
    x, y = operands
    bits, wide = width(x.dtype), ui64 if is_unsigned(x.dtype) else i64
    if bits < 64:
        product = bind(Mul, convert(x, wide), convert(y, wide))
        return convert(F.right_shift(product, bits), x.dtype)
    # x y = 2^64 h + l, from halves of 32 bits; those above keep the sign
    (a, b), (d, e) = (
        (F.right_shift(v, 32), bind(And, v, movement.full_shape(0xFFFFFFFF, v.shape, v.dtype))) for v in (x, y)
    )
    low = elementwise.bits_of(b * e)
    carry = a * e + elementwise.bitcast(F.right_shift(low, 32), x.dtype)
    middle = b * d + bind(And, carry, movement.full_shape(0xFFFFFFFF, x.shape, x.dtype))
    return a * d + F.right_shift(carry, 32) + F.right_shift(middle, 32)


# Broadcasting.


def common(operands: Sequence[Array], dims: Sequence[int] | None, c: Conversion) -> list[Array]:
    """The operands in one shape."""
    rank = max(a.ndim for a in operands)
    placed: list[Array] = []
    for a in operands:
        at = dims if dims is not None and a.ndim < rank else range(rank - a.ndim, rank)
        shape: list[Dim] = [1] * rank
        for d, k in zip(a.shape, at, strict=True):
            shape[k] = d
        order = sorted(range(a.ndim), key=lambda k: at[k])
        placed.append(movement.reshape(movement.transpose(a, order), tuple(shape)))
    shape = []
    for sizes in zip(*(a.shape for a in placed), strict=True):
        larger = [d for d in sizes if d != 1] or [1]
        for d in larger[1:]:
            c.equal(larger[0], d, lambda: f"expected shapes that broadcast, found {shapes_of(operands)}")
        shape.append(next((d for d in larger if not isinstance(d, Sym)), larger[0]))
    return [spread(a, tuple(shape), range(rank)) for a in placed]


def shapes_of(operands: Sequence[Array]) -> str:
    return " and ".join(show(a.shape) for a in operands)


def broadcasting(fn: Converter) -> Converter:
    """A converter of operands of one shape for those that broadcast."""

    def convert_(op: Operation, operands: list[Array], c: Conversion) -> Value | Sequence[Value]:
        dims = ints(op, "broadcast_dimensions") if "broadcast_dimensions" in op.properties else None
        if dims is not None and any(len(dims) != a.ndim for a in operands if a.ndim < max(b.ndim for b in operands)):
            raise CompileError(
                f"{op.name}: expected broadcast_dimensions for each dimension of the operand of lower rank, found "
                f"{list(dims)} for shapes {shapes_of(operands)}",
                here(),
            )
        return fn(op, common(operands, dims, c), c)

    return convert_


def _bound(cls: type[NdOp], of_bool: type[NdOp] | None = None) -> Converter:
    return broadcasting(elementwise.row(cls, of_bool))


for _name, _classes in {
    "add": (Add, Or),
    "and": (And, None),
    "maximum": (Max, Or),
    "minimum": (Min, And),
    "multiply": (Mul, And),
    "or": (Or, None),
    "subtract": (Sub, None),
    "xor": (Xor, None),
}.items():
    converter(f"chlo.broadcast_{_name}")(_bound(*_classes))
for _name, _converter in {
    "atan2": elementwise.function("atan2"),
    "complex": elementwise.complex_,
    "compare": elementwise.compare,
    "divide": elementwise.divide,
    "next_after": special(*BINARY["next_after"]),
    "polygamma": special(*BINARY["polygamma"]),
    "power": elementwise.power,
    "remainder": elementwise.function("rem"),
    "shift_left": elementwise.function("left_shift"),
    "shift_right_arithmetic": elementwise.shift_right_arithmetic,
    "shift_right_logical": elementwise.shift_right_logical,
    "zeta": special(*BINARY["zeta"]),
}.items():
    converter(f"chlo.broadcast_{_name}")(broadcasting(_converter))


@converter("chlo.broadcast_select")
def broadcast_select(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return bind(Select, *common(operands, None, c))

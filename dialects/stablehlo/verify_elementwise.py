"""Rules of elementwise ops: shapes agree, and elements are of the kinds that an op takes."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import ComplexType, TensorType, f32, f64
from xdsl.ir import Attribute, Operation

from .access import number, word
from .constraints import (
    agree,
    element_of,
    fail,
    kind_of,
    need,
    need_alike,
    need_element,
    need_kind,
    need_shape,
    operand_types,
    same,
    shape_of,
    shapes_agree,
)
from .verify import rule

ANY = ("bool", "int", "uint", "float", "complex")
NUMBERS = ("int", "uint", "float", "complex")
SIGNED = ("int", "float", "complex")
INEXACT = ("float", "complex")
INTEGERS = ("int", "uint")
BITS = ("bool", "int", "uint")
FLOATS = ("float",)

ELEMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["add", "maximum", "minimum", "multiply", "clamp"], ANY),
    **dict.fromkeys(["divide", "negate", "power", "remainder", "subtract"], NUMBERS),
    **dict.fromkeys(["sign"], SIGNED),
    **dict.fromkeys(
        [
            "atan2",
            "cbrt",
            "cosine",
            "exponential",
            "exponential_minus_one",
            "log",
            "log_plus_one",
            "logistic",
            "rsqrt",
            "sine",
            "sqrt",
            "tan",
            "tanh",
        ],
        INEXACT,
    ),
    **dict.fromkeys(["ceil", "floor", "reduce_precision", "round_nearest_afz", "round_nearest_even"], FLOATS),
    **dict.fromkeys(
        ["count_leading_zeros", "popcnt", "shift_left", "shift_right_arithmetic", "shift_right_logical"], INTEGERS
    ),
    **dict.fromkeys(["and", "not", "or", "xor"], BITS),
}
"""Ops whose operands and result are alike -> the kinds of their elements."""

CHLO: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "sinh", "tan"], INEXACT),
    **dict.fromkeys(
        ["bessel_i1e", "digamma", "erf", "erf_inv", "erfc", "lgamma", "next_after", "polygamma", "zeta"],
        FLOATS,
    ),
    "square": NUMBERS,
    "mulhi": INTEGERS,
}


@rule(*(n for n in ELEMENTS if n not in ("clamp", "reduce_precision")), *(f"chlo.{n}" for n in CHLO))
def alike(op: Operation) -> None:
    """Operands and the result have one shape and one type of elements."""
    result = op.results[0].type
    dialect, _, name = op.name.partition(".")
    need_kind("a result", result, (ELEMENTS if dialect == "stablehlo" else CHLO)[name])
    for index, operand in enumerate(op.operands):
        if operand.type is not result:
            need_alike(f"operand {index}", operand.type, result)


def real_part(element: Any) -> Any:
    return cast(Any, element).element_type if isinstance(element, ComplexType) else element


@rule("abs real imag")
def real(op: Operation) -> None:
    """The result has the real type of complex operands."""
    operand, result = op.operands[0].type, op.results[0].type
    need_kind("an operand", operand, SIGNED if op.name == "stablehlo.abs" else INEXACT)
    need_shape("a result", result, shape_of(operand))
    need_element("a result", result, real_part(element_of(operand)))


@rule("complex")
def complex_(op: Operation) -> None:
    left, right, result = op.operands[0].type, op.operands[1].type, op.results[0].type
    need(element_of(left) in (f32, f64), "operands with elements of type f32 or f64", left)
    need_alike("operand 1", right, left)
    need_shape("a result", result, shape_of(left))
    element: Any = element_of(result)
    need_kind("a result", result, ("complex",))
    need(real_part(element) == element_of(left), f"a complex result with parts as in {left}", result)


@rule("convert uniform_quantize uniform_dequantize chlo.conj")
def convert(op: Operation) -> None:
    operand, result = op.operands[0].type, op.results[0].type
    need_shape("a result", result, shape_of(operand))
    if op.name == "chlo.conj":
        need_element("a result", result, element_of(operand))
    if op.name == "stablehlo.uniform_quantize":
        need(kind_of(element_of(result)) == "quantized", "a result of quantised elements", result)
    if op.name == "stablehlo.uniform_dequantize":
        need(kind_of(element_of(operand)) == "quantized", "an operand of quantised elements", operand)
        need_kind("a result", result, FLOATS)


@rule("is_finite chlo.is_inf chlo.is_pos_inf chlo.is_neg_inf")
def predicate(op: Operation) -> None:
    need_kind("an operand", op.operands[0].type, FLOATS)
    need_kind("a result", op.results[0].type, ("bool",))
    need_shape("a result", op.results[0].type, shape_of(op.operands[0].type))


COMPARISONS = {
    "FLOAT": ("float", "complex"),
    "TOTALORDER": ("float",),
    "SIGNED": ("int", "quantized"),
    "UNSIGNED": ("uint", "bool", "quantized"),
}
"""Kinds of comparison -> of what elements."""


@rule("compare")
def compare(op: Operation) -> None:
    left, right, result = op.operands[0].type, op.operands[1].type, op.results[0].type
    need_alike("operand 1", right, left)
    need_shape("a result", result, shape_of(left))
    need_kind("a result", result, ("bool",))
    how = word(op, "compare_type", "NOTYPE")
    kind = kind_of(element_of(left))
    if how in COMPARISONS and kind not in COMPARISONS[how] and not (kind == "quantized" and how == "FLOAT"):
        fail(f"operands that can be compared as {how}", left)


@rule("select")
def select(op: Operation) -> None:
    chosen, on_true, on_false = operand_types(op)
    need_kind("operand 0", chosen, ("bool",))
    need_alike("operand 2", on_false, on_true)
    need_alike("a result", op.results[0].type, on_true)
    need(
        shape_of(chosen) == () or shapes_agree(shape_of(chosen), shape_of(on_true)),
        f"operand 0 without dimensions or of the shape of {on_true}",
        chosen,
    )


@rule("clamp")
def clamp(op: Operation) -> None:
    low, value, high = operand_types(op)
    need_kind("operand 1", value, ANY)
    need_alike("a result", op.results[0].type, value)
    for name, bound in (("operand 0", low), ("operand 2", high)):
        need_element(name, bound, element_of(value))
        if shape_of(bound) != () and not shapes_agree(shape_of(bound), shape_of(value)):
            fail(f"{name} without dimensions or of the shape of {value}", bound)


@rule("reduce_precision")
def reduce_precision(op: Operation) -> None:
    need_kind("an operand", op.operands[0].type, FLOATS)
    need_alike("a result", op.results[0].type, op.operands[0].type)
    exponent, mantissa = number(op, "exponent_bits"), number(op, "mantissa_bits")
    need(exponent >= 1, "exponent_bits to be at least 1", exponent)
    need(mantissa >= 0, "mantissa_bits to be at least 0", mantissa)


def width(element: Any) -> int:
    """Bits of an element; 0 where that is not said."""
    if isinstance(element, ComplexType):
        return 2 * width(real_part(element))
    if kind_of(element) == "quantized":
        return element.data.storage.width.data if element.name == "quant.uniform" else 0
    return getattr(element, "bitwidth", 0)


@rule("bitcast_convert")
def bitcast_convert(op: Operation) -> None:
    """Equal widths keep the shape; a wider element has a last dimension of the narrower ones."""
    operand, result = op.operands[0].type, op.results[0].type
    a, b = element_of(operand), element_of(result)
    need((kind_of(a) == "complex") == (kind_of(b) == "complex"), "both or none of the types to be complex", result)
    before, after, wide, narrow = shape_of(operand), shape_of(result), width(a), width(b)
    if before is None or after is None or not wide or not narrow:
        return
    if wide == narrow:
        return need_shape("a result", result, before)
    if wide < narrow:
        before, after, wide, narrow = after, before, narrow, wide
    need(wide % narrow == 0, f"widths of which one divides the other, {a} and {b}", f"{wide} and {narrow} bits")
    good = len(after) == len(before) + 1 and shapes_agree(before, after[:-1]) and agree(after[-1], wide // narrow)
    need(good, f"the narrower type to have a last dimension of {wide // narrow}", f"{operand} and {result}")


@rule("constant chlo.constant")
def constant(op: Operation) -> None:
    value: Any = op.properties["value"]
    kind: Attribute | None = value.get_type() if hasattr(value, "get_type") else getattr(value, "type", None)
    result = op.results[0].type
    if kind is None or kind == result:
        return
    element = element_of(result)
    if kind_of(element) == "quantized" and element.name == "quant.uniform":
        stored: Attribute = TensorType(element.data.storage, shape_of(result) or ())
        need(same(kind, stored), f"a value of type {stored}", kind)
        return
    fail(f"a value of type {result}", kind)


def broadcast_shape(op: Operation) -> None:
    """Shapes broadcast as NumPy's do, or, with `broadcast_dimensions`, the smaller rank's dimensions are placed."""
    from .access import ints

    kinds = operand_types(op)
    shapes = [shape_of(k) for k in kinds]
    result = shape_of(op.results[0].type)
    if any(s is None for s in shapes) or result is None:
        return
    full = [s for s in shapes if s is not None]
    rank = max(map(len, full))
    places = ints(op, "broadcast_dimensions") if "broadcast_dimensions" in op.properties else None
    least = min(map(len, full))
    if places is not None and len(places) == least:
        need(all(0 <= p < rank for p in places), f"broadcast_dimensions to be dimensions of {rank}", list(places))
    need(len(result) == rank, f"a result of rank {rank}", op.results[0].type)
    for kind, shape in zip(kinds, full, strict=True):
        at = places if places is not None and len(shape) == least < rank else range(rank - len(shape), rank)
        need(len(at) == len(shape), f"broadcast_dimensions of {len(shape)} numbers", len(at))
        for size, place in zip(shape, at, strict=True):
            need(size == 1 or agree(size, result[place]), f"an operand that broadcasts to {op.results[0].type}", kind)


BROADCASTING = (
    "add and atan2 divide maximum minimum multiply next_after or polygamma power remainder shift_left "
    "shift_right_arithmetic shift_right_logical subtract xor zeta complex compare select"
)


@rule(*(f"chlo.broadcast_{n}" for n in BROADCASTING.split()))
def broadcasting(op: Operation) -> None:
    name = op.name.removeprefix("chlo.broadcast_")
    kinds = operand_types(op)
    first = element_of(kinds[-1])
    for index, kind in enumerate(kinds[1:] if name == "select" else kinds):
        need_element(f"operand {index + (name == 'select')}", kind, first)
    result = op.results[0].type
    if name == "compare":
        need_kind("a result", result, ("bool",))
    elif name == "complex":
        need_kind("a result", result, ("complex",))
    else:
        need_element("a result", result, first)
    if name == "select":
        need_kind("operand 0", kinds[0], ("bool",))
    broadcast_shape(op)

"""What verifiers ask of types and lists of dimensions: helpers that raise VerifyException, expected and found.

A dimension that is not known (`?`) agrees with every other; so does everything about a tensor without a rank. Elements
that are quantised agree with what they express, or with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    ComplexType,
    IndexType,
    IntegerType,
    Signedness,
    TensorType,
    UnrankedTensorType,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

Shape = tuple[int, ...]


def fail(expected: str, found: object) -> NoReturn:
    raise VerifyException(f"expected {expected}, found {found}")


def need(condition: object, expected: str, found: object) -> None:
    if not condition:
        fail(expected, found)


# Types

KINDS = {
    "bool": "truth values",
    "int": "signed integers",
    "uint": "unsigned integers",
    "float": "floats",
    "complex": "complex numbers",
    "quantized": "quantised numbers",
    "index": "indices",
}
"""Kinds of elements and what messages call them."""


def element_of(kind: Attribute) -> Any:
    """The element type of a tensor; VerifyException for what is none."""
    if isinstance(kind, TensorType | UnrankedTensorType):
        return cast(Any, kind).element_type
    fail("a tensor", kind)


def kind_of(element: Any) -> str:
    """A key of KINDS; other elements have none."""
    if type(element) is IntegerType:
        if element.width.data == 1:
            return "bool"
        return "uint" if element.signedness.data is Signedness.UNSIGNED else "int"
    if isinstance(element, AnyFloat):
        return "float"
    if isinstance(element, ComplexType):
        return "complex"
    if isinstance(element, IndexType):
        return "index"
    return "quantized" if getattr(element, "name", "").startswith("quant.") else ""


def need_kind(what: str, kind: Attribute, allowed: Iterable[str]) -> None:
    """Elements of one of the kinds; quantised ones stand for floats."""
    found, allowed = kind_of(element_of(kind)), tuple(allowed)
    if found not in allowed and not (found == "quantized" and "float" in allowed):
        fail(f"{what} with elements that are {' or '.join(KINDS[k] for k in allowed)}", kind)


def shape_of(kind: Attribute) -> Shape | None:
    """The dimensions of a tensor, -1 where they are not known; None without a rank."""
    if isinstance(kind, TensorType):
        return cast(Any, kind).get_shape()
    if isinstance(kind, UnrankedTensorType):
        return None
    fail("a tensor", kind)


def known(size: int) -> bool:
    return size != DYNAMIC_INDEX


def agree(a: int, b: int) -> bool:
    """Whether two sizes may be equal."""
    return a == b or not known(a) or not known(b)


def shapes_agree(a: Shape | None, b: Shape | None) -> bool:
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(x == y or not known(x) or not known(y) for x, y in zip(a, b, strict=True))


def elements_agree(a: Any, b: Any) -> bool:
    if a is b or a == b:
        return True
    kinds = kind_of(a), kind_of(b)
    return "quantized" in kinds and all(k in ("quantized", "float") for k in kinds)


def need_element(what: str, kind: Attribute, element: Any) -> None:
    if not elements_agree(element_of(kind), element):
        fail(f"{what} with elements of type {element}", kind)


def need_scalar(what: str, kind: Attribute) -> None:
    need(shape_of(kind) in ((), None), f"{what} without dimensions", kind)


def need_rank(what: str, kind: Attribute, rank: int) -> None:
    shape = shape_of(kind)
    need(shape is None or len(shape) == rank, f"{what} of rank {rank}", kind)


def need_shape(what: str, kind: Attribute, shape: Sequence[int] | None) -> None:
    if shape is not None and not shapes_agree(shape_of(kind), tuple(shape)):
        fail(f"{what} of shape {shape_text(shape)}", kind)


def need_alike(what: str, kind: Attribute, other: Attribute) -> None:
    """The same shape and elements."""
    if kind is not other:
        if not shapes_agree(shape_of(kind), shape_of(other)):
            fail(f"{what} of the shape of {other}", kind)
        need_element(what, kind, element_of(other))


def same(kind: Attribute, other: Attribute) -> bool:
    """Whether two types, also tuples and tokens, agree."""
    if kind == other:
        return True
    tensors = TensorType | UnrankedTensorType
    if not (isinstance(kind, tensors) and isinstance(other, tensors)):
        return False
    return shapes_agree(shape_of(kind), shape_of(other)) and elements_agree(element_of(kind), element_of(other))


def need_types(what: str, found: Sequence[Attribute], expected: Sequence[Attribute]) -> None:
    if len(found) != len(expected) or not all(map(same, found, expected)):
        fail(f"{what} of types {types_text(expected)}", types_text(found))


def types_text(kinds: Iterable[Attribute]) -> str:
    return f"({', '.join(map(str, kinds))})"


def shape_text(shape: Sequence[int]) -> str:
    return "[" + ", ".join(str(n) if known(n) else "?" for n in shape) + "]"


# Lists of dimensions


def need_length(what: str, values: Sequence[object], count: int) -> None:
    plural = "number" if count == 1 else "numbers"
    need(len(values) == count, f"{what} to have {count} {plural}", len(values))


def need_dimension(what: str, value: int, rank: int) -> None:
    need(0 <= value < rank, f"{what} to be a dimension of {rank}", value)


def need_dimensions(what: str, values: Sequence[int], rank: int, *, ordered: bool = False) -> None:
    """Dimensions of a shape, each once."""
    for value in values:
        need(0 <= value < rank, f"{what} to be dimensions of {rank}", shape_text(values))
    need(len(set(values)) == len(values), f"{what} to be different", shape_text(values))
    if ordered:
        need(list(values) == sorted(values), f"{what} to be in ascending order", shape_text(values))


def need_least(what: str, values: Iterable[int], least: int) -> None:
    values = tuple(values)
    need(all(v >= least for v in values), f"{what} to be at least {least}", shape_text(values))


# Ops


def operand_types(op: Operation) -> list[Attribute]:
    return [o.type for o in op.operands]


def result_types(op: Operation) -> list[Attribute]:
    return [r.type for r in op.results]


def rank_of(kind: Attribute, default: int) -> int:
    """The rank, or `default` where a tensor has none."""
    shape = shape_of(kind)
    return default if shape is None else len(shape)

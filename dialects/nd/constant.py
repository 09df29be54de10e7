"""Ops without operands: constant, iota, size.

    nd.constant 1.0 : tensor<4x8xf32>               one value for all elements (any shape, symbolic too)
    nd.constant [[1, 2], [3, 4]] : tensor<2x2xi32>  up to 64 elements, exactly
    nd.constant "0x0000803F..." : tensor<16x8xf32>  more: the bytes, little endian, in hex
    nd.constant (1.0, -2.0) : tensor<4xcomplex<f32>>

Numbers print with the fewest digits that read back exactly; nan, inf and -0.0 are written as such. A NaN of other bits
than the usual prints as hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeGuard

import numpy as np
from xdsl.dialects.builtin import (
    BytesAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute
from xdsl.irdl import AnyAttr, VarConstraint, prop_def, result_def
from xdsl.parser import Parser
from xdsl.printer import Printer

from . import dimmap
from .attributes import ComplexAttr, DimsAttr
from .dimmap import DimMap
from .dims import Dim, Shape, Sym, size
from .elementwise import Np
from .op import EXACT, Array, Linear, NdOp, Props, bind, number, numbers, op
from .types import (
    ANY,
    NUMERIC,
    NUMPY,
    Type,
    described,
    dtype_of,
    is_complex,
    is_tensor,
    kind_of,
    of_numpy,
    scalar,
    shape_of,
    takes,
    tensor,
    value_type,
    width,
)

READABLE = 64
"""Dense constants of more elements print as hex."""


def scalar_type(value: Any) -> Attribute | None:
    """The type of a number as an attribute; None of anything else."""
    return value.type if isinstance(value, FloatAttr | IntegerAttr) else None  # pyright: ignore


class Source(NdOp):
    """No operands; the property `shape` is the result type."""

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return DimMap((), dimmap.names(len(shape_of(props["shape"]))))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        t = props["shape"]
        if not is_tensor(t) or not takes(cls.DTYPES, t.element_type):
            raise ValueError(f"expected a tensor of {described(cls.DTYPES)}, found {t}")
        return t

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        raise AssertionError(f"{self.name} has no operand to batch")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        self.print_value(printer)
        if self.attributes:
            printer.print_string(" ")
            printer.print_attr_dict(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.type)

    def print_value(self, printer: Printer) -> None:
        """What stands between the name and the type."""
        raise NotImplementedError(self.name)


@op("constant", linear=Linear.NEVER, tolerance=EXACT, flops=0, dtypes=ANY)
class Constant(Source):
    """One value for all elements, or a dense array. No declarative format: it would print the element type twice."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    value = prop_def(AnyAttr())
    shape = prop_def(T)
    result = result_def(T)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        t = super().infer(types, props)
        value: Any = props["value"]
        if is_dense(value):
            if (found := value.get_type()) != t:
                raise ValueError(f"expected data of type {t}, found {found}")
        elif isinstance(value, ComplexAttr) != is_complex(t) or (
            not is_complex(t) and scalar_type(value) != value_type(t.element_type)
        ):
            raise ValueError(f"expected a value of type {t.element_type}, found {value}")
        return t

    @property
    def splat(self) -> complex | None:
        """The one value of all elements; None for dense data."""
        value: Any = self.value
        if isinstance(value, ComplexAttr):
            return value.number
        return None if is_dense(value) else value.value.data

    def reference(self) -> Np:
        dtype = NUMPY[self.type.element_type]
        value: Any = self.value
        if is_dense(value):
            return elements(value, dtype).reshape(numbers(self.type))
        return np.full(numbers(self.type), self.splat, dtype)

    @classmethod
    def parse(cls, parser: Parser) -> Constant:
        at = parser.pos
        if (text := parser.parse_optional_str_literal()) is not None:
            data: Any = text
        else:
            data = _parse_elements(parser)
        end = parser.pos
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        t = parser.parse_type()
        if not is_tensor(t) or (dtype := NUMPY.get(value_type(t.element_type))) is None:
            parser.raise_error(f"expected a tensor of {described(ANY)}, found {t}", at, end)
        try:
            value = _value(data, t, dtype)
        except (ValueError, OverflowError) as e:
            parser.raise_error(f"nd.constant: {e}", at, end)
        return cls.create(result_types=[t], properties={"value": value, "shape": t}, attributes=attributes)

    def print_value(self, printer: Printer) -> None:
        printer.print_string(self.literal())

    def literal(self) -> str:
        """The value as it is printed."""
        dtype = NUMPY[value_type(self.type.element_type)]
        value: Any = self.value
        if not is_dense(value):
            return _show(dtype.type(self.splat))
        data = elements(value, dtype)
        odd_nan = kind_of(dtype) in "fc" and any(
            x != x and x.tobytes() != x.dtype.type(np.nan).tobytes() for x in parts(data[:READABLE])
        )
        if data.size > READABLE or odd_nan:
            return f'"0x{_little(data).tobytes().hex().upper()}"'
        return _nested(data.reshape(value.get_shape()))


def is_dense(value: Any) -> TypeGuard[DenseIntOrFPElementsAttr[Any]]:
    return isinstance(value, DenseIntOrFPElementsAttr)


def elements(value: DenseIntOrFPElementsAttr[Any], dtype: np.dtype[Any]) -> Np:
    """The flat data of a dense attribute, not to be written; where one element stands for all, it is there once."""
    count = size(value.get_shape())
    assert isinstance(count, int)
    if dtype.kind == "b":
        flat = np.array(value.get_values(), bool)
    else:
        flat = np.frombuffer(value.data.data, dtype.newbyteorder("<")).astype(dtype)
    return flat if flat.size == count else np.broadcast_to(flat, (count,))


def parts(x: Np) -> Np:
    """Flat numbers; of complex ones their parts in turn."""
    return x.view(np.real(x).dtype) if x.dtype.kind == "c" else x


def _little(x: Np) -> Np:
    return x.astype(x.dtype.newbyteorder("<"))


def _show(x: Any) -> str:
    kind = kind_of(x.dtype)
    if kind == "b":
        return "true" if x else "false"
    if kind in "iu":
        return str(int(x))
    if kind == "c":
        return f"({_show(x.real)}, {_show(x.imag)})"
    if x.dtype.isbuiltin != 1:
        return _show_narrow(x)
    if not np.isfinite(x):
        return "nan" if np.isnan(x) else "inf" if x > 0 else "-inf"
    text = np.format_float_positional(x, unique=True, trim="0") if 1e-4 <= abs(float(x)) < 1e9 or x == 0 else None
    return text or np.format_float_scientific(x, unique=True, trim="0", exp_digits=1)


def _show_narrow(x: Any) -> str:
    """A float of `ml_dtypes`, whose own text does not always read back."""
    if x != x or np.isinf(np.float64(x)):
        return "nan" if x != x else "inf" if x > 0 else "-inf"
    value = float(x)
    digits = next(n for n in range(1, 18) if float(x.dtype.type(float(f"{value:.{n}g}"))) == value)
    return _show(np.float64(f"{value:.{digits}g}"))


def _nested(x: Np) -> str:
    return _show(x[()]) if x.ndim == 0 else "[" + ", ".join(_nested(np.asarray(row)) for row in x) + "]"


def _parse_elements(parser: Parser) -> Any:
    """A number, true, false, nan, inf, -inf, a pair for a complex number, or nested lists of them."""
    found = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_elements(parser))
    if found is not None:
        return found
    pair = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_elements(parser))
    if pair is not None:
        if len(pair) != 2 or any(isinstance(x, list | complex) for x in pair):
            parser.raise_error(f"expected a complex number such as (1.0, -2.0), found {len(pair)} parts")
        return complex(*pair)
    negative = parser.parse_optional_punctuation("-") is not None
    for word, value in (("true", True), ("false", False), ("nan", float("nan")), ("inf", float("inf"))):
        if parser.parse_optional_keyword(word):
            return -value if negative else value
    number_ = parser.parse_number(allow_boolean=False)
    return -number_ if negative else number_


def _value(data: Any, t: Type, dtype: np.dtype[Any]) -> Attribute:
    shape = shape_of(t)
    if isinstance(data, list | str) and any(isinstance(d, Sym) for d in shape):
        raise ValueError(f"expected one value for the symbolic shape of {t}, found dense data")
    if isinstance(data, str):
        raw = bytes.fromhex(data.removeprefix("0x"))
        if len(raw) != (want := int(np.prod(t.get_shape())) * dtype.itemsize):
            raise ValueError(f"expected {want} bytes for {t}, found {len(raw)}")
        return dense(np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype), t)
    if isinstance(data, list):
        flat = np.array(data, dtype=object)
        if (flat.size and flat.shape != t.get_shape()) or (not flat.size and 0 not in t.get_shape()):
            raise ValueError(f"expected data of shape {list(t.get_shape())}, found {list(flat.shape)}")
        for x in flat.flat:
            _check(x, dtype)
        return dense(flat.astype(dtype), t)
    _check(data, dtype)
    return scalar(data, t.element_type)


def _kind(x: Any) -> str:
    return "boolean" if isinstance(x, bool) else type(x).__name__ if isinstance(x, float | complex) else "integer"


def _check(x: Any, dtype: np.dtype[Any]) -> None:
    kind = _kind(x)
    if kind == "complex" and dtype.kind != "c":
        raise ValueError(f"expected a real number for {dtype.name}, found {x}")
    if kind_of(dtype) in "iu":
        if kind != "integer":
            raise ValueError(f"expected an integer for {dtype.name}, found {x}")
        bits, unsigned = width(of_numpy(dtype)), kind_of(dtype) == "u"
        if not (0 if unsigned else -(1 << (bits - 1))) <= x < 1 << (bits if unsigned else bits - 1):
            raise ValueError(f"expected an integer of {dtype.name}, found {x}, which is out of its range")
    if dtype.kind == "b" and kind != "boolean":
        raise ValueError(f"expected true or false, found {x}")
    if kind_of(dtype) in "fc" and kind == "boolean":
        raise ValueError(f"expected a number for {dtype.name}, found {x}")


def dense(x: Np, t: Type) -> DenseIntOrFPElementsAttr[Any]:
    """An array's elements as an attribute of type `t`."""
    if x.dtype.kind == "b":
        return DenseIntOrFPElementsAttr.from_list(t, [int(v) for v in x.flat])  # pyright: ignore
    return DenseIntOrFPElementsAttr(t, BytesAttr(_little(np.ascontiguousarray(x)).tobytes()))


def full(value: Any, t: Type) -> Array:
    """One value everywhere."""
    return bind(Constant, value=scalar(value, t.element_type), shape=t)


def constant(x: Any, dtype: Attribute | None = None) -> Array:
    """An array as a constant; one value for all elements becomes a splat."""
    a = np.asarray(x)
    if dtype is not None:
        a = a.astype(NUMPY[dtype])
    t = tensor(a.shape, dtype_of(a))
    raw = np.ascontiguousarray(a).reshape(-1).view(np.uint8).reshape(a.size, -1) if a.size else None
    if raw is not None and (raw == raw[0]).all():
        return full(a.flat[0].item(), t)
    return bind(Constant, value=dense(a, t), shape=t)


@op("iota", linear=Linear.NEVER, tolerance=EXACT, flops=0, dtypes=NUMERIC)
class Iota(Source):
    """`nd.iota 1 : tensor<2x3xi64>`: each element is its own coordinate in one dimension."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    dim = prop_def(IntegerAttr)
    shape = prop_def(T)
    result = result_def(T)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        t = super().infer(types, props)
        dim: Any = props["dim"]
        d, rank = dim.value.data, len(shape_of(t))
        if not 0 <= d < rank:
            raise ValueError(f"expected a dimension from 0 to {rank - 1} of {t}, found {d}")
        return t

    def reference(self) -> Np:
        shape, d = numbers(self.type), self.dim.value.data
        along = np.arange(shape[d]).reshape([-1 if k == d else 1 for k in range(len(shape))])
        return np.broadcast_to(along, shape).astype(NUMPY[self.type.element_type])

    @classmethod
    def parse(cls, parser: Parser) -> Iota:
        d = IntegerAttr(parser.parse_integer(), i64)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        t = parser.parse_type()
        return cls.create(result_types=[t], properties={"dim": d, "shape": t}, attributes=attributes)

    def print_value(self, printer: Printer) -> None:
        printer.print_string(str(self.dim.value.data))


def iota(shape: Shape, dim: int, dtype: Attribute = i64) -> Array:
    return bind(Iota, dim=IntegerAttr(dim, i64), shape=tensor(tuple(shape), dtype))


@op("size", linear=Linear.NEVER, tolerance=EXACT, flops=0, dtypes=NUMERIC)
class Size(Source):
    """`nd.size [2*b] : tensor<f32>`: the product of the sizes, known when the program runs."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    of = prop_def(DimsAttr)
    shape = prop_def(T)
    result = result_def(T)
    assembly_format = "$of attr-dict `:` $shape"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        t = super().infer(types, props)
        if shape_of(t):
            raise ValueError(f"expected a result of rank 0, found {t}")
        return t

    def reference(self) -> Np:
        return np.array(number(size(self.of.data)), NUMPY[self.type.element_type])


def size_value(d: Dim, dtype: Attribute) -> Array:
    """A dimension as a value of rank 0."""
    t = tensor((), dtype)
    return full(d, t) if isinstance(d, int) else bind(Size, of=DimsAttr((d,)), shape=t)

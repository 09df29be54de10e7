"""What every `nd` op has, and `bind`, which builds one at the current place.

The life of an op, in the order in which its class states it:

    definition   @op("exp", ...), xDSL's operand and property definitions, assembly format
    dim_map      which index each dimension follows (dimmap.py); most of the rest is derived from it
    infer        result type, from operand types and properties; the verifier demands that the result has it
    reference    NumPy; also used for constant folding
    jvp          tangent of the result; `linear` and `derivative` make it a word or a row
    transpose    for linear ops: cotangents of the operands
    batch        vmap; default: from the dimension map
    tolerance, flops

Rules get and return `Array`, so they read like the user's programs. They build ops at the current place (`building`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, traits_def
from xdsl.irdl.operations import BeforeVariadicSingleAccessor, VarIRConstruct
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ..errors import CompileError
from .array import Array
from .dimmap import DimMap
from .dims import Dim, Shape, evaluate
from .place import Place, building, here, insert, locate, open_places, place
from .types import ANY, NUMERIC, Type, described, element, is_float, shape_of, takes, tensor

if TYPE_CHECKING:
    from xdsl.irdl.declarative_assembly_format import FormatProgram
    from xdsl.parser import Parser
    from xdsl.printer import Printer

Props = Mapping[str, Attribute]
Partial = Array | Callable[[], Array] | None
"""A partial derivative; a function where it costs something that an inactive operand does not need."""


class Linear(Enum):
    NO = "has a derivative rule"
    JOINT = "linear in all float operands together: the tangent is the op on the tangents"
    EACH = "linear in each operand: the tangent is a sum over operands"
    NEVER = "not differentiable: tangents stop here"


@dataclass(frozen=True)
class Tolerance:
    """The error allowed: `ulp` units in the last place of the result, plus `sums` * eps * sqrt(K) * the sum of the K
    terms' magnitudes (`magnitude`, `terms` of the op).

    Of a program, both add up along the longest path; `sums` holds the sqrt(K), `scale` is the largest magnitude, and
    `eps` that of the coarsest type that rounded on the way: an f64 made from f32 is no more exact.
    """

    ulp: float = 0
    sums: float = 0
    scale: float = 0
    eps: float = 0

    @property
    def exact(self) -> bool:
        return not self.ulp and not self.sums

    def then(self, other: Tolerance) -> Tolerance:
        """The tolerance of one after the other."""
        scale, eps = max(self.scale, other.scale), max(self.eps, other.eps)
        return Tolerance(self.ulp + other.ulp, self.sums + other.sums, scale, eps)

    def at(self, scale: float) -> Tolerance:
        return replace(self, scale=max(self.scale, scale))


EXACT = Tolerance()


@dataclass(frozen=True)
class Cost:
    flops: Dim
    accesses: Dim


class NdOp(IRDLOperation):
    LINEAR: ClassVar[Linear] = Linear.NO
    TOLERANCE: ClassVar[Tolerance] = EXACT
    FLOPS: ClassVar[int] = 1
    ELEMENT: ClassVar[str] = ""
    DTYPES: ClassVar[Sequence[Attribute]] = ANY
    traits = traits_def(Pure())

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        raise NotImplementedError(cls.name)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        """The result type; ValueError says expected and found."""
        shapes = [shape_of(t) for t in types]
        return tensor(cls.dim_map(shapes, props).infer(shapes), one_dtype(cls, types))

    def check_type(self) -> None:
        """The verifier: the result has the type that inference gives. xDSL's checks of arity and properties follow."""
        try:
            want = self.infer(self.operand_types, self.properties)  # pyright: ignore[reportArgumentType]
        except ValueError as e:
            raise VerifyException(f"{self.name}: {e}") from None
        if (got := self.results[0].type) != want:
            raise VerifyException(f"{self.name}: expected result type {want}, found {got}")

    def reference(self, *args: Any, **kwargs: Any) -> Any:
        """The op on NumPy arrays. Where the result's shape is symbolic, its sizes come from `sizes`."""
        raise NotImplementedError(self.name)

    def magnitude(self, *args: Any, **kwargs: Any) -> Any:
        """For sums: the sum of the terms' magnitudes, in float64, which scales the error allowed; None for others."""
        return None

    def terms(self, *args: Any, **kwargs: Any) -> int:
        """For sums: how many terms one result element adds."""
        return 1

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        """Tangents of the results; None stands for zero."""
        if self.LINEAR is Linear.NEVER or all(t is None for t in tangents):
            return [None] * len(self.results)
        match self.LINEAR:
            case Linear.JOINT:
                return [self.again([tangent_or_zero(t, v) for t, v in zip(tangents, self.operands, strict=True)])]
            case Linear.EACH:
                args = [Array(v) for v in self.operands]
                terms = [self.again([*args[:k], t, *args[k + 1 :]]) for k, t in enumerate(tangents) if t is not None]
                return [add_all(terms)]
            case _:
                return [self.tangent(tangents)]

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        raise CompileError(f"{self.name} has no derivative rule", self.location)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        """Cotangents of the operands that `linear` names, from the result's."""
        raise CompileError(f"{self.name} has no transpose rule", self.location)

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        """The op over a new leading dimension of the operands that `flags` name (at least one)."""
        raise CompileError(f"{self.name} has no batching rule", self.location)

    # Derived.

    def again(self, args: Sequence[Array]) -> Array:
        """The same op on other operands."""
        return bind(type(self), *args, **self.properties)

    @property
    def tolerance(self) -> Tolerance:
        """This op's own; most have their class's."""
        return self.TOLERANCE

    @property
    def type(self) -> Type:
        """The result's type."""
        return self.results[0].type  # pyright: ignore[reportReturnType]

    @property
    def dims(self) -> DimMap:
        return self.dim_map([shape_of(v.type) for v in self.operands], self.properties)

    def cost(self) -> Cost:
        shapes, out = [shape_of(v.type) for v in self.operands], shape_of(self.type)
        return Cost(self.dims.points(shapes, out) * self.FLOPS, self.dims.accesses(shapes, out))

    def statement(self) -> str:
        call = self.name.removeprefix("nd.") + "(" + ", ".join(["{}"] * len(self.operands)) + ")"
        return self.dims.statement(self.ELEMENT or call)


def one_dtype(cls: type[NdOp], types: Sequence[Type]) -> Attribute:
    """The common element type of the operands, which must be one that the op takes."""
    if not types:
        raise ValueError("expected at least one operand, found none")
    dtype = types[0].element_type
    for k, t in enumerate(types):
        if t.element_type != dtype:
            raise ValueError(f"expected operands of one element type, found {dtype} and {t.element_type} (operand {k})")
    if not takes(cls.DTYPES, dtype):
        raise ValueError(f"expected elements of {described(cls.DTYPES)}, found {types[0]}; convert it first")
    return dtype


class _FastOperand(BeforeVariadicSingleAccessor):
    """xDSL's accessor takes 6 us for each `op.x`; this one 0.2."""

    def __get__(self, obj: Any, objtype: Any = None) -> Any:
        return obj._operands[self.idx]


class _FastResult(BeforeVariadicSingleAccessor):
    def __get__(self, obj: Any, objtype: Any = None) -> Any:
        return obj.results[self.idx]


def _fast_accessors(cls: type[NdOp]) -> None:
    fast = {VarIRConstruct.OPERAND: _FastOperand, VarIRConstruct.RESULT: _FastResult}
    for name, a in list(cls.__dict__.items()):
        if type(a) is BeforeVariadicSingleAccessor and a.construct in fast:
            setattr(cls, name, fast[a.construct](a.construct, a.idx))


def _check_type_first(cls: type[NdOp]) -> None:
    """Inference knows better than xDSL's type constraints what was expected, so it speaks first."""
    structure = cls.verify_

    def verify_(self: NdOp) -> None:
        failed: Exception | None = None
        try:
            self.check_type()
        except VerifyException:
            raise
        except Exception as error:  # an operand or property is missing: the next check says which
            failed = error
        structure(self)
        if failed is not None:
            raise VerifyException(f"{self.name}: malformed: {failed}") from failed

    cls.verify_ = verify_


def format_when_used(cls: type[IRDLOperation], text: str) -> None:
    """xDSL compiles an assembly format when its class is defined; a program prints and parses few of them."""

    @cache
    def program() -> FormatProgram:
        from xdsl.irdl.declarative_assembly_format import FormatProgram

        return FormatProgram.from_str(text, cls.get_irdl_definition())

    def parse(cls: type[IRDLOperation], parser: Parser) -> IRDLOperation:
        return program().parse(parser, cls)

    def print_(self: IRDLOperation, printer: Printer) -> None:
        program().print(printer, self)

    cls.assembly_format = text
    cls.parse = classmethod(parse)  # pyright: ignore[reportAttributeAccessIssue]
    cls.print = print_


OPS: dict[str, type[NdOp]] = {}
"""Every op, by its name without `nd.`; families fill it when `dialect` imports them."""

C = TypeVar("C", bound=NdOp)


def op(
    name: str,
    *,
    linear: Linear = Linear.NO,
    tolerance: Tolerance | None = None,
    flops: int | None = None,
    element: str = "",
    dtypes: Sequence[Attribute] = NUMERIC,
) -> Callable[[type[C]], type[C]]:
    """Define `nd.<name>` and put it into the registry."""

    def define(cls: type[C]) -> type[C]:
        cls.name = "nd." + name
        text, cls.assembly_format = cls.assembly_format, None
        cls = irdl_op_definition(cls)
        if text is not None:
            format_when_used(cls, text)
        cls.LINEAR = linear  # after xDSL has looked at the class: it refuses plain class attributes
        cls.DTYPES = dtypes
        if tolerance is not None:
            cls.TOLERANCE = tolerance
        if flops is not None:
            cls.FLOPS = flops
        if element:
            cls.ELEMENT = element
        _fast_accessors(cls)
        _check_type_first(cls)
        OPS[name] = cls
        return cls

    return define


# Building.


def bind(cls: type[NdOp], *args: Array, **props: Attribute) -> Array:
    """Build one op with one result; 3x faster than the class's constructor."""
    values = [a.value for a in args]
    try:
        result = cls.infer([v.type for v in values], props)  # pyright: ignore[reportArgumentType]
    except ValueError as e:
        raise CompileError(f"{cls.name}: {e}", here()) from None
    new = cls.create(operands=values, result_types=[result], properties=props, location=here())
    insert(new)
    return Array(new.results[0])


# The sizes of symbols while a reference runs.

_sizes: list[Mapping[str, int]] = [{}]


@contextmanager
def sizes(symbols: Mapping[str, int]) -> Generator[None]:
    _sizes.append(symbols)
    try:
        yield
    finally:
        _sizes.pop()


def number(d: Dim) -> int:
    """The value of a dimension at run time."""
    return d if isinstance(d, int) else evaluate(d, _sizes[-1])


def numbers(t: Attribute) -> tuple[int, ...]:
    """The shape of a type at run time."""
    return tuple(number(d) for d in shape_of(t))


# Helpers of rules.


def zeros_like(x: Array) -> Array:
    from .constant import full

    return full(0, x.type)


def tangent_or_zero(t: Array | None, v: SSAValue) -> Array:
    """The tangent of an operand, or zeros; an operand that can have none (integers) stays itself."""
    if t is not None:
        return t
    return zeros_like(Array(v)) if is_float(v.type) else Array(v)


def expand(x: Array, size: Dim) -> Array:
    """A new leading dimension by replication."""
    from .movement import broadcast_to

    return broadcast_to(x, (size, *x.shape))


def add_all(terms: Sequence[Array]) -> Array:
    from .elementwise import Add

    out = terms[0]
    for t in terms[1:]:
        out = bind(Add, out, t)
    return out


__all__ = [
    "EXACT",
    "OPS",
    "Array",
    "Cost",
    "Linear",
    "NdOp",
    "Partial",
    "Place",
    "Props",
    "Tolerance",
    "add_all",
    "bind",
    "building",
    "element",
    "expand",
    "format_when_used",
    "here",
    "insert",
    "locate",
    "number",
    "numbers",
    "one_dtype",
    "op",
    "open_places",
    "place",
    "sizes",
    "tangent_or_zero",
    "zeros_like",
]

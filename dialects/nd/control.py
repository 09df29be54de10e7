"""Control flow: `nd.if`, `nd.while`, `nd.scan`, ops with regions that are functions.

    %r, %s = nd.if %p (%a = %x, %b = %y) -> (tensor<4xf32>, tensor<f32>) {
      ...
      nd.yield %u, %v : tensor<4xf32>, tensor<f32>
    } else {
      ...
    }
    %i, %x = nd.while (%w = %w0) carry (%i = %i0, %x = %x0) -> (tensor<i64>, tensor<4xf32>) {
      ...
      nd.yield %p : tensor<i1>
    } do {
      ...
      nd.yield %i1, %x1 : tensor<i64>, tensor<4xf32>
    }
    %c, %ys = nd.scan 16 reverse (%w = %w0) carry (%c = %c0) each (%x = %xs) -> (tensor<4xf32>, tensor<16x4xf32>) {
      ...
      nd.yield %c1, %y : tensor<4xf32>, tensor<4xf32>
    }

Invariants: a region reads nothing but its arguments, so that every pass treats it as a function. Both regions of an op
have the same arguments: invariants, then carried values (while, scan), then one slice of each sequence (scan). What a
loop carries keeps its type. A scan runs `length` times, a number or an expression of the function's symbols; its
results are the last carried values, then the slices that the trips yielded, stacked in a new leading dimension; with
`reverse` the trips run from the last slice to the first, and a slice stacks where the trip read. The effects of an op
are those inside its regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import DenseArrayBase, LocationAttr, TensorType, UnitAttr, i1, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from ..syntax import parse_operand
from .array import Array
from .attributes import DimsAttr, dims_attr, parse_dim
from .dims import Dim, show
from .op import building, here, insert
from .region_op import Control as Control
from .region_op import Yield as Yield
from .region_op import check_types, types_of
from .region_op import slice_type as slice_type
from .region_op import yields as yields
from .types import Type, is_tensor, shape_of, tensor

CONDITION = tensor((), i1)


def stack_type(t: Attribute, length: Dim) -> Type:
    """`length` slices in one."""
    assert is_tensor(t)
    return tensor((length, *shape_of(t)), t.element_type)


# The ops.


@irdl_op_definition
class If(Control):
    """`nd.if %p (%a = %x) -> (types) { ... } else { ... }`: runs the first region if %p is true, else the second.

    Both take the same arguments and yield the results."""

    name = "nd.if"
    predicate = operand_def(TensorType)
    args = var_operand_def(TensorType)
    then = region_def("single_block")
    orelse = region_def("single_block")
    res = var_result_def(TensorType)
    traits = traits_def(IsolatedFromAbove(), RecursiveMemoryEffect())

    @property
    def invariants(self) -> Sequence[SSAValue]:
        return self.operands[1:]

    @property
    def groups(self) -> list[list[SSAValue]]:
        return [list(self.operands[1:])]

    @property
    def block(self) -> Block:
        return self.regions[0].block

    def argument_types(self) -> list[Attribute]:
        return types_of(self.operands[1:])

    def print_head(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])

    @classmethod
    def parse(cls, parser: Parser) -> If:
        predicate = parse_operand(parser)
        (args,), parts = cls.parse_parts(parser)
        return cls.create(operands=[predicate, *args], **parts)

    def verify_results(self) -> None:
        if (t := self.operands[0].type) != CONDITION:
            raise VerifyException(f"nd.if: expected a predicate of type {CONDITION}, found {t}")
        for word, region in zip(("first", "else"), self.regions, strict=True):
            check_types(self.name, f"what region `{word}` yields", self.result_types, types_of(yields(region.block)))


@irdl_op_definition
class While(Control):
    """`nd.while (%w = %w0) carry (%c = %c0) -> (types) { ... } do { ... }`: runs the second region as long as the first
    one yields true.

    Both take the invariants and what is carried; the second one yields what is carried next."""

    name = "nd.while"
    invariants = var_operand_def(TensorType)
    inits = var_operand_def(TensorType)
    condition = region_def("single_block")
    body = region_def("single_block")
    res = var_result_def(TensorType)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsolatedFromAbove(), RecursiveMemoryEffect())

    @property
    def groups(self) -> list[list[SSAValue]]:
        return [list(self.invariants), list(self.inits)]

    def argument_types(self) -> list[Attribute]:
        return types_of(self.operands)

    @classmethod
    def parse(cls, parser: Parser) -> While:
        groups, parts = cls.parse_parts(parser)
        return cls.create(operands=[v for g in groups for v in g], properties=segments(*groups), **parts)

    def verify_results(self) -> None:
        condition = types_of(yields(self.condition.block))
        check_types(self.name, "what the condition yields", [CONDITION], condition)
        inits = types_of(self.inits)
        check_types(self.name, "what the body yields", inits, types_of(yields(self.body.block)))
        check_types(self.name, "the results", inits, self.result_types)


@irdl_op_definition
class Scan(Control):
    """`nd.scan 16 reverse (%w = %w0) carry (%c = %c0) each (%x = %xs) -> (types) { ... }`: runs its region 16 times.

    A trip sees one slice of each sequence, from the first to the last, or from the last with `reverse`.

    The region yields what is carried next, then slices, which are stacked. The results are what is carried at the end,
    then the stacks."""

    name = "nd.scan"
    invariants = var_operand_def(TensorType)
    inits = var_operand_def(TensorType)
    sequences = var_operand_def(TensorType)
    trips = prop_def(DimsAttr, prop_name="length")
    backwards = opt_prop_def(UnitAttr, prop_name="reverse")
    body = region_def("single_block")
    res = var_result_def(TensorType)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsolatedFromAbove(), RecursiveMemoryEffect())

    @property
    def length(self) -> Dim:
        return self.trips.data[0]

    @property
    def reverse(self) -> bool:
        return self.backwards is not None

    @property
    def carried(self) -> Sequence[SSAValue]:
        """The results that are the last carried values."""
        return self.results[: len(self.inits)]

    @property
    def stacked(self) -> Sequence[SSAValue]:
        """The results that hold one slice for each trip."""
        return self.results[len(self.inits) :]

    @property
    def groups(self) -> list[list[SSAValue]]:
        return [list(self.invariants), list(self.inits), list(self.sequences)]

    def argument_types(self) -> list[Attribute]:
        for v in self.sequences:
            if (shape := shape_of(v.type))[:1] != (self.length,):
                found = f"of shape {show(shape)}" if shape else "without dimensions"
                raise VerifyException(f"nd.scan: expected sequences of length {self.length}, found one {found}")
        slices: list[Attribute] = [slice_type(v.type) for v in self.sequences]
        return types_of([*self.invariants, *self.inits]) + slices

    def print_head(self, printer: Printer) -> None:
        printer.print_string(f" {self.length}" + (" reverse" if self.reverse else ""))

    @classmethod
    def parse(cls, parser: Parser) -> Scan:
        length = parse_dim(parser)
        reverse = parser.parse_optional_keyword("reverse") is not None
        groups, parts = cls.parse_parts(parser)
        properties = _scan_properties(length, reverse, groups)
        return cls.create(operands=[v for g in groups for v in g], properties=properties, **parts)

    def verify_results(self) -> None:
        if len(self.trips.data) != 1:
            raise VerifyException(f"nd.scan: expected one length, found {len(self.trips.data)}")
        if isinstance(self.length, int) and self.length < 0:
            raise VerifyException(f"nd.scan: expected a length of at least 0, found {self.length}")
        count, types = len(self.inits), types_of(yields(self.body.block))
        if len(types) < count:
            raise VerifyException(f"nd.scan: expected the body to yield {count} carried values, found {len(types)}")
        check_types(self.name, "the carried values that the body yields", types_of(self.inits), types[:count])
        stacks: list[Attribute] = [stack_type(t, self.length) for t in types[count:]]
        check_types(self.name, "the results", [*types[:count], *stacks], self.result_types)


def segments(*groups: Sequence[Any]) -> dict[str, Attribute]:
    """The property that says where a group of operands ends."""
    return {"operandSegmentSizes": DenseArrayBase.from_list(i32, [len(g) for g in groups])}


def _scan_properties(length: Dim, reverse: bool, groups: Sequence[Sequence[Any]]) -> dict[str, Attribute]:
    return {
        "length": dims_attr((length,)),
        **segments(*groups),
        **({"reverse": UnitAttr()} if reverse else {}),
    }


# Building at the current place.


def region(
    fn: Callable[..., Sequence[Array]], types: Sequence[Attribute], location: LocationAttr | None = None
) -> Block:
    """Run `fn` on arguments of these types; the block's ops are what it did, and it ends in nd.yield."""
    block = Block(arg_types=types)
    with building(block, location):
        yield_(fn(*map(Array, block.args)))
    return block


def yield_(values: Sequence[Array]) -> None:
    """End the current region."""
    insert(Yield.create(operands=[v.value for v in values], location=here()))


def _insert(new: Operation) -> list[Array]:
    return [Array(v) for v in insert(new).results]


def _values(*groups: Sequence[Array]) -> list[SSAValue]:
    return [a.value for g in groups for a in g]


def if_(predicate: Array, invariants: Sequence[Array], then: Block, orelse: Block) -> list[Array]:
    """`nd.if` of two regions that take the invariants."""
    return _insert(
        If.create(
            operands=_values([predicate], invariants),
            result_types=types_of(yields(then)),
            regions=[Region(then), Region(orelse)],
            location=here(),
        )
    )


def while_(invariants: Sequence[Array], inits: Sequence[Array], condition: Block, body: Block) -> list[Array]:
    """`nd.while` of two regions that take invariants and carried values."""
    return _insert(
        While.create(
            operands=_values(invariants, inits),
            result_types=[a.type for a in inits],
            properties=segments(invariants, inits),
            regions=[Region(condition), Region(body)],
            location=here(),
        )
    )


def scan(
    length: Dim,
    invariants: Sequence[Array],
    inits: Sequence[Array],
    sequences: Sequence[Array],
    body: Block,
    reverse: bool = False,
) -> list[Array]:
    """`nd.scan` of a region that takes invariants, carried values and slices; carried results, then stacked ones."""
    types, count = types_of(yields(body)), len(inits)
    return _insert(
        Scan.create(
            operands=_values(invariants, inits, sequences),
            result_types=[*types[:count], *(stack_type(t, length) for t in types[count:])],
            properties=_scan_properties(length, reverse, (invariants, inits, sequences)),
            regions=[Region(body)],
            location=here(),
        )
    )


CONTROL = (If, While, Scan, Yield)

If.WORDS = ("", "else")  # after xDSL has looked at the classes: it refuses plain class attributes
While.WORDS = ("", "do")
While.GROUPS = ("", "carry")
Scan.GROUPS = ("", "carry", "each")

"""The `loop` dialect: kernels as pure statements of index notation on tensors.

    loop.size b = %A, 0
    %acc = loop.stage mm [i: 6, j: vec 64, k: 256] (%a = %A[i + i0, k], %b = %B[k, j]) -> add [i, j] { ... }
    %C = loop.for i0 = b step 6 clamp -> [i0, 0] { ... loop.yield %tile : tensor<6x64xf32> }
    %s = loop.for k0 = 256 step 64 with (%m = %init) -> carry [0] { ... loop.yield %next : tensor<1xf32> }
    %P = loop.join (%zero at [0, 0], %x at [1, 2 * d1 + 1]) : tensor<10x17xf32>
    %y = loop.if b >= 6 { ... } else { ... }

Every result is a new value: nothing is written in place, so there are no hazards to prove. Result types follow from
the domains and are never written. A step that changes a domain calls `retype`.
"""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, IndexType, LocationAttr, NoneAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure

from ..nd.dims import Dim, symbol
from ..nd.types import parse_dim, shape_of, tensor
from .attributes import (
    CARRY,
    KINDS,
    AccessAttr,
    Axis,
    DomainAttr,
    ExtentAttr,
    Target,
    TargetAttr,
    access_text,
    domain_text,
    parse_access,
    parse_domain,
    parse_form,
    parse_target,
    target_text,
)
from .linear import Access, Linear

INDEX = IndexType()
Tensor = TensorType[Attribute]


def element_of(value: SSAValue) -> Attribute:
    return cast(Tensor, value.type).element_type


def shape(value: SSAValue) -> tuple[Dim, ...]:
    return shape_of(cast(Tensor, value.type))


def _print_targets(printer: Printer, targets: ArrayAttr[TargetAttr]) -> None:
    if targets.data:
        printer.print_string(" -> ")
        printer.print_list(targets.data, lambda t: printer.print_string(target_text(t.data)))


def _parse_targets(parser: Parser) -> list[Target]:
    if not parser.parse_optional_punctuation("->"):
        return []
    return parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_target(parser))


def _parse_body(parser: Parser, args: Sequence[Parser.Argument], count: int) -> Region:
    """A region of one block that ends in `loop.yield` of as many values as there are results."""
    start = parser.pos
    region = parser.parse_region(args)
    last = region.block.last_op if len(region.blocks) == 1 else None
    if not isinstance(last, YieldOp):
        parser.raise_error("expected one block that ends in loop.yield", start)
    if len(last.args) != count:
        parser.raise_error(f"expected {count} yielded values, one for each result, found {len(last.args)}", start)
    return region


def _parse_operand(parser: Parser) -> SSAValue:
    """A tensor that is defined above; its type follows from there."""
    operand = parser.parse_unresolved_operand("expected a tensor")
    values = parser.ssa_values.get(operand.operand_name, ())
    if operand.index >= len(values):
        parser.raise_error(f"expected a value defined above, found %{operand.operand_name}", operand.span)
    value = values[operand.index]
    if not isinstance(value.type, TensorType):
        parser.raise_error(f"expected a tensor, found {value.type}", operand.span)
    return value


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends every region of the dialect: a stage yields elements, a loop or a version tensors."""

    name = "loop.yield"
    args = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($args^ `:` type($args))? attr-dict"


class Scoped(IRDLOperation):
    """Shared by stages and loops: results formed by targets from what one body yields."""

    targets = prop_def(ArrayAttr[TargetAttr])
    body = region_def("single_block")
    res = var_result_def(TensorType)

    def target(self, k: int) -> Target:
        return self.targets.data[k].data

    def set_targets(self, targets: Sequence[Target]) -> None:
        self.properties["targets"] = ArrayAttr([TargetAttr(t) for t in targets])

    @property
    def terminator(self) -> Operation:
        op = self.body.block.last_op
        assert op is not None
        return op

    def infer_types(self) -> list[Tensor]:
        raise NotImplementedError

    def retype(self) -> None:
        """Recompute the result types after a step changed extents or accesses."""
        for result, new in zip(self.results, self.infer_types()):
            cast(Any, result)._type = new


@irdl_op_definition
class StageOp(Scoped):
    """One statement of index notation: for each point of the domain, `result[access] (combiner)= body(reads)`."""

    name = "loop.stage"
    ins = var_operand_def(TensorType)
    label = prop_def(StringAttr)
    domain = prop_def(DomainAttr)
    accesses = prop_def(ArrayAttr[AccessAttr])
    traits = traits_def(Pure())

    @staticmethod
    def make(
        label: str,
        axes: Sequence[Axis],
        reads: Sequence[tuple[SSAValue, Access]],
        targets: Sequence[Target],
        body: Region,
        location: LocationAttr | None = None,
    ) -> StageOp:
        op = StageOp.create(
            operands=[v for v, _ in reads],
            result_types=[NoneAttr()] * len(targets),
            regions=[body],
            properties={
                "label": StringAttr(label),
                "domain": DomainAttr(tuple(axes)),
                "accesses": ArrayAttr([AccessAttr(a) for _, a in reads]),
                "targets": ArrayAttr([TargetAttr(t) for t in targets]),
            },
            location=location,
        )
        op.retype()
        return op

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.domain.data

    def extent(self, axis: str) -> Dim | None:
        return next((a.extent for a in self.axes if a.name == axis), None)

    def reads(self) -> list[tuple[SSAValue, Access]]:
        return [(v, a.data) for v, a in zip(self.ins, self.accesses.data)]

    def set_axes(self, axes: Sequence[Axis]) -> None:
        self.properties["domain"] = DomainAttr(tuple(axes))

    def set_reads(self, accesses: Sequence[Access]) -> None:
        self.properties["accesses"] = ArrayAttr([AccessAttr(a) for a in accesses])

    def index_ops(self) -> Iterator[IndexOp]:
        return (op for op in self.body.block.ops if isinstance(op, IndexOp))

    def infer_types(self) -> list[Tensor]:
        extents = {a.name: a.extent for a in self.axes}
        return [
            tensor(tuple(_span(form, extents) for form in t.data.access), v.type)
            for v, t in zip(self.terminator.operands, self.targets.data)
        ]

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.label.data} {domain_text(self.axes)} (")

        def read(item: tuple[SSAValue, SSAValue, AccessAttr]) -> None:
            printer.print_ssa_value(item[0])
            printer.print_string(" = ")
            printer.print_ssa_value(item[1])
            printer.print_string(access_text(item[2].data))

        printer.print_list(zip(self.body.block.args, self.ins, self.accesses.data), read)
        printer.print_string(")")
        _print_targets(printer, self.targets)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> StageOp:
        label = parser.parse_identifier("expected the stage's label")
        axes = parse_domain(parser)
        args: list[Parser.Argument] = []
        reads: list[tuple[SSAValue, Access]] = []

        def read() -> None:
            arg = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            value = _parse_operand(parser)
            reads.append((value, parse_access(parser)))
            args.append(parser.Argument(arg.name, element_of(value)))

        parser.parse_comma_separated_list(parser.Delimiter.PAREN, read)
        start = parser.pos
        targets = _parse_targets(parser)
        bound = {a.name for a in axes}
        for name in (n for t in targets for form in t.access for n in form.names if n not in bound):
            parser.raise_error(f"stage {label}: expected a result index over its own axes, found {name}", start)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = StageOp.make(label, axes, reads, targets, _parse_body(parser, args, len(targets)))
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_stage

        verify_stage(self)


def _span(form: Linear, extents: dict[str, Dim]) -> Dim:
    """How many elements a result dimension has whose index is `form`."""
    if any(extents[n] == 0 for n in form.names):
        return 0
    return form.range(extents)[1] + 1


@irdl_op_definition
class ForOp(Scoped):
    """Binds `axis` to 0, step, 2 step ...; a loop places, combines or carries what its body yields.

    With `clamp` the last iteration starts at `extent - step`: its tile overlaps the one before. The body's arguments
    are the carried values, in order of the `carry` results.
    """

    name = "loop.for"
    inits = var_operand_def(TensorType)
    axis = prop_def(StringAttr)
    extent = prop_def(ExtentAttr)
    step = prop_def(ExtentAttr)
    clamp = prop_def(ExtentAttr)
    kind = prop_def(StringAttr)
    traits = traits_def(Pure())

    @staticmethod
    def make(
        axis: str,
        extent: Dim,
        step: int,
        clamp: bool,
        kind: str,
        targets: Sequence[Target],
        body: Region,
        inits: Sequence[SSAValue] = (),
        location: LocationAttr | None = None,
    ) -> ForOp:
        op = ForOp.create(
            operands=inits,
            result_types=[NoneAttr()] * len(targets),
            regions=[body],
            properties={
                "axis": StringAttr(axis),
                "extent": ExtentAttr(extent),
                "step": ExtentAttr(step),
                "clamp": ExtentAttr(int(clamp)),
                "kind": StringAttr(kind),
                "targets": ArrayAttr([TargetAttr(t) for t in targets]),
            },
            location=location,
        )
        op.retype()
        return op

    @property
    def stride(self) -> int:
        """The step as an integer."""
        step = self.step.data
        assert isinstance(step, int)
        return step

    @property
    def clamped(self) -> bool:
        return bool(self.clamp.data)

    def infer_types(self) -> list[Tensor]:
        extent, axis = self.extent.data, self.axis.data
        covered = extent if self.clamped else extent // self.stride * self.stride

        def size(form: Linear, tile: Dim) -> Dim:
            return covered * form.coef(axis) if form.terms else tile

        return [
            tensor(tuple(size(f, t) for f, t in zip(target.data.access, shape(v))), element_of(v))
            for v, target in zip(self.terminator.operands, self.targets.data)
        ]

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.axis.data} = {self.extent.data}")
        if self.stride != 1 or self.clamped:
            printer.print_string(f" step {self.stride}{' clamp' if self.clamped else ''}")
        if self.kind.data:
            printer.print_string(f" {self.kind.data}")
        if self.inits:
            printer.print_string(" with (")

            def init(item: tuple[SSAValue, SSAValue]) -> None:
                printer.print_ssa_value(item[0])
                printer.print_string(" = ")
                printer.print_ssa_value(item[1])

            printer.print_list(zip(self.body.block.args, self.inits), init)
            printer.print_string(")")
        _print_targets(printer, self.targets)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> ForOp:
        axis = parser.parse_identifier("expected the loop's axis")
        parser.parse_punctuation("=")
        extent = parse_dim(parser)
        start = parser.pos
        step = parser.parse_integer(allow_boolean=False) if parser.parse_optional_keyword("step") else 1
        if step < 1:
            parser.raise_error(f"loop {axis}: expected a step of at least 1, found {step}", start)
        clamp = parser.parse_optional_keyword("clamp") is not None
        kind = next((k for k in KINDS if parser.parse_optional_keyword(k)), "")
        args: list[Parser.Argument] = []
        inits: list[SSAValue] = []

        def init() -> None:
            arg = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            inits.append(_parse_operand(parser))
            args.append(parser.Argument(arg.name, inits[-1].type))

        if parser.parse_optional_keyword("with"):
            parser.parse_comma_separated_list(parser.Delimiter.PAREN, init)
        start = parser.pos
        targets = _parse_targets(parser)
        if (count := sum(t.mode == CARRY for t in targets)) != len(inits):
            parser.raise_error(
                f"loop {axis}: expected {len(inits)} carry results, one for each init, found {count}", start
            )
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = ForOp.make(axis, extent, step, clamp, kind, targets, _parse_body(parser, args, len(targets)), inits)
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_for

        verify_for(self)


@irdl_op_definition
class JoinOp(IRDLOperation):
    """`%r = loop.join (%a at [0, 0], %b at [1, 2 * d1 + 1]) : tensor<..>`: pieces, a later one over an earlier.

    Index `c` places a piece's dimension from `c` on; `s * dN + c` puts its element `dN` at `s * dN + c`.
    """

    name = "loop.join"
    pieces = var_operand_def(TensorType)
    offsets = prop_def(ArrayAttr[AccessAttr])
    res = result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(
        pieces: Sequence[tuple[SSAValue, Access]], result: Attribute, location: LocationAttr | None = None
    ) -> JoinOp:
        return JoinOp.create(
            operands=[v for v, _ in pieces],
            result_types=[result],
            properties={"offsets": ArrayAttr([AccessAttr(a) for _, a in pieces])},
            location=location,
        )

    def placement(self, k: int) -> list[tuple[Dim, int]]:
        """Offset and stride of piece `k` in each dimension."""
        return [(f.const, f.terms[0][1] if f.terms else 1) for f in self.offsets.data[k].data]

    def print(self, printer: Printer) -> None:
        def piece(item: tuple[SSAValue, AccessAttr]) -> None:
            printer.print_ssa_value(item[0])
            printer.print_string(f" at {access_text(item[1].data)}")

        printer.print_string(" (")
        printer.print_list(zip(self.pieces, self.offsets.data), piece)
        printer.print_string(")")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" : ")
        printer.print_attribute(self.res.type)

    @classmethod
    def parse(cls, parser: Parser) -> JoinOp:
        def piece() -> tuple[SSAValue, Access]:
            value = _parse_operand(parser)
            parser.parse_keyword("at")
            return value, parse_access(parser)

        pieces = parser.parse_comma_separated_list(parser.Delimiter.PAREN, piece)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        parser.parse_punctuation(":")
        op = JoinOp.make(pieces, parser.parse_type())
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_join

        verify_join(self)


@irdl_op_definition
class SizeOp(IRDLOperation):
    """`loop.size b = %A, 0`: names a run-time extent; stands in the function's body before every use of the symbol."""

    name = "loop.size"
    symbol = prop_def(StringAttr)
    of = operand_def(TensorType)
    dim = prop_def(ExtentAttr)

    @staticmethod
    def make(name: str, of: SSAValue, dim: int, location: LocationAttr | None = None) -> SizeOp:
        properties = {"symbol": StringAttr(name), "dim": ExtentAttr(dim)}
        return SizeOp.create(operands=[of], properties=properties, location=location)

    @property
    def dimension(self) -> int:
        dim = self.dim.data
        assert isinstance(dim, int)
        return dim

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.symbol.data} = ")
        printer.print_ssa_value(self.of)
        printer.print_string(f", {self.dimension}")

    @classmethod
    def parse(cls, parser: Parser) -> SizeOp:
        name = parser.parse_identifier("expected a symbol")
        parser.parse_punctuation("=")
        value = _parse_operand(parser)
        parser.parse_punctuation(",")
        return SizeOp.make(name, value, parser.parse_integer(allow_boolean=False, allow_negative=False))

    def verify_(self) -> None:
        from .verify import fail

        dims = shape(self.of)
        if self.dimension >= len(dims):
            fail(self, f"size {self.symbol.data}: expected a dimension below {len(dims)}, found {self.dimension}")
        if dims[self.dimension] != symbol(self.symbol.data):
            fail(self, f"size {self.symbol.data}: expected a dimension of that name, found {dims[self.dimension]}")


@irdl_op_definition
class IfOp(IRDLOperation):
    """`%r = loop.if b >= 6 { ... } else { ... }`: two versions of the same values, chosen by a run-time extent."""

    name = "loop.if"
    extent = prop_def(ExtentAttr)
    least = prop_def(ExtentAttr)
    then = region_def("single_block")
    other = region_def("single_block")
    res = var_result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(extent: Dim, least: int, then: Region, other: Region, location: LocationAttr | None = None) -> IfOp:
        last = then.block.last_op
        assert last is not None
        properties = {"extent": ExtentAttr(extent), "least": ExtentAttr(least)}
        types = [v.type for v in last.operands]
        return IfOp.create(result_types=types, regions=[then, other], properties=properties, location=location)

    @property
    def threshold(self) -> int:
        least = self.least.data
        assert isinstance(least, int)
        return least

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.extent.data} >= {self.threshold} ")
        printer.print_region(self.then)
        printer.print_string(" else ")
        printer.print_region(self.other)

    @classmethod
    def parse(cls, parser: Parser) -> IfOp:
        extent = parse_dim(parser)
        parser.parse_punctuation(">")
        parser.parse_punctuation("=")
        least = parser.parse_integer(allow_boolean=False, allow_negative=False)
        start = parser.pos
        then = parser.parse_region()
        parser.parse_keyword("else")
        other = parser.parse_region()
        for region in (then, other):
            if len(region.blocks) != 1 or not isinstance(region.block.last_op, YieldOp):
                parser.raise_error("expected one block that ends in loop.yield", start)
        return IfOp.make(extent, least, then, other)

    def verify_(self) -> None:
        from .verify import verify_if

        verify_if(self)


@irdl_op_definition
class IndexOp(IRDLOperation):
    """`%c = loop.index i + i0 : index` in a stage's body: a coordinate of the point, as a linear form over axes."""

    name = "loop.index"
    form = prop_def(AccessAttr)
    res = result_def(IndexType)
    traits = traits_def(Pure())

    @staticmethod
    def make(form: Linear, location: LocationAttr | None = None) -> IndexOp:
        return IndexOp.create(result_types=[INDEX], properties={"form": AccessAttr((form,))}, location=location)

    @property
    def linear(self) -> Linear:
        return self.form.data[0]

    def set_linear(self, form: Linear) -> None:
        self.properties["form"] = AccessAttr((form,))

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.linear} : index")

    @classmethod
    def parse(cls, parser: Parser) -> IndexOp:
        form = parse_form(parser)
        parser.parse_punctuation(":")
        parser.parse_keyword("index")
        return IndexOp.make(form)

    def verify_(self) -> None:
        from .verify import verify_index

        verify_index(self)


Loop = Dialect(
    "loop",
    [StageOp, ForOp, JoinOp, SizeOp, IfOp, IndexOp, YieldOp],
    [DomainAttr, AccessAttr, TargetAttr, ExtentAttr],
)

"""What holds stages together: `loop.for` places or combines, `loop.if` chooses, `loop.join` lays pieces side by side,
`loop.size` names a run-time size.
"""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, LocationAttr, NoneAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..nd.attributes import parse_dim
from ..nd.dims import Dim, affine
from ..nd.types import tensor
from ..syntax import parse_operand
from .attributes import (
    CARRY,
    KINDS,
    AccessAttr,
    ExtentAttr,
    Target,
    TargetAttr,
    access_text,
    parse_access,
    parse_form,
)
from .linear import Access, Linear
from .scoped import (
    Scoped,
    Tensor,
    YieldOp,
    element_of,
    parse_body,
    parse_targets,
    print_targets,
    shape,
)


@irdl_op_definition
class ForOp(Scoped):
    """Binds `axis` to 0, step, 2 step ...; a loop places, combines or carries what its body yields.

    With `clamp` the last iteration starts at `extent - step`: its tile overlaps the one before. The body's arguments
    are the carried values, in order of the `carry` results. A result at `-axis + (extent - 1)` is placed from its end.

        loop.for k0 = 512 step 32 while i0 - k0 + 12 > 0 -> [0, k0] {..}

    `while` leaves out the iterations from the first on (not clamped) at which the form, which falls along the axis, is
    not positive. What they would have placed is not there, and no one reads it.
    """

    name = "loop.for"
    inits = var_operand_def(TensorType)
    axis = prop_def(StringAttr)
    extent = prop_def(ExtentAttr)
    step = prop_def(ExtentAttr)
    clamp = prop_def(ExtentAttr)
    kind = prop_def(StringAttr)
    bound = opt_prop_def(AccessAttr)
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
        bound: Linear | None = None,
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
        if bound is not None:
            op.properties["bound"] = AccessAttr((bound,))
        op.retype()
        return op

    @property
    def while_positive(self) -> Linear | None:
        """The form that is positive in every iteration that is not left out."""
        return self.bound.data[0] if self.bound is not None else None

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
            return covered * abs(form.coef(axis)) if form.terms else tile

        return [
            tensor(tuple(size(f, t) for f, t in zip(target.data.access, shape(v))), element_of(v))
            for v, target in zip(self.terminator.operands, self.targets.data)
        ]

    def retype(self) -> None:
        """Also what the body takes for the carried values."""
        for arg, init in zip(self.body.block.args, self.inits):
            cast(Any, arg)._type = init.type
        super().retype()

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.axis.data} = {self.extent.data}")
        if self.stride != 1 or self.clamped:
            printer.print_string(f" step {self.stride}{' clamp' if self.clamped else ''}")
        if self.kind.data:
            printer.print_string(f" {self.kind.data}")
        if self.while_positive is not None:
            printer.print_string(f" while {self.while_positive} > 0")
        if self.inits:
            printer.print_string(" with (")

            def init(item: tuple[SSAValue, SSAValue]) -> None:
                printer.print_ssa_value(item[0])
                printer.print_string(" = ")
                printer.print_ssa_value(item[1])

            printer.print_list(zip(self.body.block.args, self.inits), init)
            printer.print_string(")")
        print_targets(printer, self.targets)
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
        bound: Linear | None = None
        if parser.parse_optional_keyword("while"):
            bound = parse_form(parser)
            parser.parse_punctuation(">")
            if parser.parse_integer(allow_boolean=False) != 0:
                parser.raise_error(f"loop {axis}: expected `> 0`", start)
        args: list[Parser.Argument] = []
        inits: list[SSAValue] = []

        def init() -> None:
            arg = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            inits.append(parse_operand(parser))
            args.append(parser.Argument(arg.name, inits[-1].type))

        if parser.parse_optional_keyword("with"):
            parser.parse_comma_separated_list(parser.Delimiter.PAREN, init)
        start = parser.pos
        targets = parse_targets(parser)
        if (count := sum(t.mode == CARRY for t in targets)) != len(inits):
            parser.raise_error(
                f"loop {axis}: expected {len(inits)} carry results, one for each init, found {count}", start
            )
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser, args, len(targets))
        op = ForOp.make(axis, extent, step, clamp, kind, targets, body, inits, bound=bound)
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_for

        verify_for(self)


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
            value = parse_operand(parser)
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
    """`loop.size b = %A, 0`: names a run-time extent; stands in the function's body before every use of the symbol.

    The dimension is b, or an expression such as 2*b + 1 that tells b.
    """

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

    @property
    def form(self) -> tuple[int, int]:
        """(c, k): the dimension is c*symbol + k."""
        found = affine(shape(self.of)[self.dimension], self.symbol.data)
        assert found is not None
        return found

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.symbol.data} = ")
        printer.print_ssa_value(self.of)
        printer.print_string(f", {self.dimension}")

    @classmethod
    def parse(cls, parser: Parser) -> SizeOp:
        name = parser.parse_identifier("expected a symbol")
        parser.parse_punctuation("=")
        value = parse_operand(parser)
        parser.parse_punctuation(",")
        return SizeOp.make(name, value, parser.parse_integer(allow_boolean=False, allow_negative=False))

    def verify_(self) -> None:
        from .verify import fail

        dims = shape(self.of)
        if self.dimension >= len(dims):
            fail(self, f"size {self.symbol.data}: expected a dimension below {len(dims)}, found {self.dimension}")
        if affine(dims[self.dimension], self.symbol.data) is None:
            fail(self, f"size {self.symbol.data}: expected a dimension of that name, found {dims[self.dimension]}")

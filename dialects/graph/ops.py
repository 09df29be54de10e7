"""Kernels as isolated regions, and launches of outlined kernels.

    %0 = graph.kernel "matmul_add" (%a = %x, %b = %w, %c = %bias) -> (tensor<4x8xf32>) {
      %1 = nd.contract %a, %b "a b, b c -> a c" : ...
      %2 = nd.broadcast %c "b -> a b" : ...
      %3 = nd.add %1, %2 : tensor<4x8xf32>
      graph.yield %3 : tensor<4x8xf32>
    }
    %0 = graph.launch @matmul_add(%x, %w, %bias) : (tensor<..>, tensor<..>, tensor<8xf32>) -> tensor<4x8xf32>

    %1 = graph.copy %0 {graph.places = [#graph.place<arena 64, 128>]} : tensor<4x8xf32>

    %2 = graph.prepare @matmul_pack(%w) : (tensor<64x40xf32>) -> tensor<64x40xf32>

A kernel reads nothing but its arguments. A launch names a private function of the module; after `graph-plan` its
attribute `graph.places` says where each result lives. Copies of dense rows stand where the plan needs a value in
another place. What is prepared depends on constants alone: it is computed once, before the program runs.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, SymbolRefAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
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
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure, SymbolTable
from xdsl.utils.exceptions import VerifyException

from ..nd.types import same_storage
from ..syntax import parse_operand
from .place import PLACES, Place, PlaceAttr

RESULTS = "graph.results"
"""On the program: one `#graph.view` for each result."""

ARENA = "graph.arena"
"""On the program: `#graph.size`, the bytes of the arena."""

DONATED = "mlc.donated"
"""On the program: the arguments whose buffers it may overwrite."""

WRITTEN = "mlc.written"
"""On the program, without a value: its kernels write every result, also those that view an argument."""

LEAST_MEMORY = "mlc.least_memory"
"""On the program, without a value: its kernels run in the order that needs the least memory."""

LAYOUT = "mlc.layout"
"""On an argument: its strides, where it is not dense rows."""

INPLACE = "mlc.inplace"
"""On a kernel's argument: the result that may share its buffer, so that no loop may read an element twice."""


CONSTANT = "mlc.constant"
"""On a kernel's argument, without a value: every launch gives a constant of the program, whose data never change."""


def check_places(op: Operation, where: str) -> None:
    """One place for each result, or none at all."""
    places = op.attributes.get(PLACES)
    if places is None:
        return
    if not isinstance(places, ArrayAttr) or not all(isinstance(p, PlaceAttr) for p in places.data):
        raise VerifyException(f"{where}: expected a list of #graph.place in {PLACES}, found {places}")
    if len(places.data) != len(op.results):
        raise VerifyException(
            f"{where}: expected {len(op.results)} places, one for each result, found {len(places.data)}"
        )


def donated(main: FuncOp) -> list[int]:
    """The arguments that the program may overwrite."""
    found = main.attributes.get(DONATED)
    if isinstance(found, DenseArrayBase):
        return [int(v) for v in found.get_values()]
    return [a.value.data for a in found.data if isinstance(a, IntegerAttr)] if isinstance(found, ArrayAttr) else []


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a kernel."""

    name = "graph.yield"
    args = var_operand_def(TensorType)
    traits = traits_def(IsTerminator())
    assembly_format = "($args^ `:` type($args))? attr-dict"


@irdl_op_definition
class KernelOp(IRDLOperation):
    """One fused kernel: the ops of its region are computed together."""

    name = "graph.kernel"
    args = var_operand_def(TensorType)
    label = prop_def(StringAttr)
    body = region_def("single_block")
    res = var_result_def(TensorType)
    traits = traits_def(IsolatedFromAbove(), Pure())

    @staticmethod
    def make(label: str, args: Sequence[SSAValue], body: Region, location: Attribute | None = None) -> KernelOp:
        last = body.block.last_op
        assert isinstance(last, YieldOp)
        types = [v.type for v in last.args]
        properties = {"label": StringAttr(label)}
        return KernelOp.create(
            operands=args,
            result_types=types,
            regions=[body],
            properties=properties,
            location=location,  # pyright: ignore[reportArgumentType]
        )

    @property
    def terminator(self) -> YieldOp:
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.label.data)
        printer.print_string(" (")

        def argument(item: tuple[SSAValue, SSAValue]) -> None:
            printer.print_ssa_value(item[0])
            printer.print_string(" = ")
            printer.print_ssa_value(item[1])

        printer.print_list(list(zip(self.body.block.args, self.args)), argument)
        printer.print_string(") -> (")
        printer.print_list([r.type for r in self.res], printer.print_attribute)
        printer.print_string(")")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> KernelOp:
        label = parser.parse_str_literal("the kernel's name")
        args: list[Parser.Argument] = []
        values: list[SSAValue] = []

        def argument() -> None:
            name = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            values.append(parse_operand(parser))
            args.append(parser.Argument(name.name, values[-1].type))

        parser.parse_comma_separated_list(parser.Delimiter.PAREN, argument)
        parser.parse_punctuation("->")
        types = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        start = parser.pos
        region = parser.parse_region(args)
        if len(region.blocks) != 1 or not isinstance(region.block.last_op, YieldOp):
            parser.raise_error("expected one block that ends in graph.yield", start)
        op = KernelOp.create(
            operands=values, result_types=types, regions=[region], properties={"label": StringAttr(label)}
        )
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        where = f"kernel {self.label.data}"
        block = self.body.block
        if [a.type for a in block.args] != [v.type for v in self.args]:
            found = ", ".join(str(a.type) for a in block.args)
            want = ", ".join(str(v.type) for v in self.args)
            raise VerifyException(f"{where}: expected body arguments of types {want}, found {found}")
        last = block.last_op
        if not isinstance(last, YieldOp):
            raise VerifyException(f"{where}: expected a body that ends in graph.yield")
        if [v.type for v in last.args] != [r.type for r in self.res]:
            found = ", ".join(str(v.type) for v in last.args)
            want = ", ".join(str(r.type) for r in self.res)
            raise VerifyException(f"{where}: expected yielded values of types {want}, found {found}")
        if not self.res:
            raise VerifyException(f"{where}: expected at least one result, found none")
        for op in block.ops:
            if not isinstance(op, YieldOp) and not op.name.startswith("nd."):
                raise VerifyException(f"{where}: expected ops of the nd dialect, found {op.name}")


@irdl_op_definition
class LaunchOp(IRDLOperation):
    """Runs an outlined kernel."""

    name = "graph.launch"
    args = var_operand_def(TensorType)
    callee = prop_def(SymbolRefAttr)
    res = var_result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(
        callee: str, args: Sequence[SSAValue], types: Sequence[Attribute], location: Attribute | None = None
    ) -> LaunchOp:
        properties = {"callee": SymbolRefAttr(callee)}
        return LaunchOp.create(operands=args, result_types=types, properties=properties, location=location)  # pyright: ignore[reportArgumentType]

    @property
    def kernel(self) -> str:
        return self.callee.root_reference.data

    @property
    def places(self) -> list[PlaceAttr] | None:
        """Where the results live; None before the plan."""
        found = self.attributes.get(PLACES)
        return [p for p in found.data if isinstance(p, PlaceAttr)] if isinstance(found, ArrayAttr) else None

    def print(self, printer: Printer) -> None:
        print_call(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> LaunchOp:
        callee, args, types, attributes = parse_call(parser)
        op = LaunchOp.make(callee, args, types)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        where = f"launch of @{self.kernel}"
        check_places(self, where)
        check_call(self, where)


@irdl_op_definition
class PrepareOp(IRDLOperation):
    """What a kernel makes of constants, computed once before the program runs: a constant, too.

    Its operands are resources, what was prepared before, and views of such.
    """

    name = "graph.prepare"
    args = var_operand_def(TensorType)
    callee = prop_def(SymbolRefAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(callee: str, args: Sequence[SSAValue], type_: Attribute, location: Attribute | None = None) -> PrepareOp:
        properties = {"callee": SymbolRefAttr(callee)}
        return PrepareOp.create(operands=args, result_types=[type_], properties=properties, location=location)  # pyright: ignore[reportArgumentType]

    @property
    def kernel(self) -> str:
        return self.callee.root_reference.data

    def print(self, printer: Printer) -> None:
        print_call(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> PrepareOp:
        start = parser.pos
        callee, args, types, attributes = parse_call(parser)
        if len(types) != 1:
            parser.raise_error(f"expected one result, found {len(types)}", start, parser.pos)
        op = PrepareOp.make(callee, args, types[0])
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        check_call(self, f"prepare by @{self.kernel}")


def print_call(printer: Printer, op: LaunchOp | PrepareOp) -> None:
    printer.print_string(f" @{op.kernel}(")
    printer.print_list(op.args, printer.print_ssa_value)
    printer.print_string(")")
    printer.print_op_attributes(op.attributes)
    printer.print_string(" : ")
    printer.print_function_type([v.type for v in op.args], [r.type for r in op.results])


def parse_call(parser: Parser) -> tuple[str, Sequence[SSAValue], Sequence[Attribute], dict[str, Attribute]]:
    callee = parser.parse_symbol_name()
    names = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation(":")
    start = parser.pos
    types = parser.parse_function_type()
    return callee.data, parser.resolve_operands(names, types.inputs.data, start), types.outputs.data, attributes


def check_call(op: LaunchOp | PrepareOp, where: str) -> None:
    """The function that is called is in the module and takes what it is given."""
    top: Operation | None = op
    while top is not None and not top.has_trait(SymbolTable):
        top = top.parent_op()
    if top is None:
        return
    callee = SymbolTable.lookup_symbol(top, op.callee)
    if not isinstance(callee, FuncOp):
        raise VerifyException(f"{where}: expected a function @{op.kernel} in the module, found none")
    inputs, outputs = callee.function_type.inputs.data, callee.function_type.outputs.data
    if not outputs and op.results:  # below the loop level a kernel takes buffers, those of its results last
        if len(inputs) != (buffers := len(op.args) + len(op.results)):
            raise VerifyException(f"{where}: expected a kernel on {buffers} buffers, found {len(inputs)}")
        return
    if not _alike(inputs, [v.type for v in op.args]):
        found = ", ".join(str(v.type) for v in op.args)
        raise VerifyException(f"{where}: expected arguments ({', '.join(map(str, inputs))}), found ({found})")
    if not _alike(outputs, [r.type for r in op.results]):
        found = ", ".join(str(r.type) for r in op.results)
        raise VerifyException(f"{where}: expected results ({', '.join(map(str, outputs))}), found ({found})")


def _alike(kernel: Sequence[Attribute], program: Sequence[Attribute]) -> bool:
    """Are the types of a kernel those of the program, as they are below the tensor level if the kernel is there?"""
    return len(kernel) == len(program) and all(map(same_storage, kernel, program))


@irdl_op_definition
class CopyOp(IRDLOperation):
    """A copy, made by the program itself; its operand lies in dense rows."""

    name = "graph.copy"
    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($result)"

    @staticmethod
    def make(x: SSAValue, location: Attribute | None = None) -> CopyOp:
        op = CopyOp.create(operands=[x], result_types=[x.type], location=location)  # pyright: ignore[reportArgumentType]
        op.results[0].name_hint = x.name_hint
        return op

    @property
    def place(self) -> Place | None:
        """Where the result lives; None before the plan."""
        found = self.attributes.get(PLACES)
        if not isinstance(found, ArrayAttr):
            return None
        (place,) = found.data
        assert isinstance(place, PlaceAttr)
        return place.data

    def verify_(self) -> None:
        check_places(self, "copy")

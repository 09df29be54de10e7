"""xDSL's printer with MLIR's text of ops, attributes, types and locations."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    CallSiteLoc,
    ComplexType,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FileLineColLoc,
    FloatAttr,
    FusedLoc,
    IntegerAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    UnknownLoc,
    f64,
    i1,
    i64,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue, TypeAttribute
from xdsl.printer import Printer

from ...dialects.locations import range_of
from .locations import Aliases, shown
from .names import Names
from .numbers import float_text, packed

NONE: Mapping[str, Attribute] = {}
LOCATIONS = (UnknownLoc, FileLineColLoc, CallSiteLoc, NameLoc, FusedLoc)


class UpstreamPrinter(Printer):
    """xDSL's printer with MLIR's text; `collecting` notes locations and writes for nobody."""

    def __init__(
        self,
        stream: StringIO,
        names: Names,
        aliases: Aliases | None,
        *,
        generic: bool = False,
        wide: bool = True,
        collecting: bool = False,
    ) -> None:
        super().__init__(stream, print_generic_format=generic)
        self.names, self.aliases, self.wide, self.collecting = names, aliases, wide, collecting
        self.write = stream.write
        self.types: dict[Attribute, str] = {}
        self.namespace = ""
        """The dialect whose prefix ops leave out here."""

    # Text

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        self.write(text)

    def _print_new_line(self, indent: int | None = None, print_message: bool = True) -> None:
        self.write("\n" + " " * (2 * self._indent))

    # Ops

    def print_ssa_value(self, value: SSAValue) -> str:
        name = self.names.of.get(value, "<<unknown>>")
        self.write("%" + name)
        return name

    def _print_results(self, op: Operation) -> None:
        results = op.results
        if not results:
            return
        if len(results) == 1:
            self.write(f"%{self.names.of[results[0]]} = ")
        elif op in self.names.groups:
            self.write(", ".join("%" + self.names.of[r] for r in results) + " = ")
        else:
            self.write(f"%{self.names.of[results[0]].partition('#')[0]}:{len(results)} = ")

    def print_op(self, op: Operation) -> None:
        if self.collecting and self.aliases is not None:
            self.aliases.visit(shown(op.location), True)
        self._print_results(op)
        outer = self.namespace
        custom = not self.print_generic_format and Operation.print is not type(op).print
        if custom:
            prefix, _, rest = op.name.partition(".")
            self.write(rest if prefix in ("builtin", outer) else op.name)
            self.namespace = "func" if prefix == "func" else ""
            self.print_custom(op)
        else:
            self.write(f'"{op.name}"')
            self.namespace = ""
            self.print_op_with_default_format(op)
        self.namespace = outer
        self.print_place(op.location)

    def print_custom(self, op: Operation) -> None:
        if isinstance(op, FuncOp):
            self.print_function(op)
        elif isinstance(op, CallOp):
            self.write(" @")
            self.print_identifier_or_string_literal(op.callee.root_reference.data)
            with self.in_parens():
                self.print_list(op.operands, self.print_ssa_value)
            self.print_op_attributes(op.attributes)
            self.write(" : ")
            self.print_function_type(op.operand_types, op.result_types)
        elif isinstance(op, ReturnOp):
            self.print_op_attributes(op.attributes)
            if op.operands:
                self.write(" ")
                self.print_list(op.operands, self.print_ssa_value)
                self.write(" : ")
                self.print_list(op.operand_types, self.print_attribute)
        elif isinstance(op, ModuleOp):
            if op.sym_name is not None:
                self.write(" ")
                self.print_symbol_name(op.sym_name.data)
            self.print_op_attributes(op.attributes, print_keyword=True)
            self.write(" ")
            self.print_region(op.body, print_empty_block=False)
        else:
            op.print(self)

    def print_function(self, op: FuncOp) -> None:
        if op.sym_visibility is not None:
            self.write(f" {op.sym_visibility.data}")
        self.write(" ")
        self.print_symbol_name(op.sym_name.data)
        inputs, outputs = op.function_type.inputs.data, op.function_type.outputs.data
        with self.in_parens():
            for index, kind in enumerate(inputs):
                self.write(", " if index else "")
                extra = op.arg_attrs.data[index].data if op.arg_attrs is not None else NONE
                if op.is_declaration:
                    self.print_attribute(kind)
                    self.print_op_attributes(extra)
                else:
                    self.print_argument(op.args[index], extra)
        if outputs:
            self.write(" -> ")
            extras = [a.data for a in op.res_attrs.data] if op.res_attrs is not None else [NONE] * len(outputs)
            bracket = len(outputs) > 1 or any(extras)
            self.write("(" if bracket else "")
            for index, (kind, extra) in enumerate(zip(outputs, extras, strict=True)):
                self.write(", " if index else "")
                self.print_attribute(kind)
                self.print_op_attributes(extra)
            self.write(")" if bracket else "")
        self.print_op_attributes(op.attributes, print_keyword=True)
        if not op.is_declaration:
            self.write(" ")
            self.print_region(op.body, print_entry_block_args=False, print_empty_block=False)

    def print_argument(self, arg: BlockArgument, extra: Mapping[str, Attribute]) -> None:
        self.print_ssa_value(arg)
        self.write(": ")
        self.print_attribute(arg.type)
        self.print_op_attributes(extra)
        self.print_argument_place(arg)

    def print_block_argument(self, arg: BlockArgument, print_type: bool = True) -> None:
        self.print_ssa_value(arg)
        if print_type:
            self.write(": ")
            self.print_attribute(arg.type)
            self.print_argument_place(arg)

    def print_operation_type(self, op: Operation) -> None:
        self.print_function_type(op.operand_types, op.result_types)

    def _populate_block_name(self, block: Block, block_index: int | None = None) -> None:
        self._blocks[block] = f"bb{block_index or 0}"

    # Attributes

    def print_op_attributes(
        self,
        attributes: Mapping[str, Attribute],
        *,
        reserved_attr_names: Iterable[str] = (),
        print_keyword: bool = False,
    ) -> bool:
        left = {n: a for n, a in attributes.items() if n not in reserved_attr_names}
        if not left:
            return False
        self.write(" attributes " if print_keyword else " ")
        self.print_attr_dict(left)
        return True

    def print_attr_dict(self, attr_dict: Mapping[str, Attribute]) -> None:
        self.write("{")
        for index, name in enumerate(sorted(attr_dict)):
            self.write(", " if index else "")
            self._print_attr_string((name, attr_dict[name]))
        self.write("}")

    def print_attribute(self, attribute: Attribute) -> None:
        if isinstance(attribute, TypeAttribute):
            self.print_type(attribute)
        elif isinstance(attribute, DenseIntOrFPElementsAttr):
            self.print_dense(cast("DenseIntOrFPElementsAttr[Any]", attribute))
        elif isinstance(attribute, ArrayAttr):
            self.write("[")
            self.print_list(cast("ArrayAttr[Attribute]", attribute).data, self.print_element)
            self.write("]")
        elif isinstance(attribute, DictionaryAttr):
            self.print_attr_dict(attribute.data)
        elif isinstance(attribute, DenseArrayBase):
            self.print_dense_array(cast("DenseArrayBase[Any]", attribute))
        elif isinstance(attribute, LOCATIONS):
            self.write("loc(")
            self.print_location(attribute)
            self.write(")")
        else:
            super().print_attribute(attribute)

    def print_element(self, attribute: Attribute) -> None:
        """An element of an array: numbers of the usual types go without these."""
        number: Any = attribute
        if isinstance(attribute, IntegerAttr) and number.type == i64:
            self.write(str(number.value.data))
        elif isinstance(attribute, FloatAttr) and number.type == f64:
            self.print_float(number.value.data, f64)
        else:
            self.print_attribute(number)

    def print_type(self, kind: Attribute) -> None:
        text = self.types.get(kind)
        if text is None:
            outer, self.write = self.write, (buffer := StringIO()).write
            super().print_attribute(kind)
            self.write = outer
            text = self.types[kind] = buffer.getvalue()
        self.write(text)

    def print_dense_array(self, array: DenseArrayBase[Any]) -> None:
        element = array.elt_type
        self.write("array<")
        self.print_attribute(element)
        values = array.get_values()
        for index, value in enumerate(values):
            self.write(", " if index else ": ")
            self.print_number(value, element)
        self.write(">")

    def print_number(self, value: Any, element: Any) -> None:
        if isinstance(element, ComplexType):
            part = cast(Any, element).element_type
            self.write("(")
            self.print_number(value[0], part)
            self.write(",")
            self.print_number(value[1], part)
            self.write(")")
        elif isinstance(element, AnyFloat):
            self.print_float(value, element)
        elif element == i1:
            self.write("true" if value else "false")
        else:
            self.write(str(value))

    def print_float(self, value: float, type: AnyFloat) -> None:
        self.write(float_text(value, type))

    def print_dense(self, value: DenseIntOrFPElementsAttr[Any]) -> None:
        kind = value.type
        element: Any = kind.get_element_type()
        element = element.data.storage if getattr(element, "name", "") == "quant.uniform" else element
        data, size, shape = value.data.data, element.compile_time_size, kind.get_shape()
        count = math.prod(shape)
        self.write("dense<")
        if data and data == data[:size] * (len(data) // size):
            self.print_bits(element, data[:size])
        elif count > 100 and data:
            if element == i1 and self.wide:
                data = packed(data)
            self.write(f'"0x{data.hex().upper()}"')
        elif data:
            self.print_nested(element, data, size, shape)
        self.write("> : ")
        self.print_attribute(cast(Attribute, kind))

    def print_nested(self, element: Any, data: bytes, size: int, shape: Sequence[int]) -> None:
        if not shape:
            return self.print_bits(element, data)
        self.write("[")
        step = len(data) // shape[0]
        for index in range(shape[0]):
            self.write(", " if index else "")
            self.print_nested(element, data[index * step : (index + 1) * step], size, shape[1:])
        self.write("]")

    def print_bits(self, element: Any, data: bytes) -> None:
        """One element, from its bytes: a NaN keeps its bits."""
        if isinstance(element, ComplexType):
            part, half = cast(Any, element).element_type, len(data) // 2
            self.write("(")
            self.print_bits(part, data[:half])
            self.write(",")
            self.print_bits(part, data[half:])
            self.write(")")
            return
        number = element.unpack(data, 1)[0]
        if isinstance(number, float) and not math.isfinite(number):
            self.write(f"0x{int.from_bytes(data, 'little'):X}")
        else:
            self.print_number(number, element)

    # Locations

    def print_place(self, location: Attribute) -> None:
        """` loc(#loc3)` behind an op."""
        if self.aliases is not None:
            self.write(f" loc({self.aliases.names.get(shown(location), '')})")

    def print_argument_place(self, arg: BlockArgument) -> None:
        """An argument's location is written out; those inside of it are aliases."""
        if self.aliases is None:
            return
        if self.collecting:
            self.aliases.visit(arg.location, False)
        else:
            self.write(" loc(")
            self.print_location(arg.location)
            self.write(")")

    def print_location(self, location: Attribute) -> None:
        if (ends := range_of(location)) is not None:
            begin, end = ends
            self.print_location(begin)
            self.write(f" to {'' if end.line == begin.line else end.line.data}:{end.column.data}")
        elif isinstance(location, FileLineColLoc):
            self.print_string_literal(location.filename.data)
            self.write(f":{location.line.data}:{location.column.data}")
        elif isinstance(location, NameLoc):
            self.print_string_literal(location.desc.data)
            if not isinstance(location.location, NoneAttr | UnknownLoc):
                self.write("(")
                self.print_inner_location(location.location)
                self.write(")")
        elif isinstance(location, CallSiteLoc):
            self.write("callsite(")
            self.print_inner_location(location.callee)
            self.write(" at ")
            self.print_inner_location(location.caller)
            self.write(")")
        elif isinstance(location, FusedLoc):
            self.write("fused")
            if not isinstance(location.metadata, NoneAttr):
                self.write("<")
                self.print_attribute(location.metadata)
                self.write(">")
            self.write("[")
            self.print_list(cast("ArrayAttr[Attribute]", location.locations), self.print_inner_location)
            self.write("]")
        else:
            self.write("unknown")

    def print_inner_location(self, location: Attribute) -> None:
        name = self.aliases.names.get(location) if self.aliases is not None else None
        if name is not None:
            self.write(name)
        else:
            self.print_location(location)

    def print_aliases(self, deferred: bool) -> None:
        assert self.aliases is not None
        for location, name in self.aliases.names.items():
            if self.aliases.deferred[location] is deferred:
                self.write(f"{name} = loc(")
                self.print_location(location)
                self.write(")\n")

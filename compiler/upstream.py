"""IR to text as MLIR's own printer writes it, byte for byte: for modules of StableHLO.

xDSL's printer differs in names (it keeps those of the text), in floats, in the order of dictionaries, in `%0:2` and
in what locations are called. Here

- values are numbered in the order of MLIR's printer: all of a region before those of the regions inside it, each of
  which begins where its parent ended. Constants are `%c` or `%cst`, a loop's arguments `%iterArg`, the results of some
  ops have names of their own; a name that is taken gets a number of a common counter behind it.
- floats have the digits of APFloat, which are decimal where six digits say all, else 9 or 17, else hex.
- `wide` is the spacing of older printers, with two blanks before the words of enumerations.
- with locations, these are aliases `#loc3`, defined before the module where arguments use them, else behind it.
"""

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
    IntegerType,
    ModuleOp,
    NameLoc,
    NoneAttr,
    UnknownLoc,
    f64,
    i1,
    i64,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue, TypeAttribute
from xdsl.printer import Printer

from ..dialects.locations import PLACED, range_of

NONE: Mapping[str, Attribute] = {}
LOCATIONS = (UnknownLoc, FileLineColLoc, CallSiteLoc, NameLoc, FusedLoc)


def print_upstream(op: Operation, *, generic: bool = False, locations: bool = False, wide: bool = True) -> str:
    """The text of a module or another op, without a final newline."""
    names = Names(op, generic)
    aliases: Aliases | None = None
    if locations:
        aliases = Aliases()
        collector = UpstreamPrinter(StringIO(), names, aliases, generic=generic, wide=wide, collecting=True)
        collector.print_op(op)
        aliases.number()
    out = StringIO()
    printer = UpstreamPrinter(out, names, aliases, generic=generic, wide=wide)
    if aliases is not None:
        printer.print_aliases(deferred=False)
    printer.print_op(op)
    if aliases is not None:
        out.write("\n")
        printer.print_aliases(deferred=True)
    return out.getvalue()


class Names:
    """The names of all values."""

    def __init__(self, root: Operation, generic: bool) -> None:
        self.generic = generic
        self.of: dict[SSAValue, str] = {}
        self.groups: dict[Operation, list[int]] = {}
        """Where the results of an op are several groups: the indices at which these begin."""
        self.next_value = self.next_argument = self.next_conflict = 0
        # Region, counters, names in use around it.
        self.used: set[str] = set()
        scopes: list[tuple[Region, int, int, int, set[str]]] = []
        self.number_op(root)
        scopes += [(r, 0, 0, 0, self.used) for r in root.regions]
        while scopes:
            region, self.next_value, self.next_argument, self.next_conflict, used = scopes.pop()
            self.used = used
            inner = self.number_region(region)
            counters = (self.next_value, self.next_argument, self.next_conflict)
            scopes += [(r, *counters, self.used) for r in inner]

    def number_region(self, region: Region) -> list[Region]:
        inner: list[Region] = []
        fresh: set[str] | None = None
        parent = region.parent
        given = () if self.generic or parent is None else argument_names(parent)
        for index, block in enumerate(region.blocks):
            if block.args or block.ops:
                if fresh is None:
                    self.used = fresh = set(self.used) if self.used else set()
                self.arguments(block, index == 0, given)
            for op in block.ops:
                self.number_op(op)
                if op.regions:
                    inner += op.regions
        return inner

    def arguments(self, block: Block, entry: bool, given: Sequence[str]) -> None:
        for index, arg in enumerate(block.args):
            if entry and given:
                self.of[arg] = self.unique(given[min(index, len(given) - 1)])
            elif entry:
                self.of[arg] = self.unique(f"arg{self.next_argument}")
                self.next_argument += 1
            else:
                self.of[arg] = self.fresh()

    def number_op(self, op: Operation) -> None:
        if not op.results:
            return
        names = () if self.generic else result_names(op)
        if names:
            for result, name in zip(op.results, names, strict=False):
                self.of[result] = self.unique(name)
            if len(names) > 1:
                self.groups[op] = list(range(len(names)))
            return
        first = self.fresh()
        if len(op.results) == 1:
            self.of[op.results[0]] = first
        else:
            for index, result in enumerate(op.results):
                self.of[result] = f"{first}#{index}"

    def fresh(self) -> str:
        self.next_value += 1
        return str(self.next_value - 1)

    def unique(self, name: str) -> str:
        found = name
        while found in self.used:
            found = f"{name}_{self.next_conflict}"
            self.next_conflict += 1
        self.used.add(found)
        return found


CONSTANTS = frozenset(("stablehlo.constant", "chlo.constant"))


def result_names(op: Operation) -> Sequence[str]:
    """The names that an op asks for."""
    if op.name in CONSTANTS:
        kind = cast(Any, op.results[0].type)
        element = kind.get_element_type() if hasattr(kind, "get_element_type") else kind
        return ("c",) if isinstance(element, IntegerType) else ("cst",)
    return getattr(op, "RESULT_NAMES", ())


def argument_names(op: Operation) -> Sequence[str]:
    """The names that an op asks for the arguments of its regions; the last one is for all that follow."""
    return getattr(op, "ARGUMENT_NAMES", ())


class Aliases:
    """Locations by name: numbered by depth, then in the order in which the text meets them."""

    def __init__(self) -> None:
        self.depth: dict[Attribute, int] = {}
        self.deferred: dict[Attribute, bool] = {}
        self.names: dict[Attribute, str] = {}

    def visit(self, location: Attribute, deferrable: bool) -> int:
        """Note a location and those inside of it; its depth."""
        if location in self.depth:
            if not deferrable and self.deferred[location]:
                self.at_once(location)
            return self.depth[location]
        self.depth[location] = 0
        self.deferred[location] = deferrable
        inner = [self.visit(part, deferrable) for part in parts(location)]
        self.depth[location] = 1 + max(inner) if inner else 0
        return self.depth[location]

    def at_once(self, location: Attribute) -> None:
        self.deferred[location] = False
        for part in parts(location):
            if self.deferred[part]:
                self.at_once(part)

    def number(self) -> None:
        for index, location in enumerate(sorted(self.depth, key=self.depth.__getitem__)):
            self.names[location] = f"#loc{index or ''}"


def parts(location: Attribute) -> Sequence[Attribute]:
    """The locations that a location is made of."""
    if isinstance(location, CallSiteLoc):
        return (location.callee, location.caller)
    if isinstance(location, NameLoc):
        return () if isinstance(location.location, NoneAttr | UnknownLoc) else (location.location,)
    if isinstance(location, FusedLoc) and range_of(location) is None:
        return tuple(cast("ArrayAttr[Attribute]", location.locations))
    return ()


def shown(location: Attribute) -> Attribute:
    """Without the place that the parser gave to a name that had none."""
    if isinstance(location, NameLoc) and location in PLACED:
        return NameLoc(location.desc, NoneAttr())
    return location


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


def packed(data: bytes) -> bytes:
    """Truth values as bits, as older printers have them in hex."""
    out = bytearray((len(data) + 7) // 8)
    for index, value in enumerate(data):
        out[index >> 3] |= bool(value) << (index & 7)
    return bytes(out)


def float_text(value: float, kind: Any) -> str:
    """The text of a float of a type: six digits if they read back exactly, else as many as the type needs, else hex."""
    bits = kind.pack((value,))
    if not math.isfinite(value):
        return f"0x{int.from_bytes(bits, 'little'):X}"
    if value == 0:
        return "-0.000000e+00" if math.copysign(1, value) < 0 else "0.000000e+00"
    minus = "-" if value < 0 else ""
    digits, exponent = decimal(abs(value), 6)
    leading = exponent + len(digits) - 1
    short = f"{minus}{digits[0]}.{digits[1:]:0<6}e{'-' if leading < 0 else '+'}{abs(leading):02}"
    if kind.pack((float(short),)) == bits:
        return short
    precision = 2 + PRECISION.get(kind.name, 4) * 59 // 196
    text = padded(*decimal(abs(value), precision), precision)
    return minus + text if "." in text else f"0x{int.from_bytes(bits, 'little'):X}"


PRECISION = {"f64": 53, "f32": 24, "tf32": 11, "f16": 11, "bf16": 8, "f80": 64, "f128": 113}
"""Bits of the significand, the leading one included; of smaller types six digits say all."""


def decimal(value: float, precision: int) -> tuple[str, int]:
    """At most `precision` digits and the power of ten of the last one, as llvm::APFloat::toString finds them.

    It divides by a power of ten that leaves about `precision` digits, dropping the rest, and rounds halves up only in
    what is then left too much; so the last digit may be one less than that of the nearest decimal.
    """
    number, denominator = value.as_integer_ratio()
    exponent = 1 - denominator.bit_length()  # number * 2**exponent, a power of two below the line
    number *= 5**-exponent
    surplus = number.bit_length() - (precision * 196 + 58) // 59  # 196/59 is a little more than log2(10)
    if surplus > 0:
        dropped = surplus * 59 // 196
        number //= 10**dropped
        exponent += dropped
    digits = str(number)
    if (extra := len(digits) - precision) > 0:
        exponent += extra
        digits = str(int(digits[:precision]) + (digits[precision] >= "5"))
    kept = digits.rstrip("0")
    return kept, exponent + len(digits) - len(kept)


def padded(digits: str, exponent: int, precision: int) -> str:
    """Plain where at most three zeros pad the digits, else scientific."""
    count = len(digits)
    leading = exponent + count - 1
    if exponent >= 0:
        if exponent <= 3 and count + exponent <= precision:
            return digits + "0" * exponent
    elif leading >= 0:
        return f"{digits[: leading + 1]}.{digits[leading + 1 :]}"
    elif -leading <= 3:
        return f"0.{'0' * (-leading - 1)}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{'-' if leading < 0 else '+'}{abs(leading)}"

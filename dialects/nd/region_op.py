"""What the ops with regions share: a region is a function, its arguments are bound where the op stands.

    nd.<op> head (%w = %w0) word (%c = %c0) -> (types) {
      ...
      nd.yield %c1 : type
    }

Invariants: a region has one block, which ends in `nd.yield` and reads nothing but its arguments; all regions of an op
have the same arguments, of the types that `argument_types` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, BlockArgument, Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, traits_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from ..syntax import parse_operand
from .op import format_when_used
from .types import Type, is_tensor, shape_of, tensor


def slice_type(t: Attribute) -> Type:
    """What a trip sees of a sequence."""
    assert is_tensor(t)
    return tensor(shape_of(t)[1:], t.element_type)


@irdl_op_definition
class Yield(IRDLOperation):
    """Ends a region: what it gives."""

    name = "nd.yield"
    values = var_operand_def(TensorType)
    traits = traits_def(IsTerminator(), Pure())


format_when_used(Yield, "($values^ `:` type($values))? attr-dict")


class Control(IRDLOperation):
    """An op whose regions are functions of the same arguments."""

    WORDS: ClassVar[tuple[str, ...]] = ("",)
    """Keyword before each region."""

    GROUPS: ClassVar[tuple[str, ...]] = ("",)
    """Keyword before each group of operands that bind arguments."""

    @property
    def groups(self) -> list[list[SSAValue]]:
        """The operands that bind arguments: invariants, carried, sequences."""
        raise NotImplementedError(self.name)

    @property
    def block(self) -> Block:
        """The region that gives the results; of an if, the first."""
        return self.regions[-1].block

    def argument_types(self) -> list[Attribute]:
        """The types that the arguments of a region must have."""
        raise NotImplementedError(self.name)

    def print_head(self, printer: Printer) -> None:
        """What stands between the name and the groups."""

    def print(self, printer: Printer) -> None:
        first = self.regions[0].block
        arguments = list(first.args)
        self.print_head(printer)
        for word, group in zip(self.GROUPS, self.groups, strict=True):
            if group:
                printer.print_string(f" {word} (" if word else " (")
                printer.print_list(list(zip(arguments[: len(group)], group, strict=True)), lambda b: _bind(printer, *b))
                printer.print_string(")")
            del arguments[: len(group)]
        printer.print_string(" -> (")
        printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(")")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        for word, region in zip(self.WORDS, self.regions, strict=True):
            printer.print_string(f" {word} " if word else " ")
            names: Any = printer._ssa_values  # pyright: ignore[reportPrivateUsage]
            names.update({a: names[b] for a, b in zip(region.block.args, first.args, strict=True) if b in names})
            printer.print_region(region, print_entry_block_args=False)

    @classmethod
    def parse_parts(cls, parser: Parser) -> tuple[list[list[SSAValue]], dict[str, Any]]:
        """The groups, and what `create` needs of results, regions and attributes."""
        groups: list[list[SSAValue]] = []
        arguments: list[Parser.Argument] = []
        for k, word in enumerate(cls.GROUPS):
            groups.append([])
            if word and parser.parse_optional_keyword(word) is None:
                continue
            length = len(arguments)

            def binding(group: list[SSAValue] = groups[-1], sequence: bool = word == "each") -> None:
                name = parser.parse_argument(expect_type=False)
                parser.parse_punctuation("=")
                at = parser.pos
                group.append(value := parse_operand(parser))
                if sequence and not shape_of(value.type):
                    parser.raise_error(f"expected a sequence with a leading dimension, found {value.type}", at)
                t = slice_type(value.type) if sequence else value.type
                arguments.append(parser.Argument(name.name, t))

            if word or k == 0:
                parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, binding)
            if word and len(arguments) == length:
                parser.raise_error(f"expected a value after `{word}`")
        parser.parse_punctuation("->")
        types = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        regions: list[Region] = []
        for word in cls.WORDS:
            if word:
                parser.parse_keyword(word)
            at = parser.pos
            regions.append(region := parser.parse_region(arguments))
            if len(region.blocks) != 1:
                parser.raise_error(f"expected one block, found {len(region.blocks)}", at)
        parts = {"result_types": types, "regions": regions, "attributes": dict(attributes.data) if attributes else {}}
        return groups, parts

    def verify_(self) -> None:
        want = self.argument_types()
        for word, region in zip(self.WORDS, self.regions, strict=True):
            if len(region.blocks) != 1:
                raise VerifyException(f"{self.name}: expected regions of one block, found {len(region.blocks)}")
            where = (
                f"the arguments of region `{word or 'first'}`" if len(self.regions) > 1 else "the region's arguments"
            )
            check_types(self.name, where, want, [a.type for a in region.block.args])
            if not isinstance(last := region.block.last_op, Yield):
                found = "an empty block" if last is None else last.name
                raise VerifyException(f"{self.name}: expected regions that end in nd.yield, found {found}")
        self.verify_results()

    def verify_results(self) -> None:
        raise NotImplementedError(self.name)


def _bind(printer: Printer, argument: BlockArgument, operand: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(operand)


def _show(types: Sequence[Attribute]) -> str:
    return "(" + ", ".join(map(str, types)) + ")"


def check_types(name: str, what: str, want: Sequence[Attribute], found: Sequence[Attribute]) -> None:
    if len(want) != len(found):
        raise VerifyException(f"{name}: expected {what} to be {_show(want)}, found {_show(found)}")
    for k, (w, f) in enumerate(zip(want, found, strict=True)):
        if w != f:
            raise VerifyException(f"{name}: expected {what} to be {_show(want)}, found {f} as number {k}")


def yields(block: Block) -> Sequence[SSAValue]:
    """What a region gives."""
    assert isinstance(block.last_op, Yield)
    return block.last_op.operands


def types_of(values: Sequence[SSAValue]) -> list[Attribute]:
    return [v.type for v in values]

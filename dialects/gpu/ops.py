"""Launches of kernels, and what their threads do together, in upstream's syntax.

    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c64, %gy = %c1, %gz = %c1)
               threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
      %tile = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
      %other, %valid = gpu.shuffle xor %value, %offset, %width : f32
      gpu.barrier
      gpu.terminator
    }

Every value in the region is one thread's. Memory that is allocated there is the block's (`workgroup`) or the thread's
(`private`). Clusters, asynchronous launches and dynamic sizes of shared memory are not part of it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IndexType, StringAttr, i1, i32
from xdsl.ir import Attribute, Block, BlockArgument, Data, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, MemoryWriteEffect, SingleBlockImplicitTerminator, ensure_terminator
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

INDEX = IndexType()
SHUFFLES = ("xor", "up", "down", "idx")
LOCKSTEP = "mlc.lockstep"
"""Attribute of a launch that has no barriers yet: its threads are meant to do op after op together."""
IDS = 12
"""Block, thread, count of blocks, count of threads: three dimensions each."""


class AddressSpace(StrEnum):
    """Whose memory it is: everybody's, one block's, one thread's."""

    GLOBAL = "global"
    WORKGROUP = "workgroup"
    PRIVATE = "private"


@irdl_attr_definition
class AddressSpaceAttr(Data[AddressSpace]):
    """`#gpu.address_space<workgroup>`, as the memory space of a memref."""

    name = "gpu.address_space"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data.value}>")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> AddressSpace:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(AddressSpace)


WORKGROUP, PRIVATE = AddressSpaceAttr(AddressSpace.WORKGROUP), AddressSpaceAttr(AddressSpace.PRIVATE)


@irdl_op_definition
class TerminatorOp(IRDLOperation):
    """The end of a launch."""

    name = "gpu.terminator"
    assembly_format = "attr-dict"
    traits = traits_def(IsTerminator())


@irdl_op_definition
class LaunchOp(IRDLOperation):
    """Run the region once for each thread of each block of a grid."""

    name = "gpu.launch"
    grid_x = operand_def(IndexType)
    grid_y = operand_def(IndexType)
    grid_z = operand_def(IndexType)
    block_x = operand_def(IndexType)
    block_y = operand_def(IndexType)
    block_z = operand_def(IndexType)
    body = region_def("single_block")
    traits = traits_def(SingleBlockImplicitTerminator(TerminatorOp))

    @staticmethod
    def make(grid: SSAValue, threads: SSAValue, one: SSAValue, region: Region) -> LaunchOp:
        """A launch of a line of blocks that are lines of threads; the region's block has the arguments of `block`."""
        return LaunchOp.create(operands=[grid, one, one, threads, one, one], regions=[region])

    @staticmethod
    def block() -> Block:
        """A block with the twelve arguments of a launch."""
        made = Block(arg_types=[INDEX] * IDS)
        for arg, name in zip(made.args, ("bx", "by", "bz", "tx", "ty", "tz", "gx", "gy", "gz", "sx", "sy", "sz")):
            arg.name_hint = name
        return made

    @property
    def block_id(self) -> BlockArgument:
        return self.body.block.args[0]

    @property
    def thread_id(self) -> BlockArgument:
        return self.body.block.args[3]

    def print(self, printer: Printer) -> None:
        args = self.body.block.args

        def part(word: str, ids: Sequence[SSAValue], sizes: Sequence[SSAValue], values: Sequence[SSAValue]) -> None:
            printer.print_string(f" {word}")
            with printer.in_parens():
                printer.print_list(ids, printer.print_ssa_value)
            printer.print_string(" in ")
            with printer.in_parens():
                for k, (size, value) in enumerate(zip(sizes, values)):
                    printer.print_string(", " if k else "")
                    printer.print_ssa_value(size)
                    printer.print_string(" = ")
                    printer.print_ssa_value(value)

        part("blocks", args[:3], args[6:9], self.operands[:3])
        part("threads", args[3:6], args[9:12], self.operands[3:6])
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse(cls, parser: Parser) -> LaunchOp:
        def names() -> list[Parser.UnresolvedArgument]:
            return parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
            )

        def size() -> tuple[Parser.UnresolvedArgument, SSAValue]:
            name = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            return name, parser.resolve_operand(parser.parse_unresolved_operand(), INDEX)

        ids: list[Parser.UnresolvedArgument] = []
        sizes: list[tuple[Parser.UnresolvedArgument, SSAValue]] = []
        for word in ("blocks", "threads"):
            parser.parse_keyword(word)
            ids += names()
            parser.parse_keyword("in")
            sizes += parser.parse_comma_separated_list(parser.Delimiter.PAREN, size)
        if len(ids) != 6 or len(sizes) != 6:
            parser.raise_error("expected three dimensions of blocks and three of threads")
        region = parser.parse_region([name.resolve(INDEX) for name in (*ids, *(n for n, _ in sizes))])
        op = cls.create(operands=[value for _, value in sizes], regions=[region])
        op.attributes |= parser.parse_optional_attr_dict()
        for trait in op.get_traits_of_type(SingleBlockImplicitTerminator):
            ensure_terminator(op, trait)
        return op

    def verify_(self) -> None:
        found = self.body.block.arg_types
        if tuple(found) != (INDEX,) * IDS:
            raise VerifyException(f"expected {IDS} block arguments of type index, found {', '.join(map(str, found))}")


@irdl_op_definition
class BarrierOp(IRDLOperation):
    """Every thread of the block waits for all others, and sees what they wrote before."""

    name = "gpu.barrier"
    assembly_format = "attr-dict"
    traits = traits_def(MemoryWriteEffect())


@irdl_op_definition
class ShuffleOp(IRDLOperation):
    """The value that another thread of the warp has: `xor`, `up`, `down` of the own lane by an offset, or lane `idx`.

    `valid` says whether that lane is one of the `width` lanes of the own group.
    """

    name = "gpu.shuffle"
    value = operand_def()
    offset = operand_def(i32)
    width = operand_def(i32)
    mode = prop_def(StringAttr)
    res = result_def()
    valid = result_def(i1)
    traits = traits_def(MemoryWriteEffect())

    @staticmethod
    def make(mode: str, value: SSAValue, offset: SSAValue, width: SSAValue) -> ShuffleOp:
        kinds: list[Attribute] = [value.type, i1]
        properties = {"mode": StringAttr(mode)}
        return ShuffleOp.create(operands=[value, offset, width], result_types=kinds, properties=properties)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.mode.data} ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.value.type)

    @classmethod
    def parse(cls, parser: Parser) -> ShuffleOp:
        mode = parser.expect(
            lambda: next((word for word in SHUFFLES if parser.parse_optional_keyword(word)), None),
            f"expected one of {', '.join(SHUFFLES)}",
        )
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        offset = parser.resolve_operand(parser.parse_unresolved_operand(), i32)
        parser.parse_punctuation(",")
        width = parser.resolve_operand(parser.parse_unresolved_operand(), i32)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.make(mode, parser.resolve_operand(value, parser.parse_type()), offset, width)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        if self.mode.data not in SHUFFLES:
            raise VerifyException(f"expected a mode of {', '.join(SHUFFLES)}, found {self.mode.data}")
        if self.res.type != self.value.type:
            raise VerifyException(f"expected a result of type {self.value.type}, found {self.res.type}")

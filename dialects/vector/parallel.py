"""`scf.parallel` in upstream's syntax, which xDSL neither prints nor reads.

scf.parallel (%i, %j) = (%c0, %c0) to (%c4, %c8) step (%c1, %c2) init (%zero) -> f32 {
  ..
  scf.reduce(%x : f32) { .. }
}
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Dialect, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import SingleBlockImplicitTerminator, ensure_terminator


class ParallelOp(scf.ParallelOp):
    """xDSL's op, with a syntax; a subclass and no definition of its own, for `scf.reduce` asks for xDSL's class."""

    def print(self, printer: Printer) -> None:
        def values(word: str, found: list[SSAValue]) -> None:
            printer.print_string(word)
            with printer.in_parens():
                printer.print_list(found, printer.print_ssa_value)

        values(" ", list(self.body.block.args))
        values(" = ", list(self.lowerBound))
        values(" to ", list(self.upperBound))
        values(" step ", list(self.step))
        if self.initVals:
            values(" init ", list(self.initVals))
            printer.print_string(" -> (" if len(self.res) > 1 else " -> ")
            printer.print_list([r.type for r in self.res], printer.print_attribute)
            printer.print_string(")" if len(self.res) > 1 else "")
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse(cls, parser: Parser) -> ParallelOp:
        index = IndexType()

        def bounds(word: str) -> list[SSAValue]:
            if word == "=":
                parser.parse_punctuation("=")
            else:
                parser.parse_keyword(word)
            found = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
            return [parser.resolve_operand(x, index) for x in found]

        names = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
        )
        low, high, step = (bounds(word) for word in ("=", "to", "step"))
        inits: list[SSAValue] = []
        if parser.parse_optional_keyword("init"):
            position = parser.pos
            given = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
            parser.parse_punctuation("->")
            kinds = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
            inits = list(parser.resolve_operands(given, kinds or [parser.parse_type()], position))
        body = parser.parse_region([name.resolve(index) for name in names])
        op = cls(low, high, step, body, inits)
        op.attributes |= parser.parse_optional_attr_dict()
        for trait in op.get_traits_of_type(SingleBlockImplicitTerminator):
            ensure_terminator(op, trait)
        return op


Scf = Dialect(
    "scf",
    [*(op for op in scf.Scf.operations if op is not scf.ParallelOp), ParallelOp],
    list(scf.Scf.attributes),
)

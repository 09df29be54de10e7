"""`graph.rule`: what may stand for what, as an op with two sides, and `graph.roots`, the values that a side is about.

Invariants, checked by the verifier in this order: kind and level are known; both sides are `nd` ops ended by roots;
they have the same argument and result types; every value of the left side is reached from its roots, and these share
values, so that one op leads to the whole match; the left side binds every variable of the right side and of the
conditions; the measure of a `simplify` rule falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from xdsl.dialects.builtin import StringAttr, SymbolNameConstraint, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ..nd.op import NdOp
from .conditions import Condition, WhereAttr, parse_condition
from .measure import measure
from .variables import PACK, Variables, pack_places, variables

KINDS = ("simplify", "explore")
NUMERICS = ("exact", "ieee", "fast")


@irdl_op_definition
class RootsOp(IRDLOperation):
    """The values of a side that the rule is about."""

    name = "graph.roots"
    values = var_operand_def(TensorType)
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "$values attr-dict `:` type($values)"


@irdl_op_definition
class RuleOp(IRDLOperation):
    """What may stand for what: both sides are ordinary `nd` ops over the same typed variables.

        !T = !nd.dtype<T>
        graph.rule @merge_products(%x: tensor<?x?x?x!T, #nd.sym<..., n, k>>, %u: tensor<?x?x!T, #nd.sym<k, p>>,
                                   %v: tensor<?x?x!T, #nd.sym<k, q>>) simplify ieee where static(p, q) {
          %0 = nd.contract %x, %u "a b c, c d -> a b d" : ...
          %1 = nd.contract %x, %v "a b c, c d -> a b d" : ...
          graph.roots %0, %1 : ...
        } => {
          %0 = nd.concat %u, %v along [1] : ...
          %1 = nd.contract %x, %0 "a b c, c d -> a b d" : ...
          %2 = nd.slice %1 from [0, 0, 0] step [1, 1, 1] : ...
          %3 = nd.slice %1 from [0, 0, p] step [1, 1, 1] : ...
          graph.roots %2, %3 : ...
        }

    Variables, all bound by matching the left side:

        %x               a value of the type written
        n, k             a size (an expression such as `2*n + 1` is compared once n is bound)
        ...              any number of leading dimensions, written as one, with one letter in maps
        !nd.dtype<T>     an element type
        row(b+e)         in a map: any affine index of b and e, so any stride, dilation and padding

    Kind `simplify`: a measure (measure.py) strictly falls, so applying it ends. Kind `explore`: an equality for a
    search. The level says what it may change: `exact`, `ieee` or `fast`. `in algebra` names its group. `where` names
    predicates (conditions.py) over sizes, element types and indices.
    """

    name = "graph.rule"
    sym_name = prop_def(SymbolNameConstraint())
    kind = prop_def(StringAttr)
    numerics = prop_def(StringAttr)
    group = opt_prop_def(StringAttr)
    where = opt_prop_def(WhereAttr)
    left = region_def("single_block")
    right = region_def("single_block")
    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    @staticmethod
    def build_rule(
        name: str, kind: str, numerics: str, where: Sequence[Condition], left: Block, right: Block, group: str = ""
    ) -> RuleOp:
        props: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "kind": StringAttr(kind),
            "numerics": StringAttr(numerics),
        }
        if group:
            props["group"] = StringAttr(group)
        if where:
            props["where"] = WhereAttr(tuple(where))
        return RuleOp.create(properties=props, regions=[Region(left), Region(right)])

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.where.data if self.where is not None else ()

    @property
    def topic(self) -> str:
        """The rule's group, or nothing."""
        return self.group.data if self.group is not None else ""

    @property
    def roots(self) -> tuple[SSAValue, ...]:
        """The left side's roots."""
        return roots(self.left.block)

    @property
    def arguments(self) -> tuple[SSAValue, ...]:
        return tuple(self.left.block.args)

    @classmethod
    def parse(cls, parser: Parser) -> RuleOp:
        name = parser.parse_symbol_name()
        args = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_argument)
        kind = _word(parser, KINDS)
        numerics = _word(parser, NUMERICS)
        group = parser.parse_identifier("expected the name of a group") if parser.parse_optional_keyword("in") else ""
        where: list[Condition] = []
        if parser.parse_optional_keyword("where"):
            where = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_condition(parser))
        attributes = parser.parse_optional_attr_dict_with_keyword()
        left = parser.parse_region(args)
        parser.parse_punctuation("=")
        parser.parse_punctuation(">")
        right = parser.parse_region(args)
        op = cls.build_rule(name.data, kind, numerics, where, Block(), Block(), group)
        new = cls.create(
            properties=op.properties, attributes=attributes.data if attributes else {}, regions=[left, right]
        )
        return new

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        left, right = self.left.block, self.right.block
        with printer.in_parens():
            printer.print_list(left.args, printer.print_block_argument)
        printer.print_string(f" {self.kind.data} {self.numerics.data} ")
        if self.topic:
            printer.print_string(f"in {self.topic} ")
        if self.conditions:
            printer.print_string(f"where {', '.join(map(str, self.conditions))} ")
        if self.attributes:
            printer.print_string("attributes ")
            printer.print_attr_dict(self.attributes)
            printer.print_string(" ")
        for a, b in zip(left.args, right.args, strict=True):  # one name for both sides
            printer._ssa_values[b] = printer._ssa_values[a]  # pyright: ignore[reportPrivateUsage]
        for region, after in ((self.left, " => "), (self.right, "")):
            printer.enter_scope()
            printer.print_region(region, print_entry_block_args=False)
            printer.exit_scope()
            printer.print_string(after)

    def verify_(self) -> None:
        for what, found, allowed in (
            ("a kind", self.kind.data, KINDS),
            ("a numerics level", self.numerics.data, NUMERICS),
        ):
            if found not in allowed:
                self._fail(f"expected {what} ({', '.join(allowed)}), found {found}")
        left, right = self.left.block, self.right.block
        for side, block in (("left", left), ("right", right)):
            self._check_side(side, block)
        self._check_types(left, right)
        self._check_left(left)
        self._check_variables(variables(left), variables(right))
        before, after = measure(left), measure(right)
        if self.kind.data == "simplify" and not after < before:
            self._fail(
                f"expected the measure (work, work behind sums) of a simplify rule to fall, found {before} and then "
                f"{after}; make it kind explore"
            )

    def _check_side(self, side: str, block: Block) -> None:
        if not isinstance(block.last_op, RootsOp) or not block.last_op.operands:
            self._fail(f"expected the {side} side to end with graph.roots and at least one root, found none")
        for op in block.ops:
            if op is not block.last_op and (not isinstance(op, NdOp) or op.regions):
                self._fail(f"expected nd ops without regions on the {side} side, found {op.name}")
        for value in (*block.args, *(r for op in block.ops for r in op.results)):
            if pack_places(value.type) not in ((), (0,)):
                self._fail(f"expected {PACK} as the first dimension only, found {value.type} on the {side} side")

    def _check_types(self, left: Block, right: Block) -> None:
        a, b = ([v.type for v in block.args] for block in (left, right))
        if a != b:
            self._fail(f"expected the same argument types on both sides, found {_types(a)} and {_types(b)}")
        a, b = ([v.type for v in roots(block)] for block in (left, right))
        if a != b:
            self._fail(f"expected the same result types on both sides, found {_types(a)} and {_types(b)}")

    def _check_left(self, left: Block) -> None:
        """Everything is reached from the roots, and these hang together, so that one op leads to the whole match."""
        found = roots(left)
        for root in found:
            if not isinstance(root.owner, NdOp) or found.count(root) > 1:
                self._fail("expected different op results as roots of the left side, found an argument or one twice")
        reached = [reach(root) for root in found]
        together = reached[0]
        rest = reached[1:]
        while rest:
            near = next((r for r in rest if any(v in together for v in r)), None)
            if near is None:
                self._fail("expected the roots of the left side to share a value, found one apart from the others")
            rest.remove(near)
            together = {**together, **near}
        for value in (*left.args, *(r for op in left.ops for r in op.results)):
            if value not in together:
                self._fail(f"expected every value of the left side in its roots, found {_show(value)} unread")

    def _check_variables(self, left: Variables, right: Variables) -> None:
        sorts = left.sorts()
        for sort, mine, theirs in zip(("size", "dtype", "index"), left, right, strict=True):
            for name in theirs:
                if name not in mine:
                    self._fail(f"expected variables of the right side to be bound on the left, found {sort} {name}")
        for condition in self.conditions:
            if (error := condition.error(sorts)) is not None:
                self._fail(error)

    def _fail(self, message: str) -> NoReturn:
        raise VerifyException(f"graph.rule @{self.sym_name.data}: {message}")


def roots(block: Block) -> tuple[SSAValue, ...]:
    last = block.last_op
    return tuple(last.operands) if last is not None else ()


def reach(root: SSAValue) -> dict[SSAValue, None]:
    """The values that a root is made of, itself included."""
    found: dict[SSAValue, None] = {}
    todo = [root]
    while todo:
        value = todo.pop()
        if value not in found:
            found[value] = None
            if isinstance(value.owner, Operation):
                todo += value.owner.operands
    return found


def _word(parser: Parser, words: Sequence[str]) -> str:
    for word in words:
        if parser.parse_optional_keyword(word):
            return word
    parser.raise_error(f"expected {' or '.join(words)}")


def _types(types: Sequence[Attribute]) -> str:
    return "(" + ", ".join(map(str, types)) + ")"


def _show(value: SSAValue) -> str:
    return f"%{value.name_hint}" if value.name_hint else f"a value of type {value.type}"


RULE_OPS = [RuleOp, RootsOp]
RULE_ATTRS = [WhereAttr]

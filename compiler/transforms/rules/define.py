"""Rules as Python functions: both sides traced over `nd`, in the language of users' programs.

    @rule("simplify", "ieee", where="float(T)", x="... n k", w="k m", scale="m")
    def fold_scale(x, w, scale):
        \"\"\"(x @ w) * scale -> x @ (w * scale)\"\"\"
        return (x @ w) * scale, x @ (w * scale)

The function returns (left, right), each a value or a tuple of values, the roots. An argument's type is its sizes, and
its element type after a colon (`"n : i64"`; `T`, open, if none is written). The result is a `Rule`: traced when it is
first used, printed as `graph.rule`, made a rewrite by `apply.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.utils.exceptions import VerifyException

from ....dialects.errors import CompileError
from ....dialects.graph.conditions import Condition
from ....dialects.graph.rule import RootsOp, RuleOp
from ....dialects.nd.array import Array
from ....dialects.nd.attributes import DTypeVar
from ....dialects.nd.dims import Dim, symbol
from ....dialects.nd.op import building, insert
from ....dialects.nd.types import ANY, Type, tensor
from ..canonicalize import canonicalize
from .match import Step, plan
from .selection import selected
from .specialise import at_rank, has_pack

DTYPES: dict[str, Attribute] = {str(t): t for t in ANY}

Sides = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Pattern:
    """A rule at one rank, ready to match."""

    op: RuleOp
    steps: Sequence[Step]

    @cached_property
    def roots(self) -> tuple[SSAValue, ...]:
        """The left side's roots."""
        return self.op.roots


@dataclass(frozen=True, eq=False)
class Rule:
    """A `graph.rule`, built and verified when it is first used; everything else about it is known before."""

    name: str
    group: str
    kind: str
    numerics: str
    equation: str
    build: Callable[[], RuleOp]

    @staticmethod
    def of(op: RuleOp) -> Rule:
        """The rule that an op states; CompileError if it is no rule."""
        rule = Rule(op.sym_name.data, op.topic, op.kind.data, op.numerics.data, "", lambda: op)
        assert rule.op is op
        return rule

    @cached_property
    def op(self) -> RuleOp:
        with selected(None):  # what a user turned off or follows are the rules of programs, not those of rules
            op = self.build()
        try:
            op.verify()
        except VerifyException as e:
            raise CompileError(str(e).split("\n")[0], op.location) from e
        return op

    @cached_property
    def ranked(self) -> bool:
        """Has `...`."""
        return has_pack(self.op)

    @cached_property
    def _patterns(self) -> dict[int, Pattern]:
        return {}

    def pattern(self, rank: int) -> Pattern:
        """The rule with `rank` dimensions for `...`."""
        found = self._patterns.get(rank)
        if found is None:
            op = at_rank(self.op, rank) if self.ranked else self.op
            found = self._patterns[rank] = Pattern(op, plan(op))
        return found


def rule(kind: str, numerics: str, *, where: str = "", **types: str) -> Callable[[Sides], Rule]:
    """Make a rule of a function that returns (left, right), whose docstring is the equation; its group is the name of
    the module."""

    def make(fn: Sides) -> Rule:
        name, group = fn.__name__, fn.__module__.rpartition(".")[2].strip("_")
        equation = " ".join((fn.__doc__ or "").split())

        def build() -> RuleOp:
            left, right = (_trace(fn, side, types) for side in (0, 1))
            op = RuleOp.build_rule(name, kind, numerics, conditions(where), left, right, group)
            op.location = place_of(fn)
            return op

        return Rule(name, group, kind, numerics, equation, build)

    return make


def place_of(fn: Sides) -> FileLineColLoc:
    code = fn.__code__  # pyright: ignore[reportFunctionMemberAccess]
    return FileLineColLoc(StringAttr(code.co_filename), IntAttr(code.co_firstlineno), IntAttr(1))


def _trace(fn: Sides, side: int, types: dict[str, str]) -> Block:
    block = Block(arg_types=[argument_type(t) for t in types.values()])
    for a, name in zip(block.args, types, strict=True):
        a.name_hint = name
    with building(block):
        values = _tuple(fn(*map(Array, block.args))[side])
        insert(RootsOp.create(operands=[v.value for v in values]))
    canonicalize(block, "exact")  # keepdims and broadcasting leave reshapes that programs in normal form lack
    return block


def _tuple(found: Any) -> Sequence[Array]:
    return found if isinstance(found, tuple) else (found,)  # pyright: ignore[reportUnknownVariableType]


def argument_type(text: str) -> Type:
    """`"... n 3 : f32"`."""
    shape, _, dtype = text.partition(":")
    name = dtype.strip() or "T"
    return tensor(sizes(shape), DTYPES.get(name, DTypeVar(name)))


def conditions(text: str) -> list[Condition]:
    """`"float(T), at_most(p + q, 64)"`."""
    from xdsl.context import Context
    from xdsl.parser import Parser
    from xdsl.utils.exceptions import ParseError

    from ....dialects.graph.conditions import parse_condition

    if not text:
        return []
    parser = Parser(Context(), text)
    try:
        return parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_condition(parser))
    except ParseError as e:
        raise CompileError(f"expected conditions such as float(T), at_most(n, 64), found {text!r}") from e


def sizes(text: str) -> tuple[Dim, ...]:
    """Sizes for shapes inside a rule: names, numbers and their sums, `"n 3 p+q"`."""
    return tuple(_size(word) for word in text.split())


def _size(word: str) -> Dim:
    total: Dim = 0
    for part in word.split("+"):
        total = total + (int(part) if part.isdigit() else symbol(part))
    return total

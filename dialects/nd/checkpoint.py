"""What the backward part keeps: `nd.checkpoint`, a region computed again; `nd.name`; `nd.barrier`.

    %y = nd.checkpoint saves dots (%x_1 = %x, %w_1 = %w) -> (tensor<4x8xf32>) {
      %0 = nd.contract %x_1, %w_1 "a b, b c -> a c" : ...
      %1 = nd.sin %0 : tensor<4x8xf32>
      nd.yield %1 : tensor<4x8xf32>
    }

The op means what its region does. Differentiation in reverse keeps of the region only its operands and what the policy
saves (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016); `inline` takes the op apart afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, TensorType, i64
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import irdl_op_definition, prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from .array import Array
from .composite import Composite
from .contraction import Contract
from .elementwise import Np, Unary
from .op import EXACT, Linear, bind, here, insert, op
from .region_op import Control, check_types, types_of, yields
from .types import ANY

KINDS = ("nothing", "everything", "dots", "dots_with_no_batch_dims")


@op("barrier", linear=Linear.JOINT, tolerance=EXACT, flops=0, dtypes=ANY)
class Barrier(Unary):
    """x; no rewriting knows where it comes from, and no kernel computes both sides.

    So ops behind it stay apart from equal ones before it, and what they compute is computed where they stand. Fusion
    drops it."""

    def reference(self, x: Np) -> Np:
        return x

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct]


@op("name", linear=Linear.JOINT, tolerance=EXACT, flops=0, dtypes=ANY)
class Name(Unary, Composite):
    """x, under a name by which policies of `nd.checkpoint` know it. `inline` drops it."""

    label = prop_def(StringAttr, prop_name="name")
    assembly_format = "$x $name attr-dict `:` type($result)"

    def decompose(self, x: Array) -> Array:
        return x

    def reference(self, x: Np) -> Np:
        return x

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        return [tangents[0]]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct]


def barrier(x: Array) -> Array:
    return bind(Barrier, x)


def name(x: Array, label: str) -> Array:
    return bind(Name, x, name=StringAttr(label))


@dataclass(frozen=True)
class Policy:
    """Which values of a region are saved for the backward part: one of `KINDS`, those with one of the names, or what
    spares most work within so many bytes."""

    kind: str = "nothing"
    names: tuple[str, ...] = ()
    bytes: int | None = None

    @property
    def attribute(self) -> Attribute:
        if self.bytes is not None:
            return IntegerAttr(self.bytes, i64)
        return ArrayAttr([StringAttr(n) for n in self.names]) if self.names else StringAttr(self.kind)

    def saves(self, value: SSAValue) -> bool:
        """By kind or name, of a value that an op makes. A contraction is one with or without windows."""
        match self.kind:
            case "everything":
                return True
            case "dots":
                return isinstance(value.owner, Contract)
            case "dots_with_no_batch_dims":
                return isinstance(value.owner, Contract) and not has_batch(value.owner)
            case _:
                readers = (use.operation for use in value.uses)
                return any(isinstance(n, Name) and n.label.data in self.names for n in readers)


NOTHING = Policy()


def has_batch(contraction: Contract) -> bool:
    """Does an index stand in all operands and in the result?"""
    m = contraction.dims
    return any(
        all(any(name == n for index in dims for n, _ in index.terms) for dims in m.operands)
        for name in (index.name for index in m.result)
    )


@irdl_op_definition
class Checkpoint(Control):
    """`nd.checkpoint saves dots (%x = %x0) -> (types) { ... }`: the region, of which the backward part keeps operands
    and what the policy saves: `nothing`, `dots`, `dots_with_no_batch_dims`, `everything`, a list of names, or what
    spares most work within a number of bytes, `4096 : i64`."""

    name = "nd.checkpoint"
    args = var_operand_def(TensorType)
    saved = prop_def(Attribute, prop_name="saves")
    body = region_def("single_block")
    res = var_result_def(TensorType)
    traits = traits_def(IsolatedFromAbove(), RecursiveMemoryEffect())

    @property
    def policy(self) -> Policy:
        saved: Any = self.properties["saves"]
        if isinstance(saved, StringAttr):
            return Policy(saved.data)
        if isinstance(saved, IntegerAttr):
            return Policy("bytes", bytes=saved.value.data)
        return Policy("names", tuple(n.data for n in saved.data))

    @property
    def groups(self) -> list[list[SSAValue]]:
        return [list(self.operands)]

    def argument_types(self) -> list[Attribute]:
        return types_of(self.operands)

    def print_head(self, printer: Printer) -> None:
        printer.print_string(" saves ")
        if isinstance(self.saved, StringAttr):
            printer.print_string(self.saved.data)
        else:
            printer.print_attribute(self.saved)

    @classmethod
    def parse(cls, parser: Parser) -> Checkpoint:
        parser.parse_keyword("saves")
        at = parser.pos
        saved = parser.parse_optional_attribute()
        if saved is None:
            saved = StringAttr(kind := parser.parse_identifier())
            if kind not in KINDS:
                parser.raise_error(f"expected {', '.join(KINDS)}, a list of names or bytes, found {kind}", at)
        (args,), parts = cls.parse_parts(parser)
        return cls.create(operands=args, properties={"saves": saved}, **parts)

    def verify_results(self) -> None:
        saved: Any = self.properties["saves"]
        if isinstance(saved, StringAttr):
            known = saved.data in KINDS
        elif isinstance(saved, IntegerAttr):
            known = saved.value.data >= 0
        else:
            known = isinstance(saved, ArrayAttr) and all(isinstance(n, StringAttr) for n in saved.data)  # pyright: ignore
        if not known:
            raise VerifyException(f"nd.checkpoint: expected {', '.join(KINDS)}, names or bytes, found {saved}")
        check_types(self.name, "what the region yields", self.result_types, types_of(yields(self.body.block)))


def checkpoint(args: Sequence[Array], block: Block, policy: Policy) -> list[Array]:
    """`nd.checkpoint` of a region that takes the arguments."""
    new = Checkpoint.create(
        operands=[a.value for a in args],
        result_types=types_of(yields(block)),
        properties={"saves": policy.attribute},
        regions=[Region(block)],
        location=here(),
    )
    return [Array(v) for v in insert(new).results]

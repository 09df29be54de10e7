"""Ops that talk to something outside: calls, tokens, hosts and other devices."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursiveMemoryEffect

from .op import MANY, op
from .syntax import Elided, Syntax, parse_operands, print_dictionary, print_operands
from .syntax_types import EACH, SAME, TUPLE


def _empty(value: Any) -> bool:
    return isinstance(value, ArrayAttr) and not cast("ArrayAttr[Any]", value).data


def _number(value: Any) -> Any:
    return value.value.data


CALL_DEFAULTS: dict[str, Elided] = {
    "has_side_effect": lambda value: not _number(value),
    "api_version": lambda value: _number(value) == 1,
    "called_computations": _empty,
    "output_operand_aliases": _empty,
}
"""What a call's dictionary leaves out."""


class CustomCall(Syntax):
    """`@target(%x, %y) {...} : (T, U) -> V`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        target = parser.parse_symbol_name()
        parser.parse_punctuation("(")
        operands, _ = parse_operands(parser)
        parser.parse_punctuation(")")
        return self.finish(cls, parser, operands, {"call_target_name": target})

    def print(self, op: Operation, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(cast(StringAttr, op.properties["call_target_name"]).data)
        with printer.in_parens():
            printer.print_list(op.operands, printer.print_ssa_value)
        print_dictionary(op, printer, frozenset(("call_target_name",)), CALL_DEFAULTS)
        printer.print_string(" : ")
        self.types.print(printer, op)


op(
    "stablehlo.custom_call",
    (0, MANY),
    (0, MANY),
    properties="call_target_name:str has_side_effect:bool? backend_config:any? api_version:int? "
    "called_computations:any? operand_layouts:any? result_layouts:any? output_operand_aliases:any?",
    syntax=CustomCall(),
    traits=(),
)


class Composite(Syntax):
    """`"name" %x {decomposition = @f} : (T) -> U`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        name = StringAttr(parser.parse_str_literal())
        operands, _ = parse_operands(parser)
        return self.finish(cls, parser, operands, {"name": name})

    def print(self, op: Operation, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(cast(StringAttr, op.properties["name"]).data)
        print_operands(printer, op)
        print_dictionary(op, printer, frozenset(("name",)))
        printer.print_string(" : ")
        self.types.print(printer, op)


op(
    "stablehlo.composite",
    (0, MANY),
    (0, MANY),
    properties="name:str decomposition:symbol composite_attributes:any? version:int?",
    regions=(0, MANY),
    syntax=Composite(),
    traits=(),
)


class Barrier(Syntax):
    """`%x, %y : T, U`, or `()`."""

    def __init__(self) -> None:
        super().__init__(EACH)

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        if parser.parse_optional_punctuation("(") is not None:
            parser.parse_punctuation(")")
            return cls.create(attributes=parser.parse_optional_attr_dict())
        return super().parse(cls, parser)

    def print(self, op: Operation, printer: Printer) -> None:
        if not op.operands:
            printer.print_string("()")
            return print_dictionary(op, printer)
        super().print(op, printer)


op("stablehlo.optimization_barrier", (0, MANY), (0, MANY), syntax=Barrier())


class AfterAll(Syntax):
    """`%s, %t : !stablehlo.token`"""

    def print(self, op: Operation, printer: Printer) -> None:
        if not op.operands:
            printer.print_string(" ")
        super().print(op, printer)


op("stablehlo.create_token", 0, syntax=Syntax(SAME))
op("stablehlo.after_all", (0, MANY), syntax=AfterAll(SAME))
op("stablehlo.partition_id", 0, syntax=Syntax(SAME))
op("stablehlo.replica_id", 0, syntax=Syntax(SAME))
op("stablehlo.tuple", (0, MANY), syntax=Syntax(TUPLE))

op("stablehlo.infeed", 1, (1, MANY), properties="infeed_config:str? layout:any?", traits=())
op("stablehlo.outfeed", (1, MANY), properties="outfeed_config:str?", traits=())
CHANNEL = "channel_handle:channel is_host_transfer:bool? source_target_pairs:any?"
op("stablehlo.send", (1, MANY), properties=CHANNEL, traits=())
op("stablehlo.recv", 1, (1, MANY), properties=CHANNEL, traits=())

GROUPS = "replica_groups:any channel_handle:channel? use_global_device_ids:unit?"
op("stablehlo.all_gather", (1, MANY), (1, MANY), properties=f"all_gather_dim:int {GROUPS}", traits=())
op("stablehlo.all_reduce", (1, MANY), (1, MANY), properties=GROUPS, regions=1, traits=())
op("stablehlo.reduce_scatter", 1, properties=f"scatter_dimension:int {GROUPS}", regions=1, traits=())
op(
    "stablehlo.all_to_all",
    (1, MANY),
    (1, MANY),
    properties="split_dimension:int concat_dimension:int split_count:int replica_groups:any channel_handle:channel?",
    traits=(),
)
op("stablehlo.collective_broadcast", 1, properties="replica_groups:any channel_handle:channel?", traits=())
op("stablehlo.collective_permute", 1, properties="source_target_pairs:any channel_handle:channel?", traits=())
op("stablehlo.cross-replica-sum", 1, properties="replica_groups:any", traits=())
op("stablehlo.async_start", (0, MANY), regions=1, traits=(RecursiveMemoryEffect(),))
op("stablehlo.async_done", 1, (0, MANY), traits=())

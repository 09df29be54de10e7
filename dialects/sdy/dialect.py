"""`Sdy`: meshes and shardings, read and printed as they stand.

sdy.mesh @mesh = <["x"=2]>
%1 = sdy.sharding_constraint %0 <@mesh, [{"x"}, {}]> : tensor<8x8xf32>
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import ClassVar, cast

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute, Data, Dialect, Operation
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

from ..stablehlo.op import OPS, op
from ..stablehlo.syntax import Syntax, parse_operands, print_dictionary, print_operands
from ..stablehlo.syntax_clauses import Properties
from ..stablehlo.syntax_types import SAME


class Body(Data[str]):
    """What stands in angle brackets."""

    name: ClassVar[str]

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        if parser._current_token.kind is not MLIRTokenKind.LESS:
            return ""
        return f"<{parser._parse_dialect_symbol_body()}>"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(self.data)


@irdl_attr_definition
class MeshAttr(Body):
    name = "sdy.mesh"


@irdl_attr_definition
class ShardingAttr(Body):
    name = "sdy.sharding"


@irdl_attr_definition
class ShardingPerValueAttr(Body):
    name = "sdy.sharding_per_value"


@irdl_attr_definition
class ShardingRuleAttr(Body):
    name = "sdy.op_sharding_rule"


class Mesh(Syntax):
    """`@name = <...> {...}`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        properties: Properties = {"sym_name": parser.parse_symbol_name()}
        parser.parse_punctuation("=")
        properties["mesh"] = MeshAttr(MeshAttr.parse_parameter(parser))
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, op: Operation, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(cast(StringAttr, op.properties["sym_name"]).data)
        printer.print_string(" = ")
        cast(MeshAttr, op.properties["mesh"]).print_parameter(printer)
        print_dictionary(op, printer, frozenset(("sym_name", "mesh")))


class Constraint(Syntax):
    """`%x <...> : T`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands, _ = parse_operands(parser)
        sharding = ShardingAttr(ShardingAttr.parse_parameter(parser))
        return self.finish(cls, parser, operands, {"sharding": sharding})

    def print(self, op: Operation, printer: Printer) -> None:
        print_operands(printer, op)
        printer.print_string(" ")
        cast(ShardingAttr, op.properties["sharding"]).print_parameter(printer)
        print_dictionary(op, printer, frozenset(("sharding",)))
        printer.print_string(" : ")
        self.types.print(printer, op)


op("sdy.mesh", 0, 0, properties="sym_name:str mesh:any", syntax=Mesh(), traits=())
op("sdy.sharding_constraint", 1, properties="sharding:any", syntax=Constraint(SAME))

ATTRIBUTES: list[type[Attribute]] = [MeshAttr, ShardingAttr, ShardingPerValueAttr, ShardingRuleAttr]

Sdy = Dialect("sdy", [c for n, c in OPS.items() if n.startswith("sdy.")], ATTRIBUTES)

"""Rules of ops that order effects or pass values on."""

from __future__ import annotations

from xdsl.ir import Operation

from .constraints import need, need_types, operand_types, result_types, shape_of
from .types import TokenType
from .verify import rule


@rule("optimization_barrier")
def barrier(op: Operation) -> None:
    need_types("results", result_types(op), operand_types(op))


@rule("create_token after_all")
def tokens(op: Operation) -> None:
    for kind in (*operand_types(op), *result_types(op)):
        need(isinstance(kind, TokenType), "!stablehlo.token", kind)


@rule("partition_id replica_id")
def identity(op: Operation) -> None:
    kind = op.results[0].type
    need(str(kind) == "tensor<ui32>" and shape_of(kind) == (), "a result of type tensor<ui32>", kind)


@rule("collective_permute collective_broadcast cross-replica-sum")
def moved(op: Operation) -> None:
    need_types("results", result_types(op), operand_types(op))


@rule("infeed recv outfeed send")
def hosts(op: Operation) -> None:
    """The token stands last."""
    if op.name in ("stablehlo.infeed", "stablehlo.recv"):
        need(isinstance(op.results[-1].type, TokenType), "a last result of type !stablehlo.token", op.results[-1].type)
    need(isinstance(op.operands[-1].type, TokenType), "a last operand of type !stablehlo.token", op.operands[-1].type)

"""Collective ops of one participant, which is all that a program has: what they gather is what they were given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array
from ...dialects.nd.constant import full
from ...dialects.nd.op import here
from .conversion import Conversion
from .table import converter


@converter(
    "stablehlo.all_gather",
    "stablehlo.all_reduce",
    "stablehlo.all_to_all",
    "stablehlo.collective_broadcast",
    "stablehlo.cross-replica-sum",
    "stablehlo.reduce_scatter",
)
def of_one(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    groups: Any = op.properties.get("replica_groups")
    shape = groups.type.get_shape() if hasattr(groups, "type") else ()
    if shape[-1:] not in ((1,), (0,)):
        raise CompileError(f"expected groups of one participant, found {groups}", here())
    return xs


@converter("stablehlo.collective_permute")
def collective_permute(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    """Participant 0 has what it sent itself, or zeros."""
    given: Any = op.properties["source_target_pairs"]
    pairs = list(given.get_values())
    if any(pairs):
        raise CompileError(f"expected participant 0 alone, found the pairs {pairs}", here())
    return xs if pairs else [full(0, x.type) for x in xs]

"""A rule over any number of leading dimensions, at one number of them: `...` becomes that many sizes.

#nd.sym<..., n, k>, "a b c, c d -> a b d"    at 2    ->    #nd.sym<...0, ...1, n, k>, "a b c d, d e -> a b c e"
"""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Block, SSAValue

from ....dialects.graph.rule import RootsOp, RuleOp, roots
from ....dialects.graph.variables import PACK, is_pack, pack_places, variables
from ....dialects.nd import dimmap
from ....dialects.nd.array import Array
from ....dialects.nd.attributes import DimsAttr, dims_attr
from ....dialects.nd.dimmap import DimMap, Index, bare
from ....dialects.nd.dims import Dim, Sym, symbol
from ....dialects.nd.mapped import Mapped, text
from ....dialects.nd.op import NdOp, bind, building, insert
from ....dialects.nd.types import Type, element, shape_of, tensor

PER_DIMENSION = ("start", "step", "low", "high", "interior")
DIMENSIONS = ("axes", "axis", "dim")


def has_pack(rule: RuleOp) -> bool:
    return PACK in variables(rule.left.block).sizes


def at_rank(rule: RuleOp, rank: int) -> RuleOp:
    """The rule with `...` standing for `rank` dimensions."""
    left, right = (_side(block, rank) for block in (rule.left.block, rule.right.block))
    return RuleOp.build_rule(
        rule.sym_name.data, rule.kind.data, rule.numerics.data, rule.conditions, left, right, rule.topic
    )


def _side(block: Block, rank: int) -> Block:
    new = Block(arg_types=[_type(a.type, rank) for a in block.args])
    env: dict[SSAValue, Array] = {a: Array(b) for a, b in zip(block.args, new.args, strict=True)}
    with building(new):
        for op in block.ops:
            if isinstance(op, NdOp):
                props = {k: _property(op, k, v, rank) for k, v in op.properties.items()}
                env[op.results[0]] = bind(type(op), *(env[v] for v in op.operands), **props)
        insert(RootsOp.create(operands=[env[v].value for v in roots(block)]))
    return new


def pack(rank: int) -> list[Dim]:
    return [symbol(f"{PACK}{k}") for k in range(rank)]


def _shape(shape: tuple[Dim, ...], rank: int) -> tuple[Dim, ...]:
    return tuple(e for d in shape for e in (pack(rank) if is_pack(d) else [d]))


def _type(t: Attribute, rank: int) -> Type:
    return tensor(_shape(shape_of(t), rank), element(t))


def _property(op: NdOp, name: str, attribute: Attribute, rank: int) -> Attribute:
    packed = bool(pack_places((op.operands or op.results)[0].type))
    match attribute:
        case TensorType():
            return _type(attribute, rank)  # pyright: ignore[reportUnknownArgumentType]
        case StringAttr() if name == "map" and isinstance(op, Mapped):
            return text(_map(op, dimmap.parse(attribute.data), rank))
        case DimsAttr() if name in PER_DIMENSION and packed:
            return dims_attr((*[attribute.data[0]] * rank, *attribute.data[1:]))
        case DimsAttr() if name in DIMENSIONS and packed:
            return dims_attr(k + rank - 1 for k in attribute.data)
        case IntegerAttr() if name in DIMENSIONS and packed:
            return IntegerAttr(attribute.value.data + rank - 1, attribute.type)
        case DimsAttr():
            return dims_attr(_shape(attribute.data, rank))
        case _:
            return attribute


def _map(op: Mapped, map_: DimMap, rank: int) -> DimMap:
    """Each letter of size `...` becomes `rank` letters."""
    sides = [*zip(map_.operands, op.operands, strict=True), (map_.result, op.results[0])]
    packed = {
        i.name
        for dims, v in sides
        for i, d in zip(dims, shape_of(v.type), strict=True)
        if isinstance(d, Sym) and is_pack(d)
    }

    def spread(dims: tuple[Index, ...]) -> tuple[Index, ...]:
        return tuple(
            e for i in dims for e in ([bare(f"{i.name}_{k}") for k in range(rank)] if i.name in packed else [i])
        )

    return DimMap(tuple(map(spread, map_.operands)), spread(map_.result))

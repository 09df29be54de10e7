"""linalg-to-loop: `linalg.generic` on tensors becomes a stage; the way in for programs of other compilers.

Iterators become named axes, indexing maps accesses, `combine(out, x)` in the body a combiner; a fill with the
combiner's identity folds into it. What is no such statement is refused, at its place.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, tensor
from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.loop.attributes import Axis, Target
from ..dialects.loop.combiners import FLOAT, INTEGER, combine, identity
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import IndexOp, StageOp, YieldOp, element_of, shape
from ..dialects.loop.queries import body_of
from ..dialects.nd.dims import Dim

MODES: dict[str, str] = {op.name: mode for table in (FLOAT, INTEGER) for mode, op in table.items()}
"""The combiner that an op in a generic's body stands for."""

NAMES = "ijklmnopqrstuvwxyz"


def form(expr: AffineExpr, dims: int) -> Linear:
    """An affine expression as a linear form over the axes."""
    zero = [0] * dims
    const = expr.eval(zero, [])
    units = ([int(d == i) for i in range(dims)] for d in range(dims))
    found = Linear.of(const, {NAMES[d]: expr.eval(unit, []) - const for d, unit in enumerate(units)})
    probe = [3 + 2 * d for d in range(dims)]
    if expr.eval(probe, []) != const + sum(found.coef(NAMES[d]) * v for d, v in enumerate(probe)):
        raise ValueError(f"{expr}")
    return found


def filled_with(value: SSAValue) -> int | float | None:
    """The number that a tensor holds everywhere, if it is a fill or a splat constant."""
    op = value.owner
    source: Any = cast(Operation, op).operands[0].owner if isinstance(op, linalg.FillOp) else None
    if isinstance(source, arith.ConstantOp):
        attr: Attribute = source.value
        if isinstance(attr, FloatAttr | IntegerAttr):
            return attr.value.data
    if isinstance(op, arith.ConstantOp) and isinstance(attr := op.value, DenseIntOrFPElementsAttr) and attr.is_splat():
        number = attr.get_values()[0]
        return number if isinstance(number, int | float) else None
    return None


def refuse(op: Operation, why: str) -> CompileError:
    return CompileError(f"linalg-to-loop: {why}", op.location)


def extents_of(op: linalg.GenericOp) -> list[Dim]:
    """The length of each iterator, from an operand that it indexes alone."""
    dims = op.indexing_maps.data[0].data.num_dims
    found: dict[int, Dim] = {}
    for value, amap in zip(op.operands, op.indexing_maps.data):
        for size, expr in zip(shape(value), amap.data.results):
            if isinstance(expr, AffineDimExpr):
                found.setdefault(expr.position, size)
    missing = [d for d in range(dims) if d not in found]
    if missing:
        raise refuse(op, f"expected every iterator alone in some indexing map, found none for d{missing[0]}")
    return [found[d] for d in range(dims)]


def generic(op: linalg.GenericOp, label: str) -> StageOp:
    """The stage in front of a generic; its results are used instead."""
    maps = [m.data for m in op.indexing_maps.data]
    dims, ins = maps[0].num_dims, len(op.inputs)
    if dims > len(NAMES):
        raise refuse(op, f"expected at most {len(NAMES)} iterators, found {dims}")
    try:
        accesses: list[Access] = [tuple(form(e, dims) for e in m.results) for m in maps]
    except ValueError as error:
        raise refuse(op, f"expected linear indexing maps, found {error}") from error
    extents = extents_of(op)
    region = op.body.clone()
    block = region.block
    last = block.last_op
    assert last is not None
    modes: list[str] = []
    values: list[SSAValue] = []
    dead: list[Operation] = []
    for k, value in enumerate(last.operands):
        own = block.args[ins + k]
        if own.first_use is None:
            modes.append("")
            values.append(value)
            continue
        combining = value.owner
        rest = [x for x in combining.operands if x is not own] if isinstance(combining, Operation) else []
        if not isinstance(combining, Operation) or combining.name not in MODES or len(rest) != 1:
            raise refuse(op, "expected a reduction to be combine(out, contribution), found another use of the output")
        modes.append(MODES[combining.name])
        values.append(rest[0])
        dead.append(combining)
    block.insert_op_before(YieldOp.create(operands=values, location=last.location), last)
    for old in (last, *dead):
        old.detach()
        old.erase()
    for arg in list(block.args)[ins:]:
        block.erase_arg(arg)
    indices = [o for o in block.ops if isinstance(o, linalg.IndexOp)]
    for index in indices:
        axis = IndexOp.make(Linear.axis(NAMES[index.dim.value.data]), index.location)
        block.insert_op_before(axis, index)
        index.result.replace_all_uses_with(axis.res)
        index.detach()
        index.erase()
    axes = [Axis(NAMES[d], extents[d]) for d in range(dims)]
    targets = [Target(m, a) for m, a in zip(modes, accesses[ins:])]
    stage = StageOp.make(label, axes, list(zip(op.inputs, accesses[:ins])), targets, region, op.location)
    home = op.parent
    assert home is not None
    home.insert_ops_before([stage], op)
    for result, made, mode, init in zip(op.results, stage.results, modes, op.outputs):
        made.name_hint = result.name_hint
        if mode and filled_with(init) != identity(mode, element_of(init)):
            made = onto(mode, made, init, op)
        result.replace_all_uses_with(made)
    op.detach()
    op.erase()
    return stage


def number_of(value: int | float, element: Any) -> Attribute:
    return FloatAttr(value, element) if isinstance(element, AnyFloat) else IntegerAttr(int(value), element)


def onto(mode: str, made: SSAValue, init: SSAValue, before: Operation) -> SSAValue:
    """A stage that combines what was reduced with what was there: a number, or a tensor."""
    number, element = filled_with(init), element_of(made)
    axes = [Axis(NAMES[d], size) for d, size in enumerate(shape(made))]
    access: Access = tuple(Linear.axis(a.name) for a in axes)

    def build(block: Block) -> list[SSAValue]:
        start = block.args[-1]
        if number is not None:
            properties: dict[str, Attribute] = {"value": number_of(number, element)}
            constant = arith.ConstantOp.create(result_types=[element], properties=properties, location=before.location)
            block.add_op(constant)
            start = constant.results[0]
        both = combine(mode, block.args[0], start, before.location)
        block.add_op(both)
        return list(both.results)

    reads = [(made, access)] if number is not None else [(made, access), (init, access)]
    body = body_of([element] * len(reads), build, before.location)
    stage = StageOp.make("onto", axes, reads, [Target("", access)], body, before.location)
    home = before.parent
    assert home is not None
    home.insert_ops_before([stage], before)
    stage.results[0].name_hint = made.name_hint
    return stage.results[0]


def convert(f: func.FuncOp) -> None:
    """All generics of a function."""
    found = [op for op in f.walk() if isinstance(op, linalg.GenericOp)]
    for number, op in enumerate(found):
        generic(op, f"s{number}")
    unused: tuple[type[Any], ...] = (linalg.FillOp, tensor.EmptyOp, arith.ConstantOp)
    for op in reversed(list(f.walk())):
        if isinstance(op, unused) and not any(r.first_use is not None for r in op.results):
            op.detach()
            op.erase()


@dataclass(frozen=True)
class LinalgToLoop(ModulePass):
    """Pure `linalg.generic` ops on tensors as stages: elementwise, and reductions `combine(out, contribution)`.

        %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                             iterator_types = ["parallel", "reduction"]}
               ins(%x : tensor<4x8xf32>) outs(%zero : tensor<4xf32>) {
             ^bb0(%a: f32, %o: f32):
               %s = arith.addf %a, %o : f32
               linalg.yield %s : f32
             } -> tensor<4xf32>
    becomes
        %r = loop.stage s0 [i: 4, j: 8] (%a = %x[i, j]) -> add [i] { loop.yield %a : f32 }
    """

    name = "linalg-to-loop"

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        for f in op.walk():
            if isinstance(f, func.FuncOp) and f.body.blocks:
                convert(f)

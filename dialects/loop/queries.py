"""Questions about loop programs: what encloses an op, which stages stand in it, how an axis spreads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue

from .linear import axes_of, coefs
from .ops import ForOp, IndexOp, Scoped, StageOp, YieldOp, shape


def enclosing(op: Operation) -> Iterator[ForOp]:
    """The loops around an op, innermost first."""
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp):
            yield parent
        parent = parent.parent_op()


def loop_ops(root: Operation) -> list[Operation]:
    """An op and all ops inside of it, in order, but the scalar ones in the bodies of stages."""
    found: list[Operation] = []

    def scan(op: Operation) -> None:
        found.append(op)
        if op.regions and not isinstance(op, StageOp):
            for region in op.regions:
                for block in region.blocks:
                    for inner in block.ops:
                        scan(inner)

    scan(root)
    return found


def stages(root: Operation, only: Sequence[str] = ()) -> list[StageOp]:
    """The stages inside of an op, in order; `only` those of the given labels."""
    return [s for s in loop_ops(root) if isinstance(s, StageOp) and (not only or s.label.data in only)]


def members(op: Operation) -> list[StageOp]:
    """The stages of an op, itself included."""
    return [op] if isinstance(op, StageOp) else stages(op)


def result_index(value: SSAValue) -> int:
    assert isinstance(value, OpResult)
    return value.index


def spreads(stage: StageOp) -> dict[SSAValue, frozenset[str]]:
    """The axes of the stage that each value of the body depends on."""
    names = frozenset(a.name for a in stage.axes)
    found: dict[SSAValue, frozenset[str]] = {}
    for arg, (_, access) in zip(stage.body.block.args, stage.reads()):
        found[arg] = axes_of(access) & names
    for op in stage.body.block.ops:
        at = op.linear.names & names if isinstance(op, IndexOp) else frozenset[str]()
        for result in op.results:
            found[result] = at.union(*(found[v] for v in op.operands))
    return found


def axis_coefs(value: SSAValue, axis: str) -> tuple[int, ...]:
    """How the producer of a value spreads `axis` over its dimensions."""
    op = value.owner
    if isinstance(op, StageOp):
        return coefs(op.target(result_index(value)).access, axis)
    if isinstance(op, ForOp):
        return axis_coefs(op.terminator.operands[result_index(value)], axis)
    if isinstance(value, BlockArgument) and isinstance(loop := value.owner.parent_op(), ForOp):
        return axis_coefs(loop.inits[value.index], axis)
    return (0,) * len(shape(value))


def combiner_of(value: SSAValue) -> str:
    """The combiner by which a value is made, through the loops that make it."""
    op = value.owner
    assert isinstance(op, Scoped)
    mode = op.target(result_index(value)).mode
    return mode or (combiner_of(op.terminator.operands[result_index(value)]) if isinstance(op, ForOp) else "")


def body_of(
    arg_types: Sequence[Attribute],
    build: Callable[[Block], Sequence[SSAValue]],
    location: LocationAttr | None = None,
) -> Region:
    """A stage body from a function that adds ops to a block and returns what is yielded."""
    block = Block(arg_types=arg_types)
    block.add_op(YieldOp.create(operands=list(build(block)), location=location))
    return Region(block)

"""What makes a loop program meaningful: reads stay in bounds, results have neither gaps nor overlaps, names are bound.

Bounds over symbolic sizes are proved where polynomials decide it, and else tried on sample sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from xdsl.dialects.builtin import IndexType, IntegerType, StringAttr, bf16, f16, f32, f64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..nd.dims import Dim
from ..nd.extents import counterexample, holds, symbols_of
from .attributes import CARRY, COMBINERS, KINDS, LOOP_KINDS, Target
from .combiners import allowed
from .gaps import gap, is_there, passes_on
from .linear import Access, Linear
from .ops import ForOp, IfOp, IndexOp, JoinOp, LoadOp, ScatterOp, SizeOp, StageOp, YieldOp, element_of, shape
from .queries import enclosing
from .threads import mistake

ELEMENTS: tuple[Attribute, ...] = (f32, f64, f16, bf16, *(IntegerType(n) for n in (1, 8, 16, 32, 64)))
BODY_DIALECTS = ("arith", "math", "loop")


def fail(op: Operation, message: str) -> NoReturn:
    raise VerifyException(message)


def sizes_named(op: Operation) -> frozenset[str]:
    """The symbols that the function's `loop.size` ops name."""
    top = op
    while (parent := top.parent_op()) is not None and parent.name != "builtin.module":
        top = parent
    names: set[str] = set()
    for region in top.regions:
        for inner in region.blocks[0].ops if region.blocks else ():
            if isinstance(inner, SizeOp):
                names.add(inner.symbol.data)
    return frozenset(names)


def check_symbols(op: Operation, where: str, dims: Sequence[Dim]) -> None:
    used = [n for dim in dims for n in symbols_of(dim)]
    if not used:
        return
    named = sizes_named(op)
    for name in used:
        if name in KINDS:
            fail(op, f"{where}: expected a size name, found the axis kind {name}")
        if name not in named:
            fail(op, f"{where}: expected every size to be named by loop.size, found {name}")


def facts(op: Operation) -> list[Dim]:
    """Sizes known to be >= 0 where the op stands: guards of versions, and loops that run at all."""
    known: list[Dim] = []
    block: Block | None = op.parent
    while block is not None and (parent := block.parent_op()) is not None:
        if isinstance(parent, ForOp):
            known.append(parent.extent.data - (parent.stride if parent.clamped else 1))
        elif isinstance(parent, IfOp):
            bound = parent.extent.data - parent.threshold
            known.append(bound if block.parent is parent.then else bound * -1 - 1)
        block = parent.parent
    return known


def bound_axes(op: Operation) -> dict[str, Dim]:
    """The axes that enclosing loops bind, with one more than their greatest value."""
    extents: dict[str, Dim] = {}
    for loop in enclosing(op):
        if loop.axis.data in extents:
            fail(op, f"loop {loop.axis.data}: expected a new axis, found {loop.axis.data} bound twice")
        extents[loop.axis.data] = loop.extent.data - loop.stride + 1
    return extents


def verify_stage(op: StageOp) -> None:
    where = f"stage {op.label.data}"
    if wrong := mistake(op.axes):
        fail(op, f"{where}: {wrong}")
    verify_reads(op, where)
    verify_body(op, where)
    for number, target in enumerate(t.data for t in op.targets.data):
        verify_stage_target(op, f"{where}: result {number}", target)
        element = op.terminator.operands[number].type
        if target.mode and not allowed(target.mode, element):
            fail(op, f"{where}: expected a type that {target.mode} combines, found {element}")
    inferred = op.infer_types()
    for result, want in zip(op.results, inferred):
        if result.type != want:
            fail(op, f"{where}: expected result type {want} from the domain, found {result.type}")


def verify_scatter(op: ScatterOp) -> None:
    where, element = f"scatter {op.label.data}", element_of(op.into)
    verify_reads(op, where)
    last = op.body.block.last_op
    if not isinstance(last, YieldOp):
        fail(op, f"{where}: expected a body that ends in loop.yield")
    want = [element, *[IndexType()] * op.rank]
    found = [v.type for v in last.args]
    if found not in (want, [*want, IntegerType(1)]):
        text = ", ".join(map(str, want))
        fail(op, f"{where}: expected a value and its positions ({text}; and i1), found {', '.join(map(str, found))}")
    if op.kind.data != "set" and not allowed(op.kind.data, element):
        fail(op, f"{where}: expected a type that {op.kind.data} combines, found {element}")
    verify_ops(op, where)
    if op.res.type != op.into.type:
        fail(op, f"{where}: expected result type {op.into.type}, found {op.res.type}")


def verify_reads(op: StageOp | ScatterOp, where: str) -> None:
    """The domain, and what is read over it."""
    extents = bound_axes(op)
    for axis in op.axes:
        if axis.name in extents:
            fail(op, f"{where}: expected a new axis, found {axis.name} bound twice")
        extents[axis.name] = axis.extent
        if isinstance(axis.extent, int) and axis.extent < 0:
            fail(op, f"{where}: expected axis {axis.name} to have a size of at least 0, found {axis.extent}")
    check_symbols(op, where, [a.extent for a in op.axes])
    if len(op.accesses.data) != len(op.ins) or len(op.body.block.args) != len(op.ins):
        fail(op, f"{where}: expected one access and one body argument for each of {len(op.ins)} operands")
    runs = all(a.extent != 0 for a in op.axes)
    given = [*facts(op), *(a.extent - 1 for a in op.axes)]
    for number, ((value, access), arg) in enumerate(zip(op.reads(), op.body.block.args)):
        name = value.name_hint or f"operand {number}"
        if op.whole(number):
            verify_whole(op, f"{where}: %{name}", value, access, arg)
            continue
        if arg.type != element_of(value):
            fail(op, f"{where}: expected a body argument of type {element_of(value)}, found {arg.type}")
        verify_read(op, f"{where}: %{name}", access, shape(value), extents, given if runs else None)
        if isinstance(op, StageOp) and not is_there(op, value, access):
            fail(op, f"{where}: %{name}: expected a loop that ends no later than the one that makes it, found none")


def verify_whole(op: Operation, where: str, value: SSAValue, access: Access, arg: SSAValue) -> None:
    """What is read at computed positions is read by `loop.load` only."""
    if access or not shape(value):
        fail(op, f"{where}: expected a tensor with dimensions and no indices, found {value.type}")
    if arg.type != value.type:
        fail(op, f"{where}: expected a body argument of type {value.type}, found {arg.type}")
    for use in arg.uses:
        if not isinstance(use.operation, LoadOp) or use.index:
            fail(
                op, f"{where}: expected a tensor that is read whole to be read by loop.load, found {use.operation.name}"
            )


def verify_read(
    op: Operation,
    where: str,
    access: Access,
    dims: tuple[Dim, ...],
    extents: Mapping[str, Dim],
    given: list[Dim] | None,
) -> None:
    """Each index is over bound axes and in bounds; `given` is None where nothing is ever read."""
    if len(access) != len(dims):
        fail(op, f"{where}: expected {len(dims)} indices, one for each dimension, found {len(access)}")
    check_symbols(op, where, [form.const for form in access])
    for form, size in zip(access, dims):
        for name in sorted(form.names - extents.keys()):
            fail(op, f"{where}: expected axes of the domain or of enclosing loops, found {name} in index {form}")
        if given is None:
            continue
        low, high = form.range(extents)
        for claim in (low, size - 1 - high):
            if not holds(claim, given):
                sample = counterexample(claim, given) or {}
                at = " at " + ", ".join(f"{n} = {v}" for n, v in sample.items()) if sample else ""
                fail(op, f"{where}: expected index {form} in [0, {size}), found values in [{low}, {high}]{at}")


def verify_body(op: StageOp, where: str) -> None:
    """A body is scalar code without regions; it yields one element for each result."""
    last = op.body.block.last_op
    if not isinstance(last, YieldOp):
        fail(op, f"{where}: expected a body that ends in loop.yield")
    if len(last.args) != len(op.results):
        fail(op, f"{where}: expected {len(op.results)} yielded values, one for each result, found {len(last.args)}")
    for value in last.args:
        if value.type not in ELEMENTS:
            fail(op, f"{where}: expected to yield one of {', '.join(map(str, ELEMENTS))}, found {value.type}")
    verify_ops(op, where)


def verify_ops(op: StageOp | ScatterOp, where: str) -> None:
    for inner in op.body.block.ops:
        if inner.name.split(".")[0] not in BODY_DIALECTS or inner.regions:
            fail(op, f"{where}: expected arith, math, loop.index and loop.load in the body, found {inner.name}")


def verify_stage_target(op: StageOp, where: str, target: Target) -> None:
    """Each element is hit once per point of the reduced axes: an index is a mixed-radix number of own axes."""
    if target.mode and target.mode not in COMBINERS:
        fail(op, f"{where}: expected a combiner or none, found {target.mode}")
    extents = {a.name: a.extent for a in op.axes}
    seen: set[str] = set()
    for form in target.access:
        if form.const != 0:
            fail(op, f"{where}: expected index {form} to start at 0, found offset {form.const}")
        radix: Dim = 1
        # By stride; of two equal strides the axis of one point first, since it adds nothing.
        for name, c in sorted(form.terms, key=lambda t: (t[1], extents.get(t[0], 0) != 1)):
            if name not in extents:
                fail(op, f"{where}: expected axes of the stage itself, found {name} in index {form}")
            if name in seen:
                fail(op, f"{where}: expected each axis in one index, found {name} again in index {form}")
            if radix != c and extents[name] != 1:
                fail(
                    op,
                    f"{where}: expected index {form} without gaps or overlaps: {name} times {radix}, found times {c}",
                )
            seen.add(name)
            radix = radix * extents[name]
    if not target.mode:
        for axis in op.axes:
            if axis.name not in seen and axis.extent != 1:
                fail(op, f"{where}: expected a combiner, since axis {axis.name} is reduced, found none")


def verify_for(op: ForOp) -> None:
    axis, extent, step = op.axis.data, op.extent.data, op.stride
    where = f"loop {axis}"
    if axis in bound_axes(op):
        fail(op, f"{where}: expected a new axis, found {axis} bound twice")
    check_symbols(op, where, [extent])
    if op.kind.data and op.kind.data not in LOOP_KINDS:
        fail(op, f"{where}: expected one of the kinds {', '.join(LOOP_KINDS)}, found {op.kind.data}")
    if op.clamped:
        if op.kind.data and op.kind.data != "block":
            fail(op, f"{where}: expected no clamp on a {op.kind.data} loop, found one: tiles share elements")
        if not holds(extent - step, facts(op)):
            fail(op, f"{where}: expected an extent of at least the step {step} under clamp, found {extent}")
    elif extent // step * step != extent:
        fail(op, f"{where}: expected a step that divides {extent}, or clamp, found {step}")
    if (bound := op.while_positive) is not None:
        if bound.coef(axis) >= 0 or op.kind.data:
            fail(op, f"{where}: expected a plain loop and a form that falls along it after `while`, found {bound}")
        for name in sorted(bound.names - {axis} - bound_axes(op).keys()):
            fail(op, f"{where}: expected axes of enclosing loops after `while`, found {name}")
        check_symbols(op, where, [bound.const])
    last = op.body.block.last_op
    if not isinstance(last, YieldOp) or len(last.args) != len(op.results):
        fail(op, f"{where}: expected a body that yields {len(op.results)} values, one for each result")
    carried = [k for k, t in enumerate(op.targets.data) if t.data.mode == CARRY]
    if len(carried) != len(op.inits) or len(op.body.block.args) != len(op.inits):
        fail(op, f"{where}: expected one carry result and one body argument for each of {len(op.inits)} inits")
    if carried and (op.clamped or op.kind.data):
        fail(
            op,
            f"{where}: expected a plain sequential loop around carried values, found {op.kind.data or 'clamp'}",
        )
    for k, init, arg in zip(carried, op.inits, op.body.block.args):
        if not init.type == arg.type == last.args[k].type:
            fail(op, f"{where}: expected carried values of type {init.type}, found {arg.type} and {last.args[k].type}")
    for number, (value, target) in enumerate(zip(last.args, op.targets.data)):
        verify_for_target(op, f"{where}: result {number}", target.data, shape(value), element_of(value))
    for result in op.results:
        if gap(result) is not None and not passes_on(result):
            fail(op, f"{where}: expected stages to read what `while` leaves incomplete, found another use")
    for result, want in zip(op.results, op.infer_types()):
        if result.type != want:
            fail(op, f"{where}: expected result type {want} from extent and tile, found {result.type}")


def verify_for_target(op: ForOp, where: str, target: Target, dims: tuple[Dim, ...], element: Attribute) -> None:
    """A result is placed by the loop's axis without gaps, or combined or carried whole."""
    axis, mode, access = op.axis.data, target.mode, target.access
    if len(access) != len(dims):
        fail(op, f"{where}: expected {len(dims)} indices, one for each dimension, found {len(access)}")
    placed = [form for form in access if form.terms]
    backwards = Linear(op.extent.data + -1) + Linear.axis(axis, -1)
    for form in access:
        if form == backwards and op.stride == 1:
            continue
        if form.names - {axis} or form.const != 0 or form.coef(axis) < 0:
            fail(op, f"{where}: expected 0 or the loop's own axis {axis} as index, found {form}")
    if mode and placed:
        fail(op, f"{where}: expected a whole value to {mode}, found it placed at {placed[0]}")
    if not mode and len(placed) != 1:
        what = "a combiner, or a place" if not placed else "one place"
        fail(op, f"{where}: expected {what} along axis {axis}, found {len(placed)}")
    if mode in COMBINERS:
        if op.clamped:
            fail(op, f"{where}: expected tiles that do not overlap under {mode}, found clamp on axis {axis}")
        if not allowed(mode, element):
            fail(op, f"{where}: expected a type that {mode} combines, found {element}")
    for form, size in zip(access, dims):
        want = abs(form.coef(axis)) * op.stride
        if form.terms and size != want:
            fail(op, f"{where}: expected tiles of {want} at {form}, found {size}: they leave gaps or overlap")


def verify_if(op: IfOp) -> None:
    where = f"if {op.extent.data} >= {op.threshold}"
    check_symbols(op, where, [op.extent.data])
    types = [r.type for r in op.results]
    for region in (op.then, op.other):
        last = region.block.last_op
        found = [v.type for v in last.operands] if isinstance(last, YieldOp) else None
        if found != types:
            text = "nothing" if found is None else ", ".join(map(str, found))
            fail(op, f"{where}: expected both versions to yield {', '.join(map(str, types))}, found {text}")


def verify_index(op: IndexOp) -> None:
    stage = op.parent_op()
    if not isinstance(stage, StageOp | ScatterOp):
        fail(op, "loop.index: expected to stand in the body of a stage")
    bound = bound_axes(stage).keys() | {a.name for a in stage.axes}
    for name in sorted(op.linear.names - bound):
        fail(op, f"stage {stage.label.data}: expected an axis in loop.index, found {name}")
    check_symbols(stage, f"stage {stage.label.data}", [op.linear.const])


def verify_join(op: JoinOp) -> None:
    if not op.pieces or len(op.offsets.data) != len(op.pieces):
        fail(op, f"join: expected one place for each of {len(op.pieces)} pieces, found {len(op.offsets.data)}")
    whole, element = shape(op.res), element_of(op.res)
    for number, (piece, offsets) in enumerate(zip(op.pieces, op.offsets.data)):
        where = f"join: piece {number}"
        if element_of(piece) != element:
            fail(op, f"{where}: expected elements of type {element}, found {element_of(piece)}")
        if len(offsets.data) != len(whole) or len(shape(piece)) != len(whole):
            fail(
                op,
                f"{where}: expected rank and indices {len(whole)}, found {len(shape(piece))} and {len(offsets.data)}",
            )
        check_symbols(op, where, [f.const for f in offsets.data])
        for d, (form, size, outer) in enumerate(zip(offsets.data, shape(piece), whole)):
            if form.terms and (form.names != frozenset({f"d{d}"}) or form.coef(f"d{d}") < 1):
                fail(op, f"{where}: expected an offset or a positive multiple of d{d} as index {d}, found {form}")
            if size == 0:
                continue
            last = Linear(form.const + (size - 1) * (form.coef(f"d{d}") or 1)).const
            if not holds(form.const, facts(op)) or not holds(outer - 1 - last, [*facts(op), size - 1]):
                fail(op, f"{where}: expected elements in [0, {outer}) of dimension {d}, found [{form.const}, {last}]")
    verify_cover(op, whole)


def verify_cover(op: JoinOp, whole: tuple[Dim, ...]) -> None:
    """Some piece covers everything, or the pieces are boxes that fill it."""
    boxes = [
        [(offset, size) for (offset, stride), size in zip(op.placement(k), shape(piece)) if stride == 1 or size == 1]
        for k, piece in enumerate(op.pieces)
    ]
    boxes = [b for b in boxes if len(b) == len(whole)]
    if 0 in whole or any(all(size == full for (_, size), full in zip(box, whole)) for box in boxes):
        return
    if all(isinstance(x, int) for box in boxes for pair in box for x in pair) and all(
        isinstance(w, int) for w in whole
    ):
        if _fills([[(_int(o), _int(s)) for o, s in box] for box in boxes], [_int(w) for w in whole]):
            return
        fail(op, f"join: expected pieces that fill {'x'.join(map(str, whole))}, found gaps")
    # Symbolic pieces: a chain along one dimension, all others whole.
    for d in range(len(whole)):
        chain = [b for b in boxes if all(size == w for e, ((_, size), w) in enumerate(zip(b, whole)) if e != d)]
        position: Dim = 0
        while (step := next((b[d][1] for b in chain if b[d][0] == position and b[d][1] != 0), None)) is not None:
            position = position + step
        if position == whole[d]:
            return
    fail(op, f"join: expected pieces that fill {'x'.join(map(str, whole))}, found none that chain up to it")


def _fills(boxes: list[list[tuple[int, int]]], whole: list[int]) -> bool:
    """Do the boxes cover [0, whole)? Decided on the grid of their corners."""
    if not whole:
        return bool(boxes)
    cuts = [sorted({0, n, *(x for b in boxes for x in (b[d][0], b[d][0] + b[d][1]))}) for d, n in enumerate(whole)]

    def covered(d: int, alive: list[list[tuple[int, int]]]) -> bool:
        if d == len(whole):
            return bool(alive)
        return all(
            covered(d + 1, [b for b in alive if b[d][0] <= at < b[d][0] + b[d][1]]) for at in cuts[d] if at < whole[d]
        )

    return covered(0, boxes)


def named(op: Operation) -> str:
    """How messages call an op of the dialect."""
    label = op.properties.get("label", op.properties.get("axis"))
    return f"{op.name.split('.')[1]} {label.data}" if isinstance(label, StringAttr) else op.name


def _int(dim: Dim) -> int:
    assert isinstance(dim, int)
    return dim

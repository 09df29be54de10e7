"""loop-pack: copy what a stage reads of a value to a new value laid out in the order in which it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Operation, SSAValue

from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.linear import Access, Linear, axes_of
from ....dialects.loop.ops import StageOp, element_of
from ....dialects.loop.queries import body_of
from ....lowering.first_copies import FIRST
from .cones import cone, copy_of, replace_cone
from .step import LoopStep, NothingToDo, chosen, refuse
from .structure import remove_dead, substitute

PREFIX = "pack_"


def copy_stage(label: str, value: SSAValue, access: Access, axes: Sequence[Axis], of: Operation) -> StageOp:
    """A stage that reads `value[access]` at each point of `axes` and stores it there."""
    local: Access = tuple(Linear.axis(a.name) for a in axes)
    body = body_of([element_of(value)], lambda block: list(block.args), of.location)
    return StageOp.make(label, axes, [(value, access)], [Target("", local)], body, of.location)


def check(stage: StageOp, operand: int, order: tuple[str, ...], recompute: bool, convert: bool) -> None:
    """Refuse what `pack` cannot do, before anything changes."""
    value, access = stage.reads()[operand]
    if stage.whole(operand):
        why = f"expected %{value.name_hint} to be read at indices over axes, found loop.load of it"
        raise refuse(LoopPack.name, stage, why)
    missing = sorted(n for n in axes_of(access) if stage.extent(n) is not None and n not in order)
    if missing:
        why = (
            f"expected axes to hold every axis by which %{value.name_hint} is read, found none of {', '.join(missing)}"
        )
        raise refuse(LoopPack.name, stage, why)
    if not recompute:
        return
    if convert:
        raise refuse(LoopPack.name, stage, "expected recompute or convert, found both")
    producer = value.owner
    if not isinstance(producer, StageOp) or len(producer.results) != 1:
        why = f"recompute expected %{value.name_hint} from a stage with one result, found none"
        raise refuse(LoopPack.name, stage, why)
    for form in producer.target(0).access:
        if len(form.terms) != 1 or form.terms[0][1] != 1:
            why = f"recompute expected stage {producer.label.data} neither split nor tiled, found index {form}"
            raise refuse(LoopPack.name, stage, why)


def pack(stage: StageOp, operand: int, order: tuple[str, ...], how: LoopPack) -> None:
    """Insert the copy before the stage and read it instead."""
    value, access = stage.reads()[operand]
    label = f"{PREFIX}{value.name_hint}"
    axes = [Axis(n, e) for n in order if (e := stage.extent(n)) is not None]
    part = cone(stage, operand, order, how.narrow) if how.convert else None
    copy = copy_of(stage, part, label, axes) if part else copy_stage(label, value, access, axes, stage)
    if how.recompute:
        copy = inline_producer(copy)
    home = stage.parent
    assert home is not None
    home.insert_ops_before([copy], stage)
    if how.first:
        copy.attributes[FIRST] = UnitAttr()
    copy.results[0].name_hint = label
    local: Access = tuple(Linear.axis(a.name) for a in axes)
    if part:
        return replace_cone(stage, part, copy.results[0], local)
    stage.operands[operand] = copy.results[0]
    stage.set_reads([local if j == operand else a for j, (_, a) in enumerate(stage.reads())])


def inline_producer(copy: StageOp) -> StageOp:
    """The producer's statement at the points that `copy` reads of it (any affine window)."""
    ((value, access),) = copy.reads()
    producer = value.owner
    assert isinstance(producer, StageOp)
    by = {form.terms[0][0]: at for form, at in zip(producer.target(0).access, access)}
    own = [a for a in producer.axes if a.name not in by]
    taken = {a.name for a in copy.axes}
    renamed = {a.name: next(n for n in (a.name + "_" * i for i in range(1, 9)) if n not in taken) for a in own}
    by |= {a.name: Linear.axis(renamed[a.name]) for a in own}
    new = producer.clone()
    substitute([new], by)
    new.set_axes([*copy.axes, *(a._replace(name=renamed[a.name]) for a in own)])
    new.set_targets([producer.target(0)._replace(access=copy.target(0).access)])
    new.properties["label"] = copy.label
    new.retype()
    copy.erase(safe_erase=False)
    return new


@dataclass(frozen=True)
class LoopPack(LoopStep):
    """Copy what stages read of `value` to a new value laid out by `axes`; `recompute` computes it there instead.

        %c = loop.stage mm [i: 6, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j + j0]) -> add [i, j] {..}
    becomes, with value=B axes=k,j,
        %pack_B = loop.stage pack_B [k: 256, j: 64] (%b = %B[k, j + j0]) -> [k, j] { loop.yield %b : f32 }
        %c = loop.stage mm [i: 6, j: 64, k: 256] (%a = %A[i, k], %b_1 = %pack_B[k, j]) -> add [i, j] {..}

    The copy stands right before its reader, so that the loops around decide how much of the value it holds. With
    `convert`, it holds what the reader computes of the value at points of these axes alone: f32 instead of bf16, or
    i8 with its scale; `narrow`: nothing that is wider than the value. With `first`, the first trip of a loop that reads
    the copy may make it beside its own work (lowering/first_copies.py).
    """

    name = "loop-pack"

    value: str
    axes: tuple[str, ...]
    only: tuple[str, ...] = ()
    recompute: bool = False
    convert: bool = False
    narrow: bool = False
    first: bool = False

    def on(self, f: func.FuncOp) -> None:
        readers = chosen(self.name, f, self.only)
        found = [
            (stage, i)
            for stage in readers
            if not stage.label.data.startswith(PREFIX)
            for i, value in enumerate(stage.ins)
            if value.name_hint == self.value
        ]
        if not found:
            names = list(dict.fromkeys(v.name_hint for s in readers for v in s.ins if v.name_hint))
            what = f"expected a value that a stage reads, one of {', '.join(names) or 'none'}"
            raise NothingToDo(f"{self.name}: {what}, found {self.value}", f.location)
        for stage, operand in found:
            check(stage, operand, self.axes, self.recompute, self.convert)
        for stage, operand in found:
            pack(stage, operand, self.axes, self)
        remove_dead(f)

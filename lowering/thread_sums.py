"""Sums over threads: complete on all of them, always in the same order.

    %other, %valid = gpu.shuffle xor %part, %offset, %c32 : f32      halves of a warp exchange what they have
    %sum = arith.addf %part, %other : f32
    memref.store %sum, %partial[%c0, %tx]                            then warps, through memory of the block

Threads without a point of their own add the identity.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from xdsl.dialects import arith, memref, vector
from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, MemRefType, VectorType, i1, i32, i64
from xdsl.ir import Attribute, SSAValue

from ..dialects.gpu import WORKGROUP, ShuffleOp
from ..dialects.loop.combiners import combine, identity
from ..dialects.loop.ops import StageOp
from ..dialects.loop.threads import WARP_BITS, Field, fields, swept
from ..dialects.vector.arith import ExtUIOp, TruncIOp
from .loop_memory import with_contract
from .loop_threads import ThreadState
from .storage import BYTE


class ThreadSums(ThreadState):
    """Adds sums over mapped axes."""

    def shared_by(self, stage: StageOp) -> list[Field]:
        """What of the thread's number a stage's points depend on: the bits of its mapped axes, or all."""
        axis, launch = swept(stage.axes), self.launch
        if axis and launch is not None and not launch.alone:
            return [Field(axis, 1 << launch.bits, 0, launch.bits)]
        return fields(stage.axes)

    def across(self, reduced: Sequence[Field], value: SSAValue, mode: str, element: Attribute) -> SSAValue:
        """The combination of the values of all points of some mapped axes, on all threads."""
        for f in reduced:
            if not f.full:
                none = self.number(identity(mode, element), value.type)
                operands = [self.is_point(f), value, none]
                value = self.emit(arith.SelectOp.create(operands=operands, result_types=[value.type]))
        shape = value.type.get_shape() if isinstance(value.type, VectorType) else ()
        places = list(product(*map(range, shape)))
        parts = [self.extract(value, place) for place in places]
        bits = [b for f in reduced for b in range(f.shift, f.shift + f.bits)]
        for bit in sorted(b for b in bits if b < WARP_BITS):
            parts = [self.combined(mode, part, self.exchanged(part, bit, element)) for part in parts]
        if high := sorted(b for b in bits if b >= WARP_BITS):
            parts = self.between_warps(parts, high, mode, element)
        return self.assembled(value, parts, places)

    def combined(self, mode: str, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.emit(with_contract(combine(mode, a, b)))

    def exchanged(self, part: SSAValue, bit: int, element: Attribute) -> SSAValue:
        """What the thread has whose number differs in one bit."""
        if element == i1:
            part = self.emit(ExtUIOp.create(operands=[part], result_types=[BYTE]))
        offset, width = (self.constant(IntegerAttr(n, i32), i32) for n in (1 << bit, 1 << WARP_BITS))
        other = self.emit(ShuffleOp.make("xor", part, offset, width))
        return self.emit(TruncIOp.create(operands=[other], result_types=[i1])) if element == i1 else other

    def between_warps(
        self, parts: list[SSAValue], bits: Sequence[int], mode: str, element: Attribute
    ) -> list[SSAValue]:
        """Each thread leaves its parts in memory of the block, and combines those of all that differ in the bits."""
        launch = self.launch
        assert launch is not None
        threads = 1 << launch.bits
        memory = BYTE if element == i1 else element
        kind = MemRefType(memory, [len(parts), threads], memory_space=WORKGROUP)
        scratch = self.allocated(kind, (len(parts), threads), launch.block, self.location)
        scratch.name_hint = "partial"
        for k, part in enumerate(parts):
            if element == i1:
                part = self.emit(ExtUIOp.create(operands=[part], result_types=[BYTE]))
            self.add(memref.StoreOp.create(operands=[part, scratch, self.number(k), launch.thread], properties={}))
        base = self.masked(threads - 1 - sum(1 << b for b in bits))
        places = [sum(1 << b for b, on in zip(bits, chosen) if on) for chosen in product((0, 1), repeat=len(bits))]
        others = [
            base if not p else self.index_op(arith.AddiOp, base, self.number(p), head=False) for p in sorted(places)
        ]
        out: list[SSAValue] = []
        for k in range(len(parts)):
            total: SSAValue | None = None
            for at in others:
                part = self.loaded(scratch, self.number(k), at)
                if element == i1:
                    part = self.emit(TruncIOp.create(operands=[part], result_types=[i1]))
                total = part if total is None else self.combined(mode, total, part)
            assert total is not None
            out.append(total)
        return out

    def extract(self, value: SSAValue, place: Sequence[int]) -> SSAValue:
        if not isinstance(value.type, VectorType):
            return value
        at = {"static_position": DenseArrayBase.from_list(i64, list(place))}
        return self.emit(
            vector.ExtractOp.create(operands=[value], result_types=[value.type.element_type], properties=at)
        )

    def assembled(self, like: SSAValue, parts: Sequence[SSAValue], places: Sequence[Sequence[int]]) -> SSAValue:
        if not isinstance(like.type, VectorType):
            return parts[0]
        value = like
        for part, place in zip(parts, places):
            at = {"static_position": DenseArrayBase.from_list(i64, list(place))}
            op = vector.InsertOp.create(operands=[part, value], result_types=[like.type], properties=at)
            value = self.emit(op)
        return value

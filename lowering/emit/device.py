"""What a thread of an NVIDIA GPU says otherwise than a CPU: barriers, shuffles, memory of its block and of its own.

    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>     an offset in @mlc_shared
    %p = memref.alloca() : memref<8xf32, #gpu.address_space<private>>        %p = alloca [8 x float]
    gpu.barrier                               call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
    %r, %ok = gpu.shuffle xor %v, %o, %w      call { i32, i1 } @llvm.nvvm.shfl.sync.bfly.i32p(..)

Pointers are generic; the code generator finds out which memory each is in. Everything else is emitted as for a CPU,
with native vectors of 16 bytes, which are what one instruction moves.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType
from xdsl.ir import Operation, SSAValue

from ...dialects.errors import CompileError
from .elementwise import element_of, elementwise
from .idioms import bound, source
from .memory import bytes_in, load_scalar, memory_kind, place, sizes_of
from .state import HANDLERS, Emitter, Fact, Handler, Read, Space
from .text import bits_of, bytes_of, is_float, kind_of, vector_of
from .transfer import transfer_read
from .values import Lead

TRIPLE = "nvptx64-nvidia-cuda"
VECTOR_BYTES = 16
"""What one access of a thread moves at most."""
WARP = 32
SHARED = "mlc_shared"
SHARED_ALIGNMENT = 128
SHARED_SYMBOL = f"@{SHARED} = external addrspace(3) global [0 x i8], align {SHARED_ALIGNMENT}"
SHUFFLES = {"xor": "bfly", "up": "up", "down": "down", "idx": "idx"}

DEVICE: dict[str, Handler] = {}
"""Of operations that a thread's code says otherwise, before `HANDLERS`."""
NEEDS: dict[str, int] = {}
"""Of operations that not every architecture has, the number of the first that does."""


class Shared(Space):
    """The memory of a block: all of it is one array, of which allocations have parts."""

    def take(self, size: int, alignment: int = SHARED_ALIGNMENT) -> int:
        offset = -(-self.bytes // alignment) * alignment
        self.bytes = offset + size
        return offset


def handlers() -> dict[str, Handler]:
    return {**HANDLERS, **DEVICE}


def on_device(*names: str, needs: int = 0) -> Callable[[Handler], Handler]:
    """Register what emits operations; `needs`: the number of the first architecture that has them."""

    def register(handler: Handler) -> Handler:
        DEVICE.update(dict.fromkeys(names, handler))
        if needs:
            NEEDS.update(dict.fromkeys(names, needs))
        return handler

    return register


# ---- identity
def special(e: Emitter, register: str, below: int) -> str:
    """A special register, less than `below`, as an index value."""
    name = f"llvm.nvvm.read.ptx.sreg.{register}"
    e.declare("i32", name)
    number = e.op(f"call range(i32 0, {below}) i32 @{name}()", 0)
    return e.op(f"zext nneg i32 {number} to i64", 0)


# ---- memory
def space_of(op: Operation) -> str:
    """Whose memory an allocation is: `workgroup`, `private`, or "" where that is not said."""
    kind: Any = op.results[0].type
    assert isinstance(kind, MemRefType)
    space: Any = kind.memory_space
    return str(space.data) if space.name == "gpu.address_space" else ""


@on_device("memref.alloc", "memref.alloca")
def allocate(e: Emitter, op: Operation) -> None:
    sizes, space = sizes_of(e, op), space_of(op)
    total = bytes_in(e, op, sizes)
    if not isinstance(total, int):
        raise CompileError(f"{op.name}: expected a static size in a launch, found {op.results[0].type}", op.location)
    alignment = op.properties.get("alignment")
    wanted = alignment.value.data if isinstance(alignment, IntegerAttr) else VECTOR_BYTES
    kind = memory_kind(kind_of(element_of_memory(op)))
    if space == "workgroup":
        assert isinstance(e.space, Shared)
        most = SHARED_ALIGNMENT if total >= SHARED_ALIGNMENT else VECTOR_BYTES
        start = e.space.take(total, max(most, min(wanted, SHARED_ALIGNMENT)))
        whole = f"addrspacecast (ptr addrspace(3) @{SHARED} to ptr)"
        pointer = e.op(f"getelementptr i8, ptr {whole}, i64 {start}", 0)
        e.facts[pointer] = Fact(max(most, min(wanted, SHARED_ALIGNMENT)))
    elif space == "private":
        aligned = max(VECTOR_BYTES, wanted)
        pointer = f"%own{e.fresh()}"
        e.scopes[0].insert(0, f"  {pointer} = alloca [{max(1, total // bytes_of(kind))} x {kind}], align {aligned}")
        e.facts[pointer] = Fact(aligned)
    else:
        expected = "the memory space workgroup or private in a launch"
        raise CompileError(f"{op.name}: expected {expected}, found {op.results[0].type}", op.location)
    e.depth[pointer] = 0
    place(e, op, sizes, pointer)


def element_of_memory(op: Operation) -> Any:
    kind = op.results[0].type
    assert isinstance(kind, MemRefType)
    return kind.element_type


@on_device("vector.transfer_read")
def read(e: Emitter, op: Operation) -> None:
    """Nothing is asked for ahead of time."""
    ahead = op.attributes.pop("mlc.prefetch", None)
    transfer_read(e, op)
    if ahead is not None:
        op.attributes["mlc.prefetch"] = ahead


@on_device("vector.gather")
def gather(e: Emitter, op: Operation) -> None:
    """Lazy; as many loads as the vector has lanes, which where the mask forbids read nothing."""
    result, buffer = op.results[0], op.operands[0]
    indices, mask, other = (e.vector(v) for v in op.operands[2:])
    ref: Any = e.refs[buffer]
    assert ref.strides == [1], "a gather of flat memory"
    base, kind = e.address(ref, [e.index[op.operands[1]]]), ref.kind

    def native(lead: Lead, chunk: int) -> str:
        """All operands first, then one load after the other."""
        width, count = vec.width(chunk), vec.count(chunk)
        _, _, found = indices.nat(lead, chunk), mask.nat(lead, chunk), other.nat(lead, chunk)
        places = [(*lead, chunk * e.lanes + lane) for lane in range(count)]
        pointers = [e.gep(base, memory_kind(kind), indices.sca(at)) for at in places]
        tests = [mask.sca(at) for at in places]
        values = [given(test, pointer, other.sca(at)) for test, pointer, at in zip(tests, pointers, places)]
        for lane, value in enumerate(values):
            found = e.op(f"insertelement {vector_of(kind, width)} {found}, {kind} {value}, i64 {lane}")
        return found

    def given(test: str, pointer: str, otherwise: str) -> str:
        if test == "true":
            return load_scalar(e, kind, pointer)
        n, before = e.fresh(), e.label
        e.line(f"br i1 {test}, label %some{n}, label %none{n}")
        e.start_block(f"some{n}")
        value = load_scalar(e, kind, pointer)
        e.line(f"br label %none{n}")
        e.start_block(f"none{n}")
        return e.op(f"phi {kind} [ {value}, %some{n} ], [ {otherwise}, %{before} ]")

    shape: Any = result.type
    vec = e.vec(kind, shape.get_shape(), native)
    e.env[result] = vec
    e.reads[-1].append(Read(result, vec, ref.root, None))


# ---- values
@on_device("arith.bitcast")
def bitcast(e: Emitter, op: Operation) -> None:
    """The end of a conversion of bf16 is that conversion."""
    emit_as(e, op, source(op))


@on_device("arith.select")
def select(e: Emitter, op: Operation) -> None:
    """A bound of a number is its extreme with that."""
    emit_as(e, op, bound(op))


def emit_as(e: Emitter, op: Operation, found: tuple[type[Operation], *tuple[SSAValue, ...]] | None) -> None:
    """Emit an operation of the kind and on the operands that were found, if any were, in the place of one."""
    if found is None:
        elementwise(e, op)
        return
    kind, *operands = found
    other = kind.create(operands=operands, result_types=[op.results[0].type])
    elementwise(e, other)
    e.env[op.results[0]] = e.env.pop(other.results[0])
    other.erase()


# ---- what the threads of a block do together
@on_device("gpu.barrier")
def barrier(e: Emitter, op: Operation) -> None:
    e.arrive()
    name = "llvm.nvvm.barrier.cta.sync.aligned.all"
    e.declare("void", name, "i32")
    e.line(f"call void @{name}(i32 0)")


@on_device("gpu.shuffle")
def shuffle(e: Emitter, op: Operation) -> None:
    value, offset, width = op.operands
    mode: Any = op.properties["mode"]
    kind, text = element_of(value.type), e.scalar(value)
    steps, clamp = e.scalar(offset), clamp_of(e, mode.data, e.scalar(width))
    bits = bits_of(kind)
    whole = f"i{bits}"
    if is_float(kind):
        text = e.op(f"bitcast {kind} {text} to {whole}")
    parts = [text]
    if bits < WARP:
        parts = [e.op(f"zext {whole} {text} to i32")]
    elif bits > WARP:
        high = e.op(f"lshr {whole} {text}, {WARP}")
        parts = [e.op(f"trunc {whole} {part} to i32") for part in (text, high)]
    name = f"llvm.nvvm.shfl.sync.{SHUFFLES[mode.data]}.i32p"
    e.declare("{ i32, i1 }", name, "i32", "i32", "i32", "i32")
    pairs = [e.op(f"call {{ i32, i1 }} @{name}(i32 -1, i32 {part}, i32 {steps}, i32 {clamp})") for part in parts]
    found = [e.op(f"extractvalue {{ i32, i1 }} {pair}, 0") for pair in pairs]
    result = found[0]
    if bits < WARP:
        result = e.op(f"trunc i32 {result} to {whole}")
    elif bits > WARP:
        low, high = (e.op(f"zext i32 {part} to {whole}") for part in found)
        result = e.op(f"or {whole} {low}, {e.op(f'shl {whole} {high}, {WARP}')}")
    if is_float(kind):
        result = e.op(f"bitcast {whole} {result} to {kind}")
    if isinstance(op.results[0].type, IndexType):
        e.index[op.results[0]] = e.name_index(result, len(e.scopes) - 1)
    else:
        e.env[op.results[0]] = result
    if has_uses(op.results[1]):
        e.env[op.results[1]] = e.op(f"extractvalue {{ i32, i1 }} {pairs[0]}, 1")


def has_uses(value: SSAValue) -> bool:
    return next(iter(value.uses), None) is not None


def clamp_of(e: Emitter, mode: str, width: str) -> str:
    """PTX's operand c: the lanes of a group have bits 8 to 12 in common; the last lane, or of `up` the first one."""
    last = 0 if mode == "up" else WARP - 1
    if width.isdigit():
        return str((WARP - int(width)) << 8 | last)
    apart = e.op(f"shl i32 {e.op(f'sub i32 {WARP}, {width}')}, 8")
    return e.op(f"or i32 {apart}, {last}")


@on_device("gpu.terminator")
def nothing(e: Emitter, op: Operation) -> None:
    """The end of the function."""


__all__ = [
    "DEVICE",
    "NEEDS",
    "SHARED_SYMBOL",
    "TRIPLE",
    "VECTOR_BYTES",
    "Shared",
    "handlers",
    "on_device",
    "special",
    "vector_of",
]

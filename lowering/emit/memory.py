"""memref: buffers, views and single elements. i1 is a byte in memory."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IndexType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StridedLayoutAttr,
    SymbolRefAttr,
)
from xdsl.ir import BlockArgument, Operation, SSAValue

from .elementwise import add
from .state import ALIGNMENT, Emitter, Fact, Form, Ref, emits
from .text import bytes_of, kind_of, literal

VIEWS = (
    "memref.reinterpret_cast",
    "memref.subview",
    "memref.cast",
    "memref.assume_alignment",
    "memref.extract_strided_metadata",
)


def root_of(value: SSAValue) -> SSAValue:
    """The argument or allocation that a memref lies in."""
    while not isinstance(value, BlockArgument) and value.owner.name in VIEWS:  # pyright: ignore
        value = value.owner.operands[0]  # pyright: ignore
    return value


def memory_kind(kind: str) -> str:
    return "i8" if kind == "i1" else kind


def row_major(e: Emitter, sizes: Sequence[int | str]) -> list[int | str]:
    """Strides of a buffer without gaps."""
    strides: list[int | str] = []
    last: int | str = 1
    for size in reversed(sizes):
        strides.insert(0, last)
        if isinstance(size, int) and isinstance(last, int):
            last *= size
        elif last == 1:
            last = size
        elif size != 1:
            name = e.op(f"mul i64 {last}, {size}")
            e.depth[name] = len(e.scopes) - 1
            last = name
    return strides


def mixed(e: Emitter, static: object, dynamic: Iterator[SSAValue]) -> list[Form]:
    """An operand list of constants and values: the dynamic ones are marked in the attribute."""
    assert isinstance(static, DenseArrayBase)
    return [e.index[next(dynamic)] if v == DYNAMIC_INDEX else Form(int(v), {}) for v in static.get_values()]


def as_size(e: Emitter, form: Form) -> int | str:
    return e.index_text(form) if form.terms else form.constant


@emits("memref.alloc", "memref.alloca")
def alloc(e: Emitter, op: Operation) -> None:
    """Static: a place in the workspace, or in the worker's part of it. Dynamic: from the heap until the region ends."""
    sizes = sizes_of(e, op)
    place(e, op, sizes, workspace(e, op, sizes) if all(isinstance(s, int) for s in sizes) else heap(e, op, sizes))


def sizes_of(e: Emitter, op: Operation) -> list[int | str]:
    """The sizes of an allocation."""
    kind, dynamic = op.results[0].type, iter(op.operands)
    assert isinstance(kind, MemRefType)
    return [as_size(e, e.index[next(dynamic)]) if s == DYNAMIC_INDEX else s for s in kind.get_shape()]


def place(e: Emitter, op: Operation, sizes: list[int | str], pointer: str) -> None:
    """Let an allocation be the memory at a pointer."""
    result = op.results[0]
    assert isinstance(result.type, MemRefType) and isinstance(result.type.layout, NoneAttr), "allocations are row-major"
    e.refs[result] = Ref(pointer, sizes, row_major(e, sizes), kind_of(result.type.element_type), result, pointer)


def bytes_in(e: Emitter, op: Operation, sizes: Sequence[int | str]) -> int | str:
    """The size of an allocation."""
    kind = op.results[0].type
    assert isinstance(kind, MemRefType)
    fixed = prod(s for s in sizes if isinstance(s, int)) * bytes_of(kind_of(kind.element_type))
    total: int | str = fixed
    for size in (s for s in sizes if isinstance(s, str)):
        total = e.op(f"mul i64 {total}, {size}")
    return total


def workspace(e: Emitter, op: Operation, sizes: Sequence[int | str]) -> str:
    space, size = e.space, bytes_in(e, op, sizes)
    assert isinstance(size, int)
    offset = space.take(size)
    text = f"getelementptr i8, ptr {space.pointer}, i64 {offset}"
    pointer = e.once((space.pointer, offset), lambda: e.op(text, space.depth), space.depth)
    e.depth[pointer] = space.depth
    return pointer


def heap(e: Emitter, op: Operation, sizes: Sequence[int | str]) -> str:
    e.declare("ptr", "malloc", "i64")
    e.declare("void", "free", "ptr")
    block = e.op(f"call ptr @malloc(i64 {e.op(f'add i64 {bytes_in(e, op, sizes)}, {2 * ALIGNMENT}')})")
    up = e.op(f"add i64 {e.op(f'ptrtoint ptr {block} to i64')}, {ALIGNMENT - 1}")
    pointer = e.op(f"inttoptr i64 {e.op(f'and i64 {up}, {-ALIGNMENT}')} to ptr")
    e.heap[-1].append(f"call void @free(ptr {block})")
    e.depth[pointer] = len(e.scopes) - 1
    return pointer


@emits("memref.dealloc", "memref.assume_alignment")
def nothing(e: Emitter, op: Operation) -> None:
    """Memory goes back with its region."""
    if op.results:
        e.refs[op.results[0]] = e.refs[op.operands[0]]


@emits("memref.cast")
def cast(e: Emitter, op: Operation) -> None:
    e.refs[op.results[0]] = e.refs[op.operands[0]]


@emits("memref.dim")
def dim(e: Emitter, op: Operation) -> None:
    ref, position = e.refs[op.operands[0]], e.constant_of(op.operands[1])
    assert position is not None
    size = ref.sizes[position]
    e.index[op.results[0]] = Form(size, {}) if isinstance(size, int) else e.name_index(size, e.depth.get(size, 0))


@emits("memref.extract_strided_metadata")
def extract_strided_metadata(e: Emitter, op: Operation) -> None:
    """The root as a buffer without dimensions, offset 0 from the view's first element, sizes, strides."""
    ref, results = e.refs[op.operands[0]], list(op.results)
    e.refs[results[0]] = ref._replace(sizes=[], strides=[])
    e.index[results[1]] = Form(0, {})
    for result, value in zip(results[2:], [*ref.sizes, *ref.strides], strict=True):
        e.index[result] = Form(value, {}) if isinstance(value, int) else e.name_index(value, e.depth.get(value, 0))


@emits("memref.reinterpret_cast")
def reinterpret_cast(e: Emitter, op: Operation) -> None:
    ref, dynamic = e.refs[op.operands[0]], iter(op.operands[1:])
    offsets = mixed(e, op.properties["static_offsets"], dynamic)
    sizes = mixed(e, op.properties["static_sizes"], dynamic)
    strides = mixed(e, op.properties["static_strides"], dynamic)
    at = ref._replace(pointer=ref.base, strides=[1])
    pointer = e.address(at, offsets) if offsets else ref.base
    e.depth.setdefault(pointer, len(e.scopes) - 1)
    sizes_, strides_ = [as_size(e, s) for s in sizes], [as_size(e, s) for s in strides]
    e.refs[op.results[0]] = ref._replace(pointer=pointer, sizes=sizes_, strides=strides_)


@emits("memref.subview")
def subview(e: Emitter, op: Operation) -> None:
    ref, dynamic = e.refs[op.operands[0]], iter(op.operands[1:])
    offsets = mixed(e, op.properties["static_offsets"], dynamic)
    sizes = [as_size(e, s) for s in mixed(e, op.properties["static_sizes"], dynamic)]
    steps = mixed(e, op.properties["static_strides"], dynamic)
    pointer = e.address(ref, offsets)
    e.depth.setdefault(pointer, len(e.scopes) - 1)
    strides = [product(e, stride, as_size(e, step)) for stride, step in zip(ref.strides, steps)]
    kind = op.results[0].type
    assert isinstance(kind, MemRefType)
    dropped = len(sizes) - kind.get_num_dims()
    kept: list[int] = []
    for i, size in enumerate(sizes):
        if dropped and size == 1 and (len(kept) >= kind.get_num_dims() or kind.get_shape()[len(kept)] != 1):
            dropped -= 1
        else:
            kept.append(i)
    e.refs[op.results[0]] = ref._replace(
        pointer=pointer, sizes=[sizes[i] for i in kept], strides=[strides[i] for i in kept]
    )


def product(e: Emitter, a: int | str, b: int | str) -> int | str:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 1 or b == 1:
        return b if a == 1 else a
    depth = max(e.depth.get(x, 0) for x in (a, b) if isinstance(x, str))
    name = e.once(("mul", a, b), lambda: e.op(f"mul i64 {a}, {b}", depth), depth)
    e.depth[name] = depth
    return name


@emits("memref.get_global")
def get_global(e: Emitter, op: Operation) -> None:
    """A constant table in the kernel's own object."""
    name, result = op.properties["name"], op.results[0]
    assert isinstance(name, SymbolRefAttr) and isinstance(result.type, MemRefType)
    module = op
    while not isinstance(module, ModuleOp):
        module = module.parent_op()
        assert module is not None
    symbol = name.root_reference.data
    found = next(o for o in module.walk() if o.name == "memref.global" and o.properties["sym_name"].data == symbol)  # pyright: ignore
    value = found.properties["initial_value"]
    assert isinstance(value, DenseIntOrFPElementsAttr)
    kind = kind_of(result.type.element_type)
    stored, count = memory_kind(kind), prod(result.type.get_shape())
    values = [int(v) if kind == "i1" else v for v in value.get_values()]
    items = values * count if value.is_splat() else values
    text = ", ".join(f"{stored} {literal(v, stored)}" for v in items)
    line = f'@"{symbol}" = private unnamed_addr constant [{count} x {stored}] [{text}], align {ALIGNMENT}'
    if line not in e.globals:
        e.globals.append(line)
    e.depth[f'@"{symbol}"'] = 0
    if e.facts:
        e.facts[f'@"{symbol}"'] = Fact(ALIGNMENT, True)
    sizes: list[int | str] = list(result.type.get_shape())
    e.refs[result] = Ref(f'@"{symbol}"', sizes, row_major(e, sizes), kind, result, f'@"{symbol}"')


# ---- single elements
@emits("memref.load")
def load(e: Emitter, op: Operation) -> None:
    ref = e.refs[op.operands[0]]
    value = load_scalar(e, ref.kind, e.address(ref, [e.index[i] for i in op.operands[1:]]))
    if isinstance(op.results[0].type, IndexType):
        e.index[op.results[0]] = e.name_index(value, len(e.scopes) - 1)
    else:
        e.env[op.results[0]] = value


@emits("memref.store")
def store(e: Emitter, op: Operation) -> None:
    ref = e.refs[op.operands[1]]
    value = e.scalar(op.operands[0])
    e.writes(ref.root, None)
    store_scalar(e, ref.kind, value, e.address(ref, [e.index[i] for i in op.operands[2:]]))


def load_scalar(e: Emitter, kind: str, pointer: str) -> str:
    if kind == "i1":
        return e.op(f"trunc i8 {e.op(f'load i8, ptr {pointer}, {e.known(pointer, kind)}')} to i1")
    return e.op(f"load {kind}, ptr {pointer}, {e.known(pointer, kind)}")


def store_scalar(e: Emitter, kind: str, value: str, pointer: str) -> None:
    if kind == "i1":
        kind, value = "i8", e.op(f"zext i1 {value} to i8")
    e.line(f"store {kind} {value}, ptr {pointer}, {e.known(pointer, kind)}")


def layout_of(e: Emitter, kind: MemRefType, name: str) -> tuple[list[int | str], list[int | str], list[str]]:
    """Sizes and strides of an argument, and the names of the parameters that hold those known at run time only."""
    sizes: list[int | str] = [s if s != DYNAMIC_INDEX else f"%{name}_s{d}" for d, s in enumerate(kind.get_shape())]
    parameters = [s for s in sizes if isinstance(s, str)]
    e.depth.update(dict.fromkeys(parameters, 0))
    layout = kind.layout
    if isinstance(layout, StridedLayoutAttr):
        given = [s.data if not isinstance(s, NoneAttr) else None for s in layout.strides]
        strides: list[int | str] = [s if s is not None else f"%{name}_t{d}" for d, s in enumerate(given)]
        extra = [s for s in strides if isinstance(s, str)]
        e.depth.update(dict.fromkeys(extra, 0))
        return sizes, strides, parameters + extra
    assert isinstance(layout, NoneAttr), f"layout {layout}"
    return sizes, row_major(e, sizes), parameters


__all__ = ["add", "layout_of", "load_scalar", "memory_kind", "root_of", "row_major", "store_scalar"]

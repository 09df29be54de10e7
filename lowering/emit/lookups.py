"""What an instruction looks up in the lanes of a register: elements of four bits as floats, entries of tables.

    %a = arith.shli %x, 28 : i32            the lower four bits of %x, with their sign
    %b = arith.shrsi %a, 28 : i32
    %c = arith.sitofp %b : i32 to f32  ->   call @permvar(<0.0, 1.0, .. 7.0, -8.0, .. -1.0>, %x)

    %i = arith.andi %x, 15 : i32
    %y = vector.gather %table[%c16] [%i]  ->  call @permvar(<%table[16], .. %table[31]>, %x)

The instruction looks at no other bits of %x, so what cuts them off goes, and one instruction is left of three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from .matchers import constant, operation
from .state import ALIGNMENT, Emitter, Ref
from .text import bits_of, kind_of, literal, vector_of
from .transpose import resize
from .values import Lead, Vec

BITS = 4


class Lookup(NamedTuple):
    """Instructions that take entries of a table by the lowest bits of indices as wide as these: their number, the LLVM
    intrinsics, of tables of f32 in one register and of f64 in two, and the target features of which one is needed."""

    entries: int
    single: str
    double: str
    features: tuple[str, ...]


LOOKUPS: dict[str, Lookup] = {
    "permute16": Lookup(16, "llvm.x86.avx512.permvar.sf.512", "llvm.x86.avx512.vpermi2var.pd.512", ("+avx512f",))
}


def register_entries(dots: Sequence[str]) -> int:
    """Entries of a table that one instruction of a machine looks up; 0: it has none."""
    return next((LOOKUPS[name].entries for name in dots if name in LOOKUPS), 0)


def looked_up(e: Emitter, op: Operation, converted: Vec) -> Vec:
    """What an op converts, `converted` where there is no instruction for it."""
    row = next((LOOKUPS[name] for name in e.dots if name in LOOKUPS), None)
    index = nibble(op) if row is not None and converted.kind == "float" else None
    if row is None or index is None:
        return converted
    signed, source = op.name == "arith.sitofp", e.env[index]
    if not isinstance(source, Vec) or source.kind != "i32":
        return converted
    half = 1 << (BITS - 1)
    entries = [k - 2 * half if signed and k >= half else k for k in range(2 * half)]
    table = ", ".join(f"float {k}.0" for k in entries)

    def native(lead: Lead, chunk: int) -> str:
        if out.width(chunk) != row.entries:
            return converted.nat(lead, chunk)
        return permuted(e, row, "float", [table], source.nat(lead, chunk))

    out = e.vec("float", converted.shape, native, sources=[source])
    return out


def permuted(e: Emitter, row: Lookup, kind: str, tables: Sequence[str], index: str) -> str:
    """By the row's instruction for one or two registers of a table."""
    lanes = row.entries // len(tables)
    floats, integers = vector_of(kind, lanes), vector_of(f"i{bits_of(kind)}", lanes)
    first, *more = (f"{floats} <{table}>" for table in tables)
    name = row.double if more else row.single
    e.declare(floats, name, floats, integers, *([floats] if more else []))
    return e.op(f"call {floats} @{name}({', '.join([first, f'{integers} {index}', *more])})")


def entry_of_table(e: Emitter, op: Operation) -> Vec | None:
    """Of a constant table, at indices that are below the number of entries; None: there is no instruction for it."""
    row = next((LOOKUPS[name] for name in e.dots if name in LOOKUPS), None)
    base, offset, index, everywhere, _ = op.operands
    table, first = operation(base, "arith.constant"), e.constant_of(offset)
    if row is None or table is None or first is None or not constant(everywhere) or lowest(index) is index:
        return None
    given: Any = table.properties["value"]
    kind, entries = kind_of(given.type.element_type), given.get_values()[first : first + row.entries]
    lanes = {"float": row.entries, "double": row.entries // 2}.get(kind, 0)
    if len(entries) < row.entries or e.lanes > lanes:
        return None
    texts = [f"{kind} {literal(v, kind)}" for v in entries]
    tables = [", ".join(texts[k : k + lanes]) for k in range(0, row.entries, lanes)]
    indices = e.vector(lowest(index))

    def native(lead: Lead, chunk: int) -> str:
        width = indices.width(chunk)
        at = resize(e, indices.nat(lead, chunk), indices.kind, width, lanes)
        return resize(e, permuted(e, row, kind, tables, at), kind, lanes, width)

    return e.vec(kind, indices.shape, native, sources=[indices])


def table_in_memory(e: Emitter, table: SSAValue) -> Ref:
    """A constant table in the kernel's own object."""
    assert isinstance(table.owner, Operation)
    given: Any = table.owner.properties["value"]
    kind, values = kind_of(given.type.element_type), given.get_values()
    items = ", ".join(f"{kind} {literal(v, kind)}" for v in values)
    data = f"private unnamed_addr constant [{len(values)} x {kind}] [{items}], align {ALIGNMENT}"

    def make() -> str:
        name = f'@"{e.name}.table{e.fresh()}"'
        e.globals.append(f"{name} = {data}")
        return name

    name = e.once(("table", data), make, 0)
    e.depth[name] = 0
    return Ref(name, [len(values)], [1], kind, table, name)


def nibble(op: Operation) -> SSAValue | None:
    """The value whose lowest four bits, with their sign or without, are converted; None: it is another number."""
    if op.name == "arith.sitofp":
        right = op.operands[0].owner
        if not isinstance(right, arith.ShRSIOp) or constant(right.operands[1]) != 32 - BITS:
            return None
        left = right.operands[0].owner
        if isinstance(left, arith.ShLIOp) and constant(left.operands[1]) == 32 - BITS:
            return lowest(left.operands[0])
    if op.name == "arith.uitofp":
        found = lowest(op.operands[0])
        return found if found is not op.operands[0] else None
    return None


def lowest(value: SSAValue) -> SSAValue:
    """The value without what keeps its lowest four bits and nothing else."""
    op = value.owner
    while isinstance(op, arith.AndIOp) and constant(op.operands[1]) == (1 << BITS) - 1:
        value = op.operands[0]
        op = value.owner
    return value

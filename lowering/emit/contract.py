"""vector.contract: sums of products, by one row for each instruction, or multiply by multiply.

    acc[i, j] += sum over k of lhs[i, k] * rhs[j, k]

An instruction that adds several products of narrow factors takes the k of one element as a word: `lhs` is a word in all
lanes, `rhs` words side by side. Its factors are the operands of the extensions that the products are made of, so that
the IR means the same where there is no such instruction.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from ...dialects.vector.ops import ContractOp
from .access import Access
from .elementwise import element_of
from .float_parts import FLOAT_PARTS
from .lookups import LOOKUPS
from .shapes import KINDS, bind, shape_of
from .state import Emitter, emits
from .table import Types, prepare
from .text import bits_of, bytes_of, is_float, mask, vector_of
from .values import Lead, Native, Scalar, Vec

SIGNED, UNSIGNED = "arith.extsi", "arith.extui"
FLOAT = "arith.extf"


class Dot(NamedTuple):
    """An instruction `acc + sum of ways products`: extensions of its factors, their type and the sum's, the LLVM
    intrinsic for each count of lanes, and the target features of which it needs one (of any width, of all widths)."""

    ways: int
    extensions: tuple[str, str]
    factor: str
    sum: str
    intrinsics: dict[int, str]
    features: tuple[str, ...]

    def operand(self, lanes: int) -> str:
        return vector_of(self.factor, self.ways * lanes)

    @property
    def word(self) -> str:
        return f"i{self.ways * bits_of(self.factor)}"


X86 = {16: "512", 8: "256", 4: "128"}
DOTS: dict[str, Dot] = {
    "u8s8": Dot(
        4,
        (UNSIGNED, SIGNED),
        "i8",
        "i32",
        {n: f"llvm.x86.avx512.vpdpbusd.{bits}" for n, bits in X86.items()},
        ("+avx512vnni", "+avxvnni"),
    ),
    "s8s8": Dot(4, (SIGNED, SIGNED), "i8", "i32", {4: "llvm.aarch64.neon.sdot.v4i32.v16i8"}, ("+dotprod",)),
    "bf16": Dot(
        2,
        (FLOAT, FLOAT),
        "bfloat",
        "float",
        {n: f"llvm.x86.avx512bf16.dpbf16ps.{bits}" for n, bits in X86.items()},
        ("+avx512bf16",),
    ),
}


def runnable(dots: Sequence[str], features: str) -> list[str]:
    """Those of some rows that code for a target with these features may hold."""
    given = set(features.split(","))
    return [name for name in dots if given & set((DOTS | LOOKUPS | FLOAT_PARTS)[name].features)]


class Maps(NamedTuple):
    """The iterators of the dimensions of both factors and of the sum, and the extent of each."""

    lhs: tuple[int, ...]
    rhs: tuple[int, ...]
    acc: tuple[int, ...]
    extents: dict[int, int]

    @property
    def reduced(self) -> list[int]:
        return [d for d in sorted(self.extents) if d not in self.acc]


def maps_of(op: ContractOp) -> Maps:
    lhs, rhs, acc = (_positions(m) for m in op.indexing_maps.data)
    sizes = (*zip(lhs, shape_of(op.lhs.type)), *zip(rhs, shape_of(op.rhs.type)), *zip(acc, shape_of(op.acc.type)))
    return Maps(lhs, rhs, acc, dict(sizes))


def _positions(m: AffineMapAttr) -> tuple[int, ...]:
    return tuple(f.position for f in m.data.results if isinstance(f, AffineDimExpr))


@emits("vector.contract")
def contract(e: Emitter, op: Operation) -> None:
    assert isinstance(op, ContractOp)
    maps, acc = maps_of(op), e.env[op.acc]
    if isinstance(acc, Vec):
        e.env[op.res] = e.vec(acc.kind, acc.shape, by_dots(e, op, maps, acc) or by_products(e, op, maps, acc))
        return
    total, kind = acc, element_of(op.acc.type)
    for point in points(maps):
        factors = [scalar_factor(e, v, dims, point, kind) for v, dims in ((op.lhs, maps.lhs), (op.rhs, maps.rhs))]
        total = added(e, op, kind, factors, total, 0)
    bind(e, op.res, total)


# ---- products one by one
def points(maps: Maps) -> Iterator[dict[int, int]]:
    """Every point of the reduced iterators."""
    reduced = maps.reduced
    return (dict(zip(reduced, at)) for at in product(*(range(maps.extents[d]) for d in reduced)))


def by_products(e: Emitter, op: ContractOp, maps: Maps, acc: Vec) -> Native:
    """A multiplication and an addition for each point of the reduced iterators, on vectors along the sum's last."""

    def native(lead: Lead, chunk: int) -> str:
        total, width, count = acc.nat(lead, chunk), acc.width(chunk), acc.count(chunk)
        lanes = range(chunk * e.lanes, chunk * e.lanes + count)
        for point in points(maps):
            at = {**point, **dict(zip(maps.acc, lead))}
            sides = ((op.lhs, maps.lhs), (op.rhs, maps.rhs))
            factors = [vector_factor(e, v, dims, at, maps.acc[-1], chunk, lanes, width, acc.kind) for v, dims in sides]
            total = added(e, op, acc.kind, factors, total, width)
        return total

    return native


def vector_factor(
    e: Emitter,
    value: SSAValue,
    dims: Sequence[int],
    at: Mapping[int, int],
    along: int,
    chunk: int,
    lanes: range,
    width: int,
    kind: str,
) -> str:
    """A factor at a point of all iterators but `along`, which the lanes run along, as elements of `kind`."""
    vec = e.vector(value)
    if along not in dims:
        return e.splat(scalar_factor(e, value, dims, at, kind), kind, width)
    if dims[-1] == along:
        return widened(e, vec.kind, kind, vec.nat(tuple(at[d] for d in dims[:-1]), chunk), width)
    found = "zeroinitializer"
    for place, lane in enumerate(lanes):
        item = scalar_factor(e, value, dims, {**at, along: lane}, kind)
        found = e.op(f"insertelement {vector_of(kind, width)} {found}, {kind} {item}, i64 {place}")
    return found


def scalar_factor(e: Emitter, value: SSAValue, dims: Sequence[int], at: Mapping[int, int], kind: str) -> str:
    vec = e.vector(value)
    return widened(e, vec.kind, kind, vec.sca(tuple(at[d] for d in dims)), 0)


def widened(e: Emitter, source: str, kind: str, value: str, width: int) -> str:
    """Upstream's meaning of a factor that is narrower than the sum: it keeps its value, integers their sign."""
    if source == kind:
        return value
    name = FLOAT if is_float(kind) else SIGNED
    return e.instruct(prepare(name, Types(source, "", kind, width, 0)), [value])


def added(e: Emitter, op: ContractOp, kind: str, factors: list[str], total: str, width: int) -> str:
    """The sum and one more product; both may be rounded as one."""
    whole = is_float(kind)
    flags = " contract" if whole and op.kind.data.value == "add" else ""
    term = e.apply("arith.mulf" if whole else "arith.muli", kind, factors, width, flags)
    return e.apply(KINDS[op.kind.data.value][0 if whole else 1], kind, [total, term], width, flags)


# ---- instructions that add several products
def by_dots(e: Emitter, op: ContractOp, maps: Maps, acc: Vec) -> Native | None:
    """The sums by the machine's instruction for such factors; None: there is none."""
    for dot in (DOTS[name] for name in e.dots if name in DOTS):
        for sides in ((0, 1), (1, 0)):
            found = _factors(op, maps, dot, sides)
            if found is not None and acc.kind == dot.sum and acc.width(0) in dot.intrinsics:
                return _dots(e, op, dot, maps, acc, [e.vector(v) for v in found], sides)
    return None


def _factors(op: ContractOp, maps: Maps, dot: Dot, sides: tuple[int, int]) -> tuple[SSAValue, SSAValue] | None:
    """The narrow factors in the order of the instruction, if each is extended as it says and the sum is over their last
    dimension alone."""
    operands, dims = (op.lhs, op.rhs), (maps.lhs, maps.rhs)
    found: list[SSAValue] = []
    for side, extension in zip(sides, dot.extensions):
        owner = operands[side].owner
        last = dims[side][-1:]
        if not isinstance(owner, Operation) or owner.name != extension or list(last) != maps.reduced:
            return None
        found.append(owner.operands[0])
    if maps.extents[maps.reduced[0]] != dot.ways or op.kind.data.value != "add":
        return None
    lanes = maps.acc[-1]
    wide = [d for d in dims if lanes in d]
    narrow = all(element_of(v.type) == dot.factor for v in found)
    return (found[0], found[1]) if narrow and len(wide) == 1 and wide[0][-2:-1] == (lanes,) else None


def _dots(
    e: Emitter, op: ContractOp, dot: Dot, maps: Maps, acc: Vec, factors: Sequence[Vec], sides: tuple[int, int]
) -> Native:
    """By an instruction; what is left of a row is too short for one."""
    rest = by_products(e, op, maps, acc)
    dims = [(maps.lhs, maps.rhs)[side][:-1] for side in sides]
    packed = [words(e, vec, dot.word) for vec in factors]

    def operand(k: int, at: dict[int, int], chunk: int, width: int) -> str:
        lead = tuple(at.get(d, 0) for d in dims[k])
        if dims[k][-1:] == maps.acc[-1:]:
            value = packed[k].nat(lead[:-1], chunk)
        else:
            value = e.splat(packed[k].sca(lead or (0,)), dot.word, width)
        return e.op(f"bitcast {vector_of(dot.word, width)} {value} to {dot.operand(width)}")

    def native(lead: Lead, chunk: int) -> str:
        at, width = dict(zip(maps.acc, lead)), acc.width(chunk)
        if width not in dot.intrinsics:
            return rest(lead, chunk)
        kind, name = vector_of(dot.sum, width), dot.intrinsics[width]
        e.declare(kind, name, kind, dot.operand(width), dot.operand(width))
        a, b = (operand(k, at, chunk, width) for k in (0, 1))
        total = acc.nat(lead, chunk)
        return e.op(f"call {kind} @{name}({kind} {total}, {dot.operand(width)} {a}, {dot.operand(width)} {b})")

    return native


def words(e: Emitter, vec: Vec, word: str) -> Vec:
    """The last dimension of a vector as one word: loaded as such where its elements are neighbours in memory. A vector
    of one dimension is one word."""
    count, access, shape, rank = vec.shape[-1], vec.access, vec.shape[:-1] or (1,), len(vec.shape)
    if not isinstance(access, Access) or access.steps[-1] != 1 or any(access.limits):
        collected: Scalar = lambda at: e.op(f"bitcast {vec.type(0)} {vec.nat(at[: rank - 1], 0)} to {word}")
        return e.vec(word, shape, None, collected)
    align = f"align {bytes_of(vec.kind)}"

    def scalar(at: Lead) -> str:
        return e.op(f"load {word}, ptr {access.at((*at[: rank - 1], 0))}, {align}")

    def native(lead: Lead, chunk: int) -> str:
        width, used = out.width(chunk), out.count(chunk)
        kind, pointer = vector_of(word, width), access.at((*lead, chunk * out.lanes, 0))
        if used == width:
            return e.op(f"load {kind}, ptr {pointer}, {align}")
        name, bits = f"llvm.masked.load.v{width}{word}.p0", vector_of("i1", width)
        e.declare(kind, name, "ptr", "i32", bits, kind)
        lanes = mask(used, width)
        return e.op(
            f"call {kind} @{name}(ptr {pointer}, i32 {bytes_of(vec.kind)}, {bits} {lanes}, {kind} zeroinitializer)"
        )

    dense = rank > 1 and access.steps[-2] == count
    out = e.vec(word, shape, native if dense else None, scalar)
    return out

"""Operations of the table, constants and index arithmetic: scalars at once, vectors chunk by chunk on demand."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import (
    AffineMapAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineDimExpr, AffineExpr

from .float_parts import by_number, by_scale
from .logarithm_parts import by_exponent, by_fraction, by_kind
from .lookups import looked_up
from .masked import by_mask
from .matchers import splat_of
from .numbers import row_of
from .state import HANDLERS, Emitter, Form, emits
from .table import FLOAT_PREDICATES, INTEGER_PREDICATES, TABLE, Prepared, Types, flags_of, is_nothing, prepare
from .text import kind_of, literal, vector_of
from .values import Lead, Vec


def elementwise(e: Emitter, op: Operation) -> None:
    result = op.results[0]
    kind = result.type
    if isinstance(kind, VectorType) and kind.get_num_dims():
        _vector(e, op, kind)
    elif isinstance(kind, IndexType):
        _index(e, op)
    else:
        name = op.name if e.gpu else row_of(op)
        types, operands = _scalar_types(op, kind), [e.scalar(o) for o in op.operands]
        e.env[result] = operands[0] if is_nothing(name, types) else e.instruct(prepare(name, types, e.gpu), operands)


for _name in TABLE:
    HANDLERS[_name] = elementwise


def element_of(kind: Attribute) -> str:
    return kind_of(kind.element_type if isinstance(kind, VectorType) else kind)


def _details(op: Operation) -> tuple[str, str]:
    """Fast-math flags and comparison predicate, as LLVM spells them."""
    flags, predicate = "", ""
    fastmath = op.properties.get("fastmath")
    if isinstance(fastmath, FastMathFlagsAttr):
        flags = flags_of(sorted(flag.value for flag in fastmath.data))
    number = op.properties.get("predicate")
    if isinstance(number, IntegerAttr):
        predicate = (FLOAT_PREDICATES if op.name == "arith.cmpf" else INTEGER_PREDICATES)[number.value.data]
    return flags, predicate


def _scalar_types(op: Operation, kind: Attribute) -> Types:
    kinds = [element_of(o.type) for o in op.operands]
    return Types(kinds[0], kinds[1] if len(kinds) > 1 else "", element_of(kind), 0, 0, *_details(op))


def _vector(e: Emitter, op: Operation, kind: VectorType) -> None:
    arguments = [e.env[o] if isinstance(o.type, VectorType) else e.scalar(o) for o in op.operands]
    first, second = element_of(op.operands[0].type), element_of(op.operands[min(1, len(arguments) - 1)].type)
    choice = isinstance(arguments[0], str)  # the condition of a select may be one scalar for all lanes
    name, element = op.name if e.gpu else row_of(op), kind_of(kind.element_type)
    details = _details(op)
    rows: dict[int, Prepared | None] = {}

    def row(width: int) -> Prepared | None:
        """The instructions for native vectors of `width` (0: scalars); None: there are none."""
        if width not in rows:
            types = Types(first, second, element, 0 if choice else width, width, *details)
            rows[width] = None if is_nothing(name, types) else prepare(name, types, e.gpu)
        return rows[width]

    def native(lead: Lead, chunk: int) -> str:
        operands = [a.nat(lead, chunk) if isinstance(a, Vec) else a for a in arguments]
        prepared = row(vec.width(chunk))
        return operands[0] if prepared is None else e.instruct(prepared, operands)

    def scalar(at: Lead) -> str:
        operands = [a.sca(at) if isinstance(a, Vec) else a for a in arguments]
        prepared = row(0)
        return operands[0] if prepared is None else e.instruct(prepared, operands)

    narrow = kind.get_shape()[-1] == 1 and all(a.scalar is not None for a in arguments if isinstance(a, Vec))
    sources = [a for a in arguments if isinstance(a, Vec)]
    vec = e.vec(element, kind.get_shape(), None if narrow else native, scalar if narrow else None, sources=sources)
    made = vec
    for instead in INSTEAD.get(name, ()) if e.dots else ():
        made = instead(e, op, made)
    e.env[op.results[0]] = made


INSTEAD: dict[str, Sequence[Callable[[Emitter, Operation, Vec], Vec]]] = {
    "arith.sitofp": (looked_up, by_exponent),
    "arith.uitofp": (looked_up,),
    "arith.bitcast": (by_fraction,),
    "arith.mulf": (by_scale,),
    "arith.select": (by_kind,),
    "arith.maximumf": (by_number,),
    "arith.minimumf": (by_number,),
    "arith.minsi": (by_mask,),
    "arith.maxsi": (by_mask,),
    "arith.minui": (by_mask,),
    "arith.maxui": (by_mask,),
}
"""What may know a machine's instruction for an operation and some that its operands come from: gives that, or the
value as it is made without."""


# ---- index values
def _index(e: Emitter, op: Operation) -> None:
    """Sums and multiples stay linear forms; the rest is computed in the innermost loop that binds an operand."""
    result = op.results[0]
    forms = [e.index.get(o) for o in op.operands]
    if len(forms) == 2:
        a, b = forms
        if a is not None and b is not None:
            if op.name in ("arith.addi", "arith.subi"):
                e.index[result] = add(a, scaled(b, 1 if op.name == "arith.addi" else -1))
                return
            if op.name == "arith.muli" and not (a.terms and b.terms):
                e.index[result] = scaled(a, b.constant) if not b.terms else scaled(b, a.constant)
                return
    define(e, result, op.name, list(op.operands), _details(op)[1])


BETWEEN = (
    *("arith.minsi", "arith.maxsi", "arith.minui", "arith.maxui", "arith.remsi", "arith.remui"),
    "arith.select",
)
"""What is one of two numbers, or a remainder, is a multiple of what both are."""

BITWISE = ("arith.andi", "arith.ori", "arith.xori")
"""What has the bits of numbers that are multiples of a power of two is one, too."""


FOLDS: dict[str, Callable[[int, int], int]] = {
    "arith.minsi": min,
    "arith.maxsi": max,
    "arith.andi": lambda a, b: a & b,
    "arith.divsi": lambda a, b: a // b,
    "arith.divui": lambda a, b: a // b,
    "arith.floordivsi": lambda a, b: a // b,
    "arith.ceildivsi": lambda a, b: -(-a // b),
    "arith.remsi": lambda a, b: a % b,
    "arith.remui": lambda a, b: a % b,
    "arith.shrui": lambda a, b: a >> b,
}
"""Of numbers that are not negative, divisors and shifts of positive ones."""


def folded(name: str, forms: Sequence[Form | None]) -> int | None:
    """The value of an operation on constants. A thread would get it as a parameter, of which LLVM knows nothing."""
    fold = FOLDS.get(name)
    if fold is None:
        return None
    numbers = [f.constant for f in forms if f is not None and not f.terms]
    if len(numbers) < 2 or min(numbers) < 0 or (("div" in name or "rem" in name) and not numbers[1]):
        return None
    return fold(*numbers) if numbers[1] < 64 or name != "arith.shrui" else None


def define(e: Emitter, result: SSAValue, name: str, operands: list[SSAValue], predicate: str = "") -> None:
    forms = [e.index.get(o) for o in operands]
    if e.facts and (number := folded(name, forms)) is not None:
        e.index[result] = Form(number, {})
        return
    depth = max((e.depth_of(f) if f is not None else len(e.scopes) - 1) for f in forms)
    kinds = [element_of(o.type) for o in operands]
    types = Types(kinds[0], kinds[min(1, len(kinds) - 1)], "i64", 0, 0, "", predicate)
    texts = [e.scalar(o) for o in operands]
    value = texts[0] if is_nothing(name, types) else e.instruct(prepare(name, types), texts, depth)
    e.index[result] = e.name_index(value, depth)
    if name in (*BETWEEN, *BITWISE) and e.facts:
        both = gcd(*(e.multiple_of_form(f) if f is not None else 1 for f in forms[-2:]))
        e.multiples[value] = both & -both if name in BITWISE else both


def add(a: Form, b: Form) -> Form:
    terms = dict(a.terms)
    for name, factor in b.terms.items():
        terms[name] = terms.get(name, 0) + factor
    return Form(a.constant + b.constant, {n: k for n, k in terms.items() if k})


def scaled(a: Form, factor: int) -> Form:
    return Form(a.constant * factor, {n: k * factor for n, k in a.terms.items()} if factor else {})


BINARY: dict[AffineBinaryOpKind, str] = {
    AffineBinaryOpKind.Mul: "arith.muli",
    AffineBinaryOpKind.FloorDiv: "arith.floordivsi",
    AffineBinaryOpKind.CeilDiv: "arith.ceildivsi",
}


def affine_form(e: Emitter, expr: AffineExpr, dims: Sequence[Form], symbols: Sequence[Form]) -> Form:
    """The value of an affine expression; divisions by powers of loop variables are computed in their loop."""
    if isinstance(expr, AffineConstantExpr):
        return Form(expr.value, {})
    if isinstance(expr, AffineDimExpr):
        return dims[expr.position]
    if not isinstance(expr, AffineBinaryOpExpr):
        return symbols[expr.position]  # pyright: ignore
    a, b = affine_form(e, expr.lhs, dims, symbols), affine_form(e, expr.rhs, dims, symbols)
    if expr.kind is AffineBinaryOpKind.Add:
        return add(a, b)
    if expr.kind is AffineBinaryOpKind.Mul and not (a.terms and b.terms):
        return scaled(a, b.constant) if not b.terms else scaled(b, a.constant)
    depth = max(e.depth_of(a), e.depth_of(b))

    def compute(name: str, x: str, y: str) -> str:
        return e.instruct(prepare(name, Types("i64", "i64", "i64", 0, 0)), [x, y], depth)

    x, y = e.index_text(a), e.index_text(b)
    if expr.kind is AffineBinaryOpKind.Mod:  # a - (a floordiv b) * b
        return e.name_index(
            compute("arith.subi", x, compute("arith.muli", compute("arith.floordivsi", x, y), y)), depth
        )
    return e.name_index(compute(BINARY[expr.kind], x, y), depth)


def map_forms(e: Emitter, op: Operation) -> list[Form]:
    amap = op.properties["map"]
    assert isinstance(amap, AffineMapAttr)
    forms = [e.index[o] for o in op.operands]
    n = amap.data.num_dims
    return [affine_form(e, expr, forms[:n], forms[n:]) for expr in amap.data.results]


@emits("affine.apply")
def affine_apply(e: Emitter, op: Operation) -> None:
    e.index[op.results[0]] = map_forms(e, op)[0]


@emits("affine.min", "affine.max")
def affine_extreme(e: Emitter, op: Operation) -> None:
    forms = map_forms(e, op)
    depth = max(e.depth_of(f) for f in forms)
    texts = [e.index_text(f) for f in forms]
    value = texts[0]
    name = "arith.minsi" if op.name == "affine.min" else "arith.maxsi"
    for text in texts[1:]:
        value = e.instruct(prepare(name, Types("i64", "i64", "i64", 0, 0)), [value, text], depth)
    e.index[op.results[0]] = e.name_index(value, depth)
    if e.facts and len(forms) > 1:
        e.multiples[value] = gcd(*map(e.multiple_of_form, forms))


# ---- constants
def _number(attribute: Attribute) -> float | int:
    assert isinstance(attribute, IntegerAttr | FloatAttr)
    return attribute.value.data


@emits("arith.constant")
def constant(e: Emitter, op: Operation) -> None:
    result, value = op.results[0], op.properties["value"]
    if isinstance(result.type, IndexType):
        e.index[result] = Form(int(_number(value)), {})
        return
    if isinstance(result.type, TensorType):
        return  # a table, which each look-up knows
    kind = element_of(result.type)
    if not isinstance(value, DenseIntOrFPElementsAttr):
        e.env[result] = literal(_number(value), kind)
        return
    assert isinstance(result.type, VectorType)
    shape = result.type.get_shape()
    if (same := splat_of(value)) is not None:
        text = literal(same, kind)
        splat = f"splat ({kind} {text})"
        e.env[result] = e.vec(kind, shape, lambda lead, c: splat, lambda at: text, constant=True) if shape else text
        return
    e.env[result] = table_of(e, kind, shape, [literal(v, kind) for v in value.get_values()])


def table_of(e: Emitter, kind: str, shape: Sequence[int], texts: list[str]) -> Vec:
    """A constant vector with its own value in each element."""

    def position(at: Lead) -> int:
        index = 0
        for i, size in zip(at, shape):
            index = index * size + i
        return index

    def native(lead: Lead, chunk: int) -> str:
        start, count = position((*lead, chunk * e.lanes)), vec.count(chunk)
        items = texts[start : start + count] + ["poison"] * (vec.width(chunk) - count)
        return "<" + ", ".join(f"{kind} {item}" for item in items) + ">"

    vec = e.vec(kind, shape, native, lambda at: texts[position(at)], constant=True)
    return vec


@emits("vector.step")
def step(e: Emitter, op: Operation) -> None:
    kind = op.results[0].type
    assert isinstance(kind, VectorType)
    e.env[op.results[0]] = table_of(e, "i64", kind.get_shape(), [str(i) for i in range(kind.get_shape()[0])])


def combine(e: Emitter, name: str, kind: str, values: list[str], width: int = 0, flags: str = "") -> str:
    """Values in a balanced tree of one operation."""
    apply: Callable[[list[str]], str] = lambda pair: e.apply(name, kind, pair, width, flags)
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [apply(pair) if len(pair) > 1 else pair[0] for pair in pairs]
    return values[0]


__all__ = ["add", "affine_form", "combine", "define", "element_of", "scaled", "table_of", "vector_of"]

"""Matching: from one op to everything that a rule's left side names.

Walk the left side backwards from its first root and unify: arguments bind values, symbols bind sizes, element types and
index functions bind what stands there, ops agree in class and properties, commutative ones in either order. A further
root is found among the readers of a value bound already. A value that is no root and is read elsewhere declines, since
it would be computed twice; constants may be read by anyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from xdsl.dialects.builtin import FloatAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....dialects.graph.rule import RuleOp
from ....dialects.nd import dimmap
from ....dialects.nd.attributes import DimsAttr, DTypeVar
from ....dialects.nd.constant import Source
from ....dialects.nd.dimmap import Index
from ....dialects.nd.dims import Dim, Sym
from ....dialects.nd.elementwise import Add, And, Max, Min, Mul, Or, Xor
from ....dialects.nd.mapped import Mapped
from ....dialects.nd.op import NdOp
from ....dialects.nd.types import element, is_float, scalar, shape_of
from .bindings import Bindings, IndexFunction

COMMUTATIVE = (Add, Mul, Max, Min, And, Or, Xor)


@dataclass(frozen=True)
class Step:
    """Match `value`, computed by a reader of `anchor`, which is bound by then."""

    value: SSAValue
    anchor: SSAValue


def plan(rule: RuleOp) -> list[Step]:
    """How to get from the first root to the others."""
    bound = set(_made_of(rule.roots[0]))
    steps: list[Step] = []
    waiting = list(rule.roots[1:])
    while waiting:
        path = next(p for root in waiting if (p := _path(root, bound)))
        waiting.remove(path[-1].value)
        steps += path
        for step in path:
            bound.update(_made_of(step.value))
    return steps


def _made_of(value: SSAValue) -> Iterator[SSAValue]:
    yield value
    if isinstance(value.owner, Operation):
        for v in value.owner.operands:
            yield from _made_of(v)


def _path(value: SSAValue, bound: set[SSAValue]) -> list[Step]:
    """The steps from a bound value up to this one; none if nothing below is bound."""
    if value in bound or not isinstance(value.owner, Operation):
        return []
    for v in value.owner.operands:
        if v in bound:
            return [Step(value, v)]
    for v in value.owner.operands:
        if path := _path(v, bound):
            return [*path, Step(value, v)]
    return []


def match(rule: RuleOp, steps: Sequence[Step], op: Operation, objections: list[str] | None = None) -> Bindings | None:
    """The bindings that make the rule's left side out of `op` and what is around it.

    If `objections` is given, it gets the reasons against matches of what the first root is made of.
    """
    m = Bindings()
    if not _unify(rule.roots[0], op.results[0], m):
        return None
    told: list[str] = [] if objections is None else objections
    for found in _more(rule, steps, m):
        why = objection(rule, found)
        if why is None:
            return found
        told.append(why)
    return None


def _more(rule: RuleOp, steps: Sequence[Step], m: Bindings) -> Iterator[Bindings]:
    """Every way to match the remaining steps."""
    if not steps:
        yield m
        return
    step = steps[0]
    if step.value in m.values:
        yield from _more(rule, steps[1:], m)
        return
    kind = type(step.value.owner)
    readers = dict.fromkeys(use.operation for use in m.values[step.anchor].uses)
    for reader in reversed(readers):  # the use list is the latest first
        if type(reader) is kind and reader not in m.ops:
            trial = m.copy()
            if _unify(step.value, reader.results[0], trial):
                yield from _more(rule, steps[1:], trial)


def objection(rule: RuleOp, m: Bindings) -> str | None:
    """Why this is no match, or None: sizes that waited agree, nothing inner is read elsewhere, all ops share a block,
    the conditions hold."""
    for p, d in m.later:
        if m.size(p) != d:
            return f"expected size {p} = {m.size(p)}, found {d}"
    roots = {m.values[r].owner for r in rule.roots}
    block = next(iter(m.ops)).parent if m.ops else None
    for op in m.ops:
        if isinstance(op, Source):
            continue
        if op.parent is not block:
            return f"{op.name} stands in another block"
        if op not in roots and (reader := _other_reader(op, m)) is not None:
            return f"{op.name} is read by {reader.name}, too, so it would be computed twice"
    for c in rule.conditions:
        if not c.holds(m.argument):
            found = ", ".join(f"{a} = {m.argument(a)}" for a in c.args)
            return f"condition {c} does not hold for {found}"
    return None


def _other_reader(op: Operation, m: Bindings) -> Operation | None:
    """A reader that is no part of the match."""
    return next((use.operation for r in op.results for use in r.uses if use.operation not in m.ops), None)


# Unification: each function extends the bindings, or answers False and leaves them in any state.


def _unify(p: SSAValue, v: SSAValue, m: Bindings) -> bool:
    if p in m.values:
        return m.values[p] is v
    t: Attribute = v.type
    if not isinstance(t, TensorType) or not unify_type(p.type, v.type, m):
        return False
    if isinstance(p.owner, Block):
        m.values[p] = v
        return True
    po, vo = p.owner, v.owner
    if type(po) is not type(vo) or not isinstance(vo, NdOp) or m.ops.get(vo, po) is not po:
        return False
    if not unify_properties(po, vo, m) or len(po.operands) != len(vo.operands):
        return False
    m.ops[vo] = po
    m.values[p] = v
    orders = [tuple(vo.operands)]
    if isinstance(po, COMMUTATIVE):
        orders.append(orders[0][::-1])
    for order in orders:
        trial = m.copy()
        if all(_unify(a, b, trial) for a, b in zip(po.operands, order, strict=True)):
            m.take(trial)
            return True
    return False


def unify_type(p: Attribute, v: Attribute, m: Bindings) -> bool:
    a, b = shape_of(p), shape_of(v)
    if len(a) != len(b) or not _dtype(element(p), element(v), m):
        return False
    return all(_size(x, y, m) for x, y in zip(a, b, strict=True))


def _dtype(p: Attribute, v: Attribute, m: Bindings) -> bool:
    return (m.dtypes.setdefault(p.data, v) if isinstance(p, DTypeVar) else p) == v


def _size(p: Dim, d: Dim, m: Bindings) -> bool:
    if isinstance(p, int):
        return p == d
    if (name := _symbol(p)) is not None:
        return m.sizes.setdefault(name, d) == d
    m.later.append((p, d))
    return True


@lru_cache(None)
def _symbol(p: Sym) -> str | None:
    """The name, if it is a bare one."""
    return p.names()[0] if p.is_symbol() else None


def unify_properties(po: Operation, vo: Operation, m: Bindings) -> bool:
    if po.properties.keys() != vo.properties.keys():
        return False
    return all(_attribute(po, k, a, vo.properties[k], m) for k, a in po.properties.items())


def _attribute(po: Operation, name: str, p: Attribute, v: Attribute, m: Bindings) -> bool:
    match p, v:
        case TensorType(), TensorType():
            return unify_type(p, v, m)  # pyright: ignore[reportUnknownArgumentType]
        case DTypeVar(), _:
            return _dtype(p, v, m)
        case DimsAttr(), DimsAttr():
            return len(p.data) == len(v.data) and all(_size(x, y, m) for x, y in zip(p.data, v.data, strict=True))
        case StringAttr(), StringAttr() if name == "map" and isinstance(po, Mapped):
            return _map(p.data, v.data, m)
        case FloatAttr(), _ if isinstance(dtype := element(po.results[0].type), DTypeVar):
            return _value(p.value.data, m.dtypes[dtype.data]) == v
        case _:
            return p == v


def _value(value: float, dtype: Attribute) -> Attribute | None:
    """The number as a constant of this type, if it is one."""
    return scalar(value, dtype) if is_float(dtype) or value == int(value) else None


def _map(p: str, v: str, m: Bindings) -> bool:
    """Equal up to the choice of letters; index functions bind what stands in their place."""
    if (found := _letters(p, v)) is None:
        return False
    letters, others = found
    return all(_index(a, b, letters, m) for a, b in others)


@lru_cache(None)
def _letters(p: str, v: str) -> tuple[dict[str, str], list[tuple[Index, Index]]] | None:
    """The pattern's letters with the map's, and the pairs of indices that are no letters; None if maps differ."""
    a_map, b_map = dimmap.parse(p), dimmap.parse(v)
    if len(a_map.operands) != len(b_map.operands):
        return None
    pairs: list[tuple[Index, Index]] = []
    for a, b in zip((*a_map.operands, a_map.result), (*b_map.operands, b_map.result), strict=True):
        if len(a) != len(b):
            return None
        pairs += zip(a, b, strict=True)
    letters: dict[str, str] = {}
    for a, b in pairs:
        if a.name is not None and (b.name is None or letters.setdefault(a.name, b.name) != b.name):
            return None
    if len(set(letters.values())) < len(letters):
        return None
    return letters, [(a, b) for a, b in pairs if a.name is None]


def _index(p: Index, v: Index, letters: dict[str, str], m: Bindings) -> bool:
    if p.opaque or v.opaque:
        return p.opaque and v.opaque
    names = [letters.get(n) for n, _ in p.terms]
    found = dict(v.terms)
    if not set(found) <= set(names):
        return False
    if not p.function:
        same = {letters.get(n): c for n, c in p.terms} == found
        return same and p.offset == v.offset and p.divisor == v.divisor
    bound = IndexFunction(tuple(found.get(n or "", 0) for n in names), v.offset, v.divisor)
    return m.indices.setdefault(p.function, bound) == bound

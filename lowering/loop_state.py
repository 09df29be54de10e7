"""What the lowering of one kernel knows, and how it emits: constants, sizes, index arithmetic and loops.

Constants, run-time sizes and what is computed from sizes alone stand once, at the head of the function.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from xdsl.dialects import affine, arith, scf
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    LocationAttr,
    UnknownLoc,
    VectorType,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from ..dialects.loop.linear import Linear
from ..dialects.nd.dims import Atom, Dim, FloorDiv, symbol
from ..dialects.vector.parallel import ParallelOp
from .storage import View

INDEX = IndexType()
NO_OVERFLOW = arith.IntegerOverflowAttr("none")
UNKNOWN = UnknownLoc()


@lru_cache(None)
def linear_map(constant: int, coefficients: tuple[int, ...]) -> AffineMapAttr:
    """(d0, d1, ..) -> (constant + c0 * d0 + c1 * d1 ..)"""
    total: AffineExpr | None = None
    for i, c in enumerate(coefficients):
        term = AffineExpr.dimension(i) if c == 1 else AffineExpr.dimension(i) * c
        total = term if total is None else total + term
    if constant or total is None:
        total = AffineExpr.constant(constant) if total is None else total + constant
    return AffineMapAttr(AffineMap(len(coefficients), 0, (total,)))


@lru_cache(4096)
def constant_attribute(number: float, kind: Attribute) -> Attribute:
    """A number as an attribute of a scalar type, or splat over a vector type."""
    if isinstance(kind, VectorType):
        return DenseIntOrFPElementsAttr.from_list(kind, [number])  # pyright: ignore[reportCallIssue]
    if isinstance(kind, AnyFloat):
        return FloatAttr(number, kind)
    return IntegerAttr(int(number), kind)  # pyright: ignore[reportCallIssue, reportArgumentType]


class State:
    """The block being filled, and the lowered form of axes, sizes and values."""

    def __init__(self, entry: Block) -> None:
        self.block = entry
        self.head: list[Operation] = []
        """The ops at the head of the function."""
        self.home: list[Block] = [entry]
        """Where buffers are allocated: the innermost block that is not a plain loop's."""
        self.blocks: list[Block] = [entry]
        """The blocks that are open, outermost first, and the number of that which binds an axis."""
        self.depths: dict[str, int] = {}
        self.known: list[dict[object, SSAValue]] = [{}]
        """Index values by form, and views, for each open loop."""
        self.constants: dict[Attribute, SSAValue] = {}
        self.sizes: dict[Dim, SSAValue] = {}
        self.products: dict[tuple[tuple[Atom, ...], int], SSAValue] = {}
        """Sizes, and the terms that they are sums of."""
        self.axis: dict[str, SSAValue | None] = {}
        """The value of each bound axis; None where it is 0."""
        self.positions: dict[str, SSAValue] = {}
        """Index values that were computed from data, by the names that stand for them in forms."""
        self.views: dict[SSAValue, View] = {}
        self.vectors: dict[SSAValue, SSAValue] = {}
        """Complete values in registers: a vector of the non-unit dimensions, or a scalar."""
        self.protected: list[SSAValue] = []
        """Outputs that share an argument's memory."""
        self.shared: list[tuple[SSAValue, SSAValue]] = []
        """Arguments, and outputs that overwrite them."""
        self.waiting: dict[SSAValue, Operation] = {}
        """Copies that the first trip of a loop makes (first_copies.py), by the loop; those of the trip that is open."""
        self.filling: set[SSAValue] = set()
        self.location: LocationAttr = UNKNOWN

    def add(self, op: Operation) -> None:
        """Append an op at the place of the op that is being lowered."""
        op.location = self.location
        self.block.add_op(op)

    def emit(self, op: Operation) -> SSAValue:
        self.add(op)
        return op.results[0]

    def at_head(self, op: Operation) -> SSAValue:
        op.location = self.location
        self.head.append(op)
        return op.results[0]

    def used_head(self) -> list[Operation]:
        """The ops at the head of the function, without those that turned out to be needed by nothing."""
        used: list[Operation] = []
        for op in reversed(self.head):
            if any(r.uses for r in op.results):
                used.append(op)
            else:
                op.erase()
        return used[::-1]

    # ---- constants and sizes
    def constant(self, value: Attribute, kind: Attribute) -> SSAValue:
        if value not in self.constants:
            op = arith.ConstantOp.create(result_types=[kind], properties={"value": value})
            self.constants[value] = self.at_head(op)
            if kind == INDEX and isinstance(value, IntegerAttr) and value.value.data >= 0:
                op.results[0].name_hint = f"c{value.value.data}"
        return self.constants[value]

    def number(self, x: float, kind: Attribute = INDEX) -> SSAValue:
        """A number, splat where the type is a vector's."""
        return self.constant(constant_attribute(x, kind), kind)

    def dim(self, d: Dim) -> SSAValue:
        """A size, computed at the head of the function."""
        if isinstance(d, int):
            return self.number(d)
        if d not in self.sizes:
            total: SSAValue | None = None
            for monomial, c in d.terms:
                term = self.monomial(monomial, c)
                total = term if total is None else self.index_op(arith.AddiOp, total, term)
            assert total is not None
            self.sizes[d] = total
        return self.sizes[d]

    def monomial(self, atoms: tuple[Atom, ...], factor: int) -> SSAValue:
        """factor * atoms[0] * atoms[1] .., each part computed once."""
        if len(atoms) == 0:
            return self.number(factor)
        if (atoms, factor) not in self.products:
            if factor != 1:
                value = self.index_op(arith.MuliOp, self.monomial(atoms, 1), self.number(factor))
            elif len(atoms) > 1:
                value = self.index_op(arith.MuliOp, self.monomial(atoms[:-1], 1), self.monomial(atoms[-1:], 1))
            elif isinstance(atom := atoms[-1], FloorDiv):
                value = self.index_op(arith.FloorDivSIOp, self.dim(atom.num), self.number(atom.den))
            else:
                value = self.sizes[symbol(atom)]
            self.products[atoms, factor] = value
        return self.products[atoms, factor]

    def index_op(self, cls: type[Operation], a: SSAValue, b: SSAValue, head: bool = True) -> SSAValue:
        properties: dict[str, Attribute] = {"overflowFlags": NO_OVERFLOW} if cls in (arith.AddiOp, arith.MuliOp) else {}
        op = cls.create(operands=[a, b], result_types=[INDEX], properties=properties)
        return self.at_head(op) if head else self.emit(op)

    # ---- index arithmetic
    def index(self, form: Linear) -> SSAValue:
        """The value of a linear form over bound axes, computed once in each loop."""
        form = form.without([n for n, _ in form.terms if self.axis[n] is None])
        if not form.terms:
            return self.dim(form.const)
        for scope in self.known:
            if form in scope:
                return scope[form]
        if self.positions and any(n in self.positions for n, _ in form.terms):
            return self.computed(form)
        operands = [self.bound(n) for n, _ in form.terms]
        coefficients = [c for _, c in form.terms]
        constant = form.const
        if not isinstance(constant, int):
            operands, coefficients, constant = [*operands, self.dim(constant)], [*coefficients, 1], 0
        if coefficients == [1] and not constant:
            return operands[0]
        amap = linear_map(constant, tuple(coefficients))
        value = self.emit(affine.ApplyOp.create(operands=operands, result_types=[INDEX], properties={"map": amap}))
        self.known[-1][form] = value
        return value

    def once(self, key: object, make: Callable[[], SSAValue]) -> SSAValue:
        """What has been made before in an open block, or is made now."""
        for scope in self.known:
            if key in scope:
                return scope[key]
        value = self.known[-1][key] = make()
        return value

    def bind(self, position: SSAValue) -> Linear:
        """A form that stands for a computed index value."""
        name = f"@{len(self.positions)}"
        self.positions[name] = self.axis[name] = position
        return Linear.axis(name)

    def computed(self, form: Linear) -> SSAValue:
        """The value of a form over positions that affine maps do not take."""
        own = [(n, c) for n, c in form.terms if n in self.positions]
        rest = form.without([n for n, _ in own])
        total = self.index(rest) if rest != Linear() else None
        for name, c in own:
            value = self.positions[name]
            part = value if c == 1 else self.index_op(arith.MuliOp, value, self.number(c), head=False)
            total = part if total is None else self.index_op(arith.AddiOp, total, part, head=False)
        assert total is not None
        self.known[-1][form] = total
        return total

    def bound(self, axis: str) -> SSAValue:
        value = self.axis[axis]
        return self.number(0) if value is None else value

    # ---- control
    @contextmanager
    def inside(self, block: Block, home: bool = False) -> Generator[None]:
        """Fill another block; `home`: its buffers are its own."""
        outer, self.block = self.block, block
        self.blocks.append(block)
        self.known.append({})
        if home:
            self.home.append(block)
        yield
        if home:
            self.home.pop()
        self.known.pop()
        self.blocks.pop()
        self.block = outer

    @contextmanager
    def outside(self, depth: int) -> Generator[None]:
        """Emit into an outer block, in front of the loop that is being filled there."""
        saved = self.block, self.blocks, self.known
        self.block, self.blocks, self.known = self.blocks[depth], self.blocks[: depth + 1], self.known[: depth + 1]
        yield
        self.block, self.blocks, self.known = saved

    def loop(
        self,
        axis: str,
        extent: Dim,
        inits: Sequence[SSAValue],
        body: Callable[[list[SSAValue]], list[SSAValue]],
        step: int = 1,
        clamp: bool = False,
        parallel: bool = False,
        bound: Linear | None = None,
        start: int = 0,
    ) -> list[SSAValue]:
        """A loop around what `body` emits; one iteration needs none. It ends where `bound` is not positive."""
        if extent == step and bound is None:
            self.axis[axis] = None
            return body(list(inits))
        block = Block(arg_types=[INDEX, *(i.type for i in inits)])
        block.args[0].name_hint = axis
        for arg, init in zip(block.args[1:], inits):
            arg.name_hint = init.name_hint
        for arg in block.args:
            arg.location = self.location
        last = self.dim(extent - step) if clamp else None
        with self.inside(block, home=parallel):
            first: SSAValue = block.args[0]
            self.depths[axis] = len(self.blocks) - 1
            self.axis[axis] = first if last is None else self.index_op(arith.MinSIOp, first, last, head=False)
            results = body(list(block.args[1:]))
            self.add(scf.ReduceOp() if parallel else scf.YieldOp.create(operands=results))
        bounds = [self.number(start), self.end(axis, extent, bound), self.number(step)]
        if parallel:
            self.add(ParallelOp([bounds[0]], [bounds[1]], [bounds[2]], Region(block)))
            return []
        kinds = [i.type for i in inits]
        op = scf.ForOp.create(operands=[*bounds, *inits], result_types=kinds, regions=[Region(block)])
        self.add(op)
        return list(op.results)

    def end(self, axis: str, extent: Dim, bound: Linear | None) -> SSAValue:
        """Where a loop over an axis ends: c - a * axis is positive as long as the axis is less than ceil(c / a)."""
        if bound is None:
            return self.dim(extent)
        fall = -bound.coef(axis)
        end = self.index(bound.without([axis]) + Linear(fall - 1))
        if fall != 1:
            end = self.index_op(arith.FloorDivSIOp, end, self.number(fall), head=False)
        return self.index_op(arith.MinSIOp, end, self.dim(extent), head=False)

    def counted(
        self,
        low: SSAValue,
        high: SSAValue,
        step: SSAValue,
        values: Sequence[SSAValue],
        body: Callable[[SSAValue, list[SSAValue]], list[SSAValue]],
    ) -> list[SSAValue]:
        """A loop between bounds that are values, through which `values` are carried."""
        block = Block(arg_types=[INDEX, *(v.type for v in values)])
        for arg in block.args:
            arg.location = self.location
        with self.inside(block):
            results = body(block.args[0], list(block.args[1:]))
            self.add(scf.YieldOp.create(operands=results))
        kinds = [v.type for v in values]
        op = scf.ForOp.create(operands=[low, high, step, *values], result_types=kinds, regions=[Region(block)])
        self.add(op)
        return list(op.results)


def nest(
    state: State,
    axes: Sequence[tuple[str, Dim]],
    values: Sequence[SSAValue],
    body: Callable[[list[SSAValue]], list[SSAValue]],
) -> list[SSAValue]:
    """Loops over axes, outermost first, through which `values` are carried."""
    if not axes:
        return body(list(values))
    (axis, extent), rest = axes[0], axes[1:]
    return state.loop(axis, extent, values, lambda inner: nest(state, rest, inner, body))

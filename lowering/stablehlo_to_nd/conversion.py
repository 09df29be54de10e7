"""`Conversion`: the functions of a module become functions of `nd`, op by op through the table.

Invariants: every op of the source is visited once for each copy of its function (one, unless sizes of arguments are
unknown). A source value maps to an array that is visible in the innermost scope: a region that reads a value from
outside gets an argument for it, scalars that are constants are copied in. Where two unknown sizes have to be equal, or
one has to be a number, the function is converted again with that known (`Merge`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from xdsl.dialects.builtin import ArrayAttr, FunctionType, LocationAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array
from ...dialects.nd.attributes import SymAttr
from ...dialects.nd.constant import Constant, Size
from ...dialects.nd.control import yield_
from ...dialects.nd.dims import Dim, Sym, show, symbol
from ...dialects.nd.op import building, here, insert, place
from ...dialects.nd.types import ANY, Type, is_tensor, shape_of, tensor
from . import calls, element_types, table
from .table import CONVERTERS, Value

ENDS = frozenset({"func.return", "stablehlo.return", "chlo.return"})
PREFIXES = ("stablehlo.", "chlo.", "func.")


class Merge(Exception):
    """A symbol turned out to be another dimension: the function has to be converted with that known."""

    def __init__(self, name: str, dim: Dim) -> None:
        super().__init__(name)
        self.name, self.dim = name, dim


@dataclass
class Group:
    """What the regions of one op share: the values from outside, the first arguments of each."""

    scopes: list[Scope] = field(default_factory=list["Scope"])
    values: list[Array] = field(default_factory=list[Array])
    index: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])

    def argument(self, scope: Scope, outer: Array) -> Array:
        at = self.index.get(outer.value)
        if at is None:
            at = self.index[outer.value] = len(self.values)
            self.values.append(outer)
            for s in self.scopes:
                arg = s.block.insert_arg(outer.type, at, here())
                arg.name_hint = outer.value.name_hint
        return Array(scope.block.args[at])


class Scope:
    """The block that is built for a function or region, and what the source's values are there."""

    __slots__ = ("block", "env", "group", "outer")

    def __init__(self, block: Block, outer: Scope | None = None, group: Group | None = None) -> None:
        self.block, self.outer, self.group = block, outer, group
        self.env: dict[SSAValue, Value] = {}

    def find(self, v: SSAValue) -> Value:
        """The value here; one from outside is made an argument on the way."""
        if v in self.env:
            return self.env[v]
        assert self.outer is not None and self.group is not None, "verified"
        found = self.env[v] = self.inside(self.outer.find(v))
        return found

    def inside(self, outer: Value) -> Value:
        if isinstance(outer, tuple):
            return tuple(self.inside(part) for part in outer)  # pyright: ignore[reportUnknownVariableType]
        if outer is None:
            return None
        owner = outer.value.owner
        if isinstance(owner, Constant | Size) and not shape_of(owner.type):
            copy = type(owner).create(result_types=[owner.type], properties=owner.properties, location=owner.location)
            copy.results[0].name_hint = outer.value.name_hint
            self.block.add_op(copy)
            return Array(copy.results[0])
        assert self.group is not None
        return self.group.argument(self, outer)


@dataclass(frozen=True)
class Body:
    """A region as a closed block of nd ops that ends in nd.yield; its first arguments are the captured values."""

    block: Block
    captured: list[Array]

    @property
    def args(self) -> Sequence[SSAValue]:
        """The arguments that the region has in the source."""
        return self.block.args[len(self.captured) :]


class Conversion:
    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.functions = {f.sym_name.data: f for f in module.ops if isinstance(f, FuncOp)}
        self.results: dict[str, list[Type]] = {}
        """The result types of the functions that are done."""
        self.path: list[str] = []
        self.scope = Scope(Block())
        self.known: dict[str, Dim] = {}
        """Of the function at hand: what its symbols turned out to be."""
        self.symbols = 0
        self.draws = 0
        """How many ops have drawn random numbers: each draws others."""
        self.stored = False
        """Has any value elements that are computed with in another type?"""
        self.computed: Callable[[Attribute], Attribute] | None = None
        """While an op is converted whose elements are computed with in another type: that type."""
        self._bodies: dict[tuple[Region, Scope], Body] = {}

    # Functions.

    def run(self) -> None:
        self.stored = element_types.any_stored(self.module)
        public = [f for f in self.functions.values() if not is_private(f)] or list(self.functions.values())
        for f in public:
            self.function(f)
        for name, f in self.functions.items():
            if name not in self.results:
                f.detach()
        for op in [op for op in self.module.ops if op.name == "sdy.mesh"]:
            op.detach()

    def function(self, f: FuncOp) -> list[Type]:
        """Convert a function in place, once; its result types."""
        name = f.sym_name.data
        if name in self.results:
            return self.results[name]
        self.enter(f, f.location)
        if not f.body.blocks:
            raise CompileError(f"expected a function with a body, found the declaration @{name}", f.location)
        outer, self.known = (self.scope, self.known, self.symbols), {}
        while True:
            try:
                block = self._block_of(f)
                break
            except Merge as m:
                self.known[m.name] = m.dim
        self.scope, self.known, self.symbols = outer
        self.path.pop()
        last = block.last_op
        assert last is not None
        types = [v.type for v in last.operands]
        f.body.detach_block(f.body.block)
        f.body.add_block(block)
        f.properties["function_type"] = FunctionType(ArrayAttr(block.arg_types), ArrayAttr(types))
        self.results[name] = types  # pyright: ignore[reportArgumentType]
        return self.results[name]

    def enter(self, f: FuncOp, location: LocationAttr) -> None:
        name = f.sym_name.data
        if name in self.path:
            chain = " -> ".join(f"@{n}" for n in (*self.path[self.path.index(name) :], name))
            raise CompileError(f"func.call: expected calls without recursion, found {chain}", location)
        self.path.append(name)

    def _block_of(self, f: FuncOp) -> Block:
        source, self.symbols = f.body.block, 0
        taken = {n for a in source.args for d in named_dims(a.type) for n in d.names()}
        block = Block(arg_types=[self.argument_type(a.type, taken, a.location) for a in source.args])
        self.scope = Scope(block)
        for old, new in zip(source.args, block.args, strict=True):
            new.name_hint, new.location = old.name_hint, old.location
            self.scope.env[old] = Array(new)
        with building(block, f.location):
            values = self.ops(source)
            last = source.last_op
            assert last is not None
            for k, v in enumerate(values):
                if not isinstance(v, Array):
                    raise CompileError(f"expected tensors as results, found {last.operands[k].type}", last.location)
            for v, t in zip(values, f.function_type.outputs.data, strict=True):
                self.check(v, t)
            insert(ReturnOp.create(operands=[v.value for v in values], location=last.location))
        return block

    def argument_type(self, t: Attribute, taken: set[str], location: LocationAttr) -> Type:
        """The type of an argument, whose unknown sizes become symbols."""
        if not is_tensor(t):
            raise CompileError(f"expected tensors as arguments, found {t}", location)
        if isinstance(t.encoding, SymAttr):
            return t
        dims: list[Dim] = []
        for d in t.get_shape():
            if d >= 0:
                dims.append(d)
                continue
            while (name := f"d{self.symbols}") in taken:
                self.symbols += 1
            self.symbols += 1
            dims.append(self.resolved(name))
        return tensor(tuple(dims), self.element_type(t, location))

    def resolved(self, name: str) -> Dim:
        d: Dim = symbol(name)
        while isinstance(d, Sym) and d.is_symbol() and str(d) in self.known:
            d = self.known[str(d)]
        return d

    def element_type(self, t: Attribute, location: LocationAttr | None = None) -> Attribute:
        """The element type in nd of a tensor's."""
        dtype = t.element_type if is_tensor(t) else t
        if dtype in ANY:
            return dtype
        return element_types.element_type(dtype, location if location is not None else here())

    # Ops.

    def ops(self, source: Block) -> list[Value]:
        """Convert the ops of a block at the current place; what its last one gives."""
        at, scope = place(), self.scope
        env, find = scope.env, scope.find
        for op in source.ops:
            name = op.name
            if name in ENDS:
                return [find(v) for v in op.operands]
            at.location = op.location
            try:
                if (convert := CONVERTERS.get(name)) is None:
                    convert = self.converter(op)
                if self.stored:
                    convert = element_types.computing(op, convert)
                got = convert(op, [env[v] if v in env else find(v) for v in op.operands], self)
                results = op.results
                if type(got) is Array:
                    got = (got,)
                for result, value in zip(results, got, strict=True):
                    env[result] = value
                    if type(value) is Array:
                        self.check(value, result.type)
                        if value.value.name_hint is None:
                            value.value.name_hint = result.name_hint
            except CompileError as error:
                if error.message.startswith(PREFIXES) or error.message.startswith("expected an op that"):
                    raise
                raise type(error)(f"{name}: {error.message}", error.location, error.notes) from None
        raise CompileError("expected a block that ends in a return, found none", here())

    def converter(self, op: Operation) -> table.Converter:
        if op.name == "func.call":
            return calls.call
        if op.name.startswith(("stablehlo.", "chlo.")):
            return table.lookup(op)
        return calls.unsharded if op.name == "sdy.sharding_constraint" else calls.keep

    def check(self, a: Array, declared: Attribute) -> None:
        """Does a value have the declared type? An unknown size may be any."""
        t = a.type
        if t is declared:
            return
        if not is_tensor(declared):
            raise CompileError(f"expected a result of type {declared}, found {t}", here())
        shape, want = a.shape, declared.get_shape()
        dtype = declared.element_type
        if t.element_type != dtype and t.element_type != self.element_type(dtype):
            raise CompileError(f"expected a result of type {declared}, found {t}", here())
        if shape == want:
            return
        if len(shape) != len(want):
            raise CompileError(f"expected a result of type {declared}, found {t}", here())
        for d, n in zip(shape, want, strict=True):
            if n >= 0:
                self.equal(d, n, lambda: f"expected a result of type {declared}, found {t}")

    def equal(self, x: Dim, y: Dim, message: Callable[[], str]) -> None:
        """Two sizes have to be equal: they are, or an argument's size becomes the other (by Merge), or an error."""
        if x == y:
            return
        for a, b in ((y, x), (x, y)):
            if isinstance(a, Sym) and a.is_symbol() and (isinstance(b, int) or str(a) not in b.names()):
                raise Merge(str(a), b)
        raise CompileError(message(), here())

    def alike(self, arrays: Sequence[Array]) -> None:
        """The arrays of an elementwise op must have one shape."""
        first = arrays[0].shape
        for a in arrays[1:]:
            if a.shape is first or a.shape == first:
                continue
            what = lambda b=a: f"expected operands of one shape, found {show(first)} and {show(b.shape)}"
            if len(a.shape) != len(first):
                raise CompileError(what(), here())
            for d, n in zip(first, a.shape, strict=True):
                self.equal(d, n, what)

    def declared(self, op: Operation, k: int = 0) -> Attribute:
        """The element type in nd of a result."""
        t = op.results[k].type
        if self.computed is not None:
            return self.computed(t.element_type if is_tensor(t) else t)
        return self.element_type(t)

    def result_shape(self, op: Operation, k: int = 0) -> tuple[int, ...]:
        """The declared shape of a result, -1 where it is unknown."""
        t = op.results[k].type
        assert isinstance(t, TensorType)
        return t.get_shape()

    def refuse(self, op: Operation, attribute: str, found: Any, expected: str) -> NoReturn:
        """An attribute's value that no conversion knows."""
        raise CompileError(f"{op.name}: expected {attribute} {expected}, found {found}", op.location)

    # Regions.

    def closed(
        self, regions: Sequence[Region], types: Sequence[Sequence[Attribute]]
    ) -> tuple[list[Array], list[Block]]:
        """Regions of one op as closed blocks that end in nd.yield: the values from outside, which are the first
        arguments of each block, and the blocks. `types` are those of the regions' own arguments."""
        group, outer = Group(), self.scope
        for region, ts in zip(regions, types, strict=True):
            block, source = Block(arg_types=ts), region.block
            group.scopes.append(scope := Scope(block, outer, group))
            for old, new in zip(source.args, block.args, strict=True):
                new.name_hint, new.location = old.name_hint, old.location
                scope.env[old] = Array(new)
        for region, scope in zip(regions, group.scopes, strict=True):
            self.scope = scope
            with building(scope.block, here()):
                values = self.ops(region.block)
                yield_(values)
            self.scope = outer
        return group.values, [s.block for s in group.scopes]

    def body(self, region: Region) -> Body:
        """The region of a reduction and its like, on scalars: recognise it, or `bodies.apply` it to whole arrays."""
        key = (region, self.scope)
        if (found := self._bodies.get(key)) is None:
            types = [tensor((), self.element_type(a.type, a.location)) for a in region.block.args]
            captured, (block,) = self.closed([region], [types])
            found = self._bodies[key] = Body(block, captured)
        return found

    @contextmanager
    def capturing(self, region: Region, values: Sequence[Array]) -> Generator[None]:
        """While a block is built that has the region's captured values as arguments: these stand for them."""
        key, body = (region, self.scope), self.body(region)
        self._bodies[key] = Body(body.block, list(values))
        try:
            yield
        finally:
            self._bodies[key] = body


def is_private(f: FuncOp) -> bool:
    return f.sym_visibility is not None and f.sym_visibility.data == "private"


def named_dims(t: Attribute) -> Sequence[Sym]:
    return t.encoding.data if is_tensor(t) and isinstance(t.encoding, SymAttr) else ()

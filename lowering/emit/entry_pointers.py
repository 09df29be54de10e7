"""Numbers and pointers of a program's entry, each computed once, as early as what it is made of is known.

    %v1 = load i64, ptr %sizes                       the symbol b
    %v2 = mul i64 256, %v1
    %v3 = getelementptr i8, ptr %arena, i64 %v2      a place in the arena

Counters of loops are symbols too: what depends on one is computed inside of its loop, everything else before the
outermost loop.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, OpResult, SSAValue

from ...dialects.errors import CompileError
from ...dialects.graph.ops import PrepareOp
from ...dialects.graph.place import Place
from ...dialects.graph.regions import carried, is_counter, places_of, program_ops, region_of
from ...dialects.graph.views import is_view, view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dims import Dim, FloorDiv, Sym
from ...dialects.nd.resource import ResourceOp, data_of
from ...dialects.nd.types import shape_of, width
from .table import Types, prepare
from .text import Writer

ALIGNMENT = 64


def dtype_of(value: SSAValue) -> str:
    assert isinstance(value.type, TensorType)
    return str(value.type.element_type)


def width_of(value: SSAValue) -> int:
    """Bytes of an element."""
    assert isinstance(value.type, TensorType)
    return max(8, width(value.type.element_type)) // 8


def size_json(dim: Dim) -> int | list[Any]:
    """[[coefficient, [atom, ...]], ...]; an atom is a symbol or [size, divisor]."""
    if isinstance(dim, int):
        return dim
    return [[k, [_atom_json(a) for a in monomial]] for monomial, k in dim.terms]


def _atom_json(atom: str | FloorDiv) -> Any:
    return atom if isinstance(atom, str) else [size_json(atom.num), atom.den]


class Pointers(Writer):
    """Where the values of a planned program are; `workspace` bytes of the arena come before its own."""

    def __init__(self, main: FuncOp, workspace: int) -> None:
        super().__init__()
        self.main, self.workspace = main, workspace
        self.arguments = main.body.block.args
        self.symbols = symbols_of(self.arguments)
        self.constants: dict[SSAValue, bytes | np.ndarray[Any, Any] | None] = {}
        """Bytes, or a resource's array; None: it is to be prepared."""
        ops = list(program_ops(main.body.block))
        read = {
            view_of(v).base
            for op in ops
            if not isinstance(op, PrepareOp) and not (op.results and is_view(op))
            for v in op.operands
        }
        for op in ops:
            if isinstance(op, Constant) and not is_view(op) and op.results[0] in read:
                self.constants[op.results[0]] = constant_bytes(op)
            elif isinstance(op, ResourceOp) and op.results[0] in read:
                self.constants[op.results[0]] = data_of(op)
            elif isinstance(op, PrepareOp) and op.results[0] in read:
                self.constants[op.results[0]] = None
        self.constant_order = {value: k for k, value in enumerate(self.constants)}
        places = [p for op in ops for p in places_of(op) or [] if p.base == "result"]
        numbers = sorted({p.number for p in places if isinstance(p.number, int)})
        self.slots: dict[Dim, int] = {number: k for k, number in enumerate(numbers)}
        self.slot_bytes: dict[Dim, Dim] = {p.number: p.bytes for p in places if p.at == 0}
        self.counters: dict[str, tuple[str, int]] = {}
        """What holds the counter of a loop, and the scope in which it is known."""
        self.depths: dict[str, int] = {}
        """The scopes of pointers that depend on counters."""

    def set_counter(self, name: str, value: str) -> None:
        """Make a loop's counter known in the current scope."""
        self.counters[name] = value, len(self.scopes) - 1

    def depth_of(self, dim: Dim) -> int:
        """The outermost scope in which a number can be computed."""
        names = dim.names() if isinstance(dim, Sym) else ()
        return max((self.counters[n][1] for n in names if is_counter(n)), default=0)

    def join(self) -> None:
        """Close a scope; its lines follow those of the one around it."""
        lines = self.close()
        self.scopes[-1] += lines

    def number(self, dim: Dim) -> str:
        """A size as text: a literal, or computed once."""
        if isinstance(dim, int):
            return str(dim)
        depth = self.depth_of(dim)

        def make() -> str:
            total = ""
            for monomial, k in dim.terms:
                term = str(k) if k != 1 or not monomial else ""
                for atom in monomial:
                    factor = self.atom(atom)
                    term = self.op(f"mul i64 {term}, {factor}", depth) if term else factor
                total = self.op(f"add i64 {total}, {term}", depth) if total else term
            return total

        return self.once(("size", dim), make, depth)

    def atom(self, atom: str | FloorDiv) -> str:
        if isinstance(atom, FloorDiv):
            depth = self.depth_of(atom.num)
            number, power = self.number(atom.num), atom.den.bit_length() - 1
            if atom.den == 1 << power:  # rounds down, too
                return self.once(("div", atom), lambda: self.op(f"ashr i64 {number}, {power}", depth), depth)
            row = prepare("arith.floordivsi", Types("i64", "i64", "i64", 0, 0))
            operands = [number, str(atom.den)]
            return self.once(("div", atom), lambda: self.instructions(row.lines, operands, depth), depth)
        if is_counter(atom):
            return self.counters[atom][0]
        position = self.symbols.index(atom)
        return self.once(("symbol", atom), lambda: self.loaded("i64", "%sizes", position), 0)

    def instructions(self, lines: Sequence[str], operands: list[str], depth: int) -> str:
        for line in lines:
            operands.append(self.op(line.format(*operands), depth))
        return operands[-1]

    def loaded(self, kind: str, base: str, position: int) -> str:
        at = self.op(f"getelementptr {kind}, ptr {base}, i64 {position}", 0) if position else base
        return self.op(f"load {kind}, ptr {at}", 0)

    def buffer(self, position: int) -> str:
        return self.once(("buffer", position), lambda: self.loaded("ptr", "%buffers", position), 0)

    def place(self, place: Place) -> str:
        match place.base:
            case "arena":
                return self.moved("%arena", place.number + self.workspace)
            case "result":
                buffer = self.buffer(len(self.arguments) + len(self.constants) + self.slots[place.number])
                return self.moved(buffer, place.at)
            case _:
                assert isinstance(place.number, int)
                return self.moved(self.buffer(place.number), place.at)

    def moved(self, pointer: str, offset: Dim) -> str:
        """`offset` bytes on."""
        if offset == 0:
            return pointer
        depth = max(self.depth_of(offset), self.depths.get(pointer, 0))
        text = self.number(offset)

        def make() -> str:
            new = self.op(f"getelementptr i8, ptr {pointer}, i64 {text}", depth)
            self.depths[new] = depth
            return new

        return self.once(("moved", pointer, text), make, depth)

    def pointer(self, value: SSAValue) -> str:
        """The first element of a value."""
        view = view_of(value)
        return self.moved(self.base(view.base), view.offset * width_of(value))

    def base(self, value: SSAValue) -> str:
        """The pointer to the buffer of a value that is no view."""
        if isinstance(value, BlockArgument):
            loop = region_of(value)
            if loop is None:
                return self.buffer(value.index)
            places, k = places_of(loop), carried(value)
            assert k is not None
        else:
            if value in self.constants:
                return self.buffer(len(self.arguments) + self.constant_order[value])
            assert isinstance(value, OpResult)
            loop, k = value.op, value.index
            places = places_of(loop)
        if places is None:
            message = f"{loop.name}: expected places of its results in the planned program; run graph-plan first"
            raise CompileError(message, loop.location)
        return self.place(places[k])


def symbols_of(arguments: Sequence[SSAValue]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for a in arguments:
        for d in shape_of(a.type):
            if isinstance(d, Sym):
                found.update(dict.fromkeys(d.names()))
    return tuple(found)


def constant_bytes(op: Constant) -> bytes:
    shape = shape_of(op.results[0].type)
    if any(isinstance(d, Sym) for d in shape):
        raise CompileError(
            "nd.constant: expected a static shape where the program itself holds a constant", op.location
        )
    return np.ascontiguousarray(op.reference()).tobytes()

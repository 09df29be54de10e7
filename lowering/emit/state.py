"""What is known while one kernel is emitted, and the table of handlers by operation name.

Values are held by what they are: scalars and vectors in `env`; index values as linear forms over loop variables and
sizes in `index`, so that each term of an address is added in the loop that binds it; memrefs as `Ref`s. `depth` gives
the scope in which the name of an index value is visible.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

from xdsl.dialects.builtin import VectorType
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.errors import CompileError
from .table import Prepared, Types, prepare
from .text import Writer, bytes_of, kind_of
from .values import Native, Scalar, Value, Vec

SPREAD = 8
"""Vectors whose lanes are all one value, and that are made before a loop: each takes a register."""

ALIGNMENT = 64


class Form(NamedTuple):
    """An index value: a constant and names with coefficients."""

    constant: int
    terms: dict[str, int]


class Ref(NamedTuple):
    """A buffer: pointer to element 0, sizes and strides (text where known at run time only).

    `root` is the argument or allocation that it lies in, `base` the pointer to the root's first element.
    """

    pointer: str
    sizes: list[int | str]
    strides: list[int | str]
    kind: str
    root: SSAValue
    base: str


@dataclass
class Space:
    """Memory that static allocations get places of: the name of its start, the scope that knows it, bytes taken."""

    pointer: str
    depth: int = 0
    bytes: int = 0

    def take(self, size: int) -> int:
        """The offset of a place of so many bytes, apart from the next."""
        offset, self.bytes = self.bytes, self.bytes + -(-size // ALIGNMENT) * ALIGNMENT + ALIGNMENT
        return offset


class Fact(NamedTuple):
    """What is known of a pointer: bytes that it is a multiple of; does nobody write there while the function runs?"""

    alignment: int
    constant: bool = False


class Read(NamedTuple):
    """A lazy read that a later write may overtake; `access` equal to a write's: the same elements in the same order."""

    value: SSAValue
    vec: Vec
    root: SSAValue
    access: object


Handler = Callable[["Emitter", Operation], None]
HANDLERS: dict[str, Handler] = {}


def emits(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


class Emitter(Writer):
    def __init__(
        self,
        lanes: int,
        stream: bool = True,
        threads: int = 1,
        name: str = "k",
        attributes: str = "",
        dots: Sequence[str] = (),
        handlers: Mapping[str, Handler] = HANDLERS,
        gpu: bool = False,
    ) -> None:
        super().__init__()
        self.handlers, self.gpu = handlers, gpu
        """What emits each operation: code for the host, or the two sides of a kernel that launches threads. Is this
        the threads' side?"""
        self.weaves = not gpu  # a GPU has other threads to go on with
        self.lanes, self.threads = lanes, threads
        self.stream = stream
        """May stores pass the caches?"""
        self.streamed: dict[SSAValue, None] | None = None
        """Arguments that are stored past the caches in the way being emitted, if it is one of two (`streaming`)."""
        self.dots = dots
        """The machine's instructions: rows of `contract.DOTS`, `lookups.LOOKUPS` and `float_parts.FLOAT_PARTS`."""
        self.name, self.attributes = name, attributes
        """Of the function: its symbol, and its attributes about vectors."""
        self.env: dict[SSAValue, Value] = {}
        self.index: dict[SSAValue, Form] = {}
        self.refs: dict[SSAValue, Ref] = {}
        self.depth: dict[str, int] = {}
        self.multiples: dict[str, int] = {}
        self.facts: dict[str, Fact] = {}
        """Of pointers, where accesses say them."""
        self.arguments: dict[SSAValue, bool] = {}  # the kernel's memrefs: may it alias others?
        self.space = Space("%ws")
        self.parts: list[str] = []
        """Functions for parts of parallel loops."""
        self.launches: Any = None
        """What a kernel launches on a GPU (`launch.Launches`)."""
        self.types: dict[str, str] = {}
        """Types of parameters and of the variables of open loops."""
        self.heap: list[list[str]] = [[]]
        """What gives memory back at the end of each open region."""
        self.reads: list[list[Read]] = []
        self.last: list[dict[SSAValue, int]] = []
        self.position = 0

    # ---- values
    def vec(
        self,
        kind: str,
        shape: Sequence[int],
        native: Native | None = None,
        scalar: Scalar | None = None,
        constant: bool = False,
        sources: Sequence[Vec] = (),
    ) -> Vec:
        vec = Vec(self, self.lanes, kind, shape, native, scalar, constant)
        vec.sources = sources
        return vec

    def vector(self, value: SSAValue) -> Vec:
        found = self.env[value]
        assert isinstance(found, Vec)
        return found

    def scalar(self, value: SSAValue) -> str:
        """The text of a scalar, an index included."""
        if value in self.index:
            return self.index_text(self.index[value])
        found = self.env[value]
        assert isinstance(found, str)
        return found

    def instruct(self, prepared: Prepared, operands: list[str], depth: int = -1) -> str:
        for declaration in prepared.declarations:
            self.declarations[declaration] = None
        for line in prepared.lines:
            operands.append(self.op(line.format(*operands), depth))
        return operands[-1]

    def apply(self, name: str, kind: str, operands: list[str], width: int = 0, flags: str = "") -> str:
        """A row of the table whose operands and result have one type."""
        return self.instruct(prepare(name, Types(kind, kind, kind, width, width, flags), self.gpu), operands)

    # ---- index values
    def constant_of(self, value: SSAValue) -> int | None:
        form = self.index.get(value)
        return form.constant if form is not None and not form.terms else None

    def name_index(self, name: str, depth: int) -> Form:
        if name.lstrip("-").isdigit():
            return Form(int(name), {})
        self.depth[name] = depth
        return Form(0, {name: 1})

    def depth_of(self, form: Form) -> int:
        return max((self.depth[name] for name in form.terms), default=0)

    def multiple_of(self, name: str | int) -> int:
        """A number that every value of an index name is a multiple of."""
        return name if isinstance(name, int) else self.multiples.get(name, 1)

    def multiple_of_form(self, form: Form) -> int:
        """A number that every value of a form is a multiple of; 0 if it is 0."""
        return gcd(form.constant, *(k * self.multiple_of(name) for name, k in form.terms.items()))

    def times(self, name: str, factor: int | str, depth: int) -> str:
        if factor == 1:
            return name
        found = self.once(("mul", name, factor), lambda: self.op(f"mul i64 {name}, {factor}", depth), depth)
        if self.facts:
            self.multiples[found] = self.multiple_of(name) * self.multiple_of(factor)
        return found

    def index_text(self, form: Form) -> str:
        if not form.terms:
            return str(form.constant)
        depth = self.depth_of(form)

        def make() -> str:
            parts = [self.times(n, k, self.depth[n]) for n, k in form.terms.items()]
            total = parts[0]
            for part in [*parts[1:], *([str(form.constant)] if form.constant else [])]:
                total = self.op(f"add i64 {total}, {part}", depth)
            if self.facts:
                self.multiples[total] = gcd(form.constant, *(self.multiple_of(part) for part in parts))
            return total

        return self.once(("sum", form.constant, *form.terms.items()), make, depth)

    # ---- addresses
    def gep(self, pointer: str, kind: str, offset: int | str, depth: int = -1) -> str:
        if offset in (0, "0"):
            return pointer
        text = f"getelementptr {kind}, ptr {pointer}, i64 {offset}"
        found = self.once(("gep", pointer, kind, offset), lambda: self.op(text, depth), depth)
        if (fact := self.facts.get(pointer)) is not None:
            step = bytes_of(kind) * self.multiple_of(offset)
            self.facts[found] = Fact(gcd(fact.alignment, step), fact.constant)
        return found

    def known(self, pointer: str, kind: str) -> str:
        """The end of an access to one or more elements of `kind`: alignment, and whether what is read never changes."""
        fact = self.facts.get(pointer)
        if fact is None:
            return f"align {bytes_of(kind)}"
        alignment = max(bytes_of(kind), fact.alignment & -fact.alignment)
        return f"align {alignment}{', !invariant.load !0' if fact.constant else ''}"

    def address(self, ref: Ref, at: Sequence[Form]) -> str:
        """The pointer to an element: terms of outer loops first, each in its own loop."""
        kind = "i8" if ref.kind == "i1" else ref.kind
        constant, pointer = 0, ref.pointer
        terms: dict[str, int] = {}
        for stride, form in zip(ref.strides, at):
            if isinstance(stride, int):
                constant += form.constant * stride
                for name, factor in form.terms.items():
                    terms[name] = terms.get(name, 0) + factor * stride
                continue
            own = self.depth.get(stride, 0)
            for name, factor in sorted(form.terms.items(), key=lambda t: self.depth[t[0]]):
                depth = max(self.depth[name], own)
                step = self.times(self.times(name, factor, self.depth[name]), stride, depth)
                depth = max(depth, self.depth.get(pointer, 0))
                pointer = self.gep(pointer, kind, step, depth)
                self.depth[pointer] = depth
            if form.constant:
                step, depth = self.times(stride, form.constant, own), max(own, self.depth.get(pointer, 0))
                pointer = self.gep(pointer, kind, step, depth)
                self.depth[pointer] = depth
        for name, factor in sorted(terms.items(), key=lambda t: self.depth[t[0]]):
            if factor == 0:
                continue
            own, known = self.depth[name], self.depth.get(pointer, 0)
            outer = pointer
            pointer = self.gep(pointer, kind, self.times(name, factor, own), max(own, known))
            if pointer != outer:
                self.depth[pointer] = max(own, known)
        return self.gep(pointer, kind, constant)

    # ---- regions
    def region(self, block: Block) -> None:
        """Emit the operations of a block into the innermost scope."""
        ops = list(block.ops)
        outer = self.position
        self.reads.append([])
        self.last.append(_last_uses(ops))
        self.heap.append([])
        for position, op in enumerate(ops):
            self.position = position
            handler = self.handlers.get(op.name)
            if handler is None:
                raise CompileError(unknown(op.name), op.location)
            handler(self, op)
        for line in self.heap.pop():
            self.line(line)
        self.reads.pop()
        self.last.pop()
        self.position = outer

    def force(self, block: Block) -> None:
        """What a nested region reads is computed before it."""
        for op in block.walk():
            for operand in op.operands:
                value = self.env.get(operand)
                if isinstance(value, Vec) and not value.constant:
                    value.all()
            if op.name == "vector.broadcast" and not self.gpu:
                self._spread_before(op)

    def _spread_before(self, op: Operation) -> None:
        """A few values from outside that a nested region puts into all lanes are put there before it."""
        source, kind = op.operands[0], op.results[0].type
        shape = source.type.get_shape() if isinstance(source.type, VectorType) else ()
        if isinstance(source.owner, Operation) and source.owner.name == "vector.shape_cast":
            source = source.owner.operands[0]
        found = self.env.get(source)
        if not isinstance(kind, VectorType) or found is None:
            return
        width = min(self.lanes, 1 << (kind.get_shape()[-1] - 1).bit_length())
        element = kind_of(kind.element_type)
        if isinstance(found, str):
            self.splat(found, element, width)
        elif shape[-1:] == (1,) and prod(shape) <= SPREAD:
            for at in product(*map(range, found.shape)):
                self.splat(found.sca(at), element, width)

    def writes(self, root: SSAValue, access: object) -> None:
        """Before a write: lazy reads of memory that it may change are done now, if they are needed after it.

        A value needed by the write itself is read as the write goes along where it reads just what is overwritten.
        Different arguments may share memory element for element only, so that case is theirs, too.
        """
        for read in self.reads[-1]:
            last = self.last[-1].get(read.value, -1)
            shared = read.root is root or (self.arguments.get(read.root, False) and self.arguments.get(root, False))
            overtaken = last == self.position and read.root is root and read.access != access
            if shared and (last > self.position or overtaken):
                read.vec.all()

    def arrive(self) -> None:
        """Before a barrier: lazy reads are done, if they are needed after it. Other threads may write there meanwhile;
        where nobody does, the wait for them and that for the barrier are one."""
        for read in self.reads[-1]:
            if self.last[-1].get(read.value, -1) > self.position:
                read.vec.all()


def unknown(name: str) -> str:
    """Why an operation cannot be emitted, and what to do."""
    if name.startswith("math.") or name == "arith.remf":
        return f"{name}: expected an operation with an instruction; run expand-math before emission"
    return f"{name}: expected an operation of the vector level, found one that LLVM IR emission does not know"


def _last_uses(ops: list[Operation]) -> dict[SSAValue, int]:
    """For each value the last position in its block at which it, or what is lazily computed from it, is needed."""
    last: dict[SSAValue, int] = {}
    for position in range(len(ops) - 1, -1, -1):
        op = ops[position]
        lazy = not op.regions and bool(op.results) and isinstance(op.results[0].type, VectorType)
        need = max((last.get(r, -1) for r in op.results), default=-1) if lazy else position
        operands = list(op.operands)
        if op.regions:
            operands += [operand for inner in op.walk() for operand in inner.operands]
        for operand in operands:
            if last.get(operand, -1) < need:
                last[operand] = need
    return last

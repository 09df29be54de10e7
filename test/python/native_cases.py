"""Programs of every `nd` op at any shape, and arrays of any memory order, for tests of compiled code.

A `Template` builds its op for a shape of ints or symbols: the shape's rank and sizes are the caller's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cases_bits
import cases_complex
import cases_composites
import cases_fft
import cases_indirect
import cases_matrices
import cases_scalar
import cases_special
import cases_windows
import numpy as np
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.frontend.layouts import set_layouts
from mlc.dialects.nd import dialect as dialect
from mlc.dialects.nd import functions as F
from mlc.dialects.nd import movement
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.dims import Dim
from mlc.dialects.nd.mapped import text
from mlc.dialects.nd.op import EXACT, OPS, Array, NdOp, Tolerance, bind, building, sizes
from mlc.dialects.nd.reduction import KINDS
from mlc.dialects.nd.resource import resource
from mlc.dialects.nd.types import ANY, COMPUTED, FIELD, NUMERIC, NUMPY, shape_of, tensor
from mlc.runtime.abi import ALIGNMENT
from mlc.runtime.matching import assert_matches
from op_cases import run_block
from xdsl.dialects.builtin import ModuleOp, f32, i1
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region

Np = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[Dim, ...]
Layout = tuple[int, ...] | None
GUARD = 64


# Templates.


@dataclass(frozen=True)
class Template:
    op: str
    build: Callable[..., Array]
    """Of the operands."""
    shapes: Callable[[Shape], Sequence[Shape]] = lambda s: [s]
    """The operands' shapes."""
    label: str = ""
    rank: int = 0
    """At least."""
    dtypes: Sequence[Attribute] | None = None
    first: Attribute | None = None
    """Element type of operand 0, where not that of the others."""
    indices: Sequence[Attribute] = ()
    """Element types of the last operands, which are positions."""
    symbolic: bool = True
    """Can it be built for symbolic sizes?"""
    some: bool = False
    """There must be elements to choose from."""

    def __str__(self) -> str:
        return f"{self.op} {self.label}".strip()

    @property
    def elements(self) -> Sequence[Attribute]:
        return self.dtypes if self.dtypes is not None else OPS[self.op].DTYPES

    def types(self, shape: Shape, dtype: Attribute) -> list[Any]:
        types = [tensor(s, dtype) for s in self.shapes(shape)]
        for k, (t, index) in enumerate(zip(types[::-1], reversed(self.indices)), 1):
            types[-k] = tensor(shape_of(t), index)
        return types if self.first is None else [tensor(self.shapes(shape)[0], self.first), *types[1:]]


AXES = "a b c d"


def names(rank: int) -> list[str]:
    return AXES.split()[:rank]


def mapped(name: str, spec: Callable[[int], str], **properties: Any) -> Callable[..., Array]:
    """An op in index notation, which `spec` gives for the first operand's rank."""
    return lambda *xs: bind(OPS[name], *xs, **properties, map=text(parse(spec(len(xs[0].shape)))))


def but(axis: int) -> Callable[[int], str]:
    """All axes but one: `a b c -> a c`."""

    def spec(rank: int) -> str:
        kept = names(rank)
        del kept[axis]
        return f"{' '.join(names(rank))} -> {' '.join(kept)}"

    return spec


def to_scalar(rank: int) -> str:
    return " ".join(names(rank)) + " -> "


def same(count: int) -> Callable[[Shape], Sequence[Shape]]:
    return lambda s: [s] * count


def of(name: str) -> Callable[..., Array]:
    return lambda *xs: bind(OPS[name], *xs)


UNARY = ["neg", "abs", "sign", "floor", "exp", "log", "tanh", "sin", "cos", "sqrt", "rsqrt", "not"]
UNARY += ["relu", "gelu", "stop_gradient", "barrier"]
BINARY = ["add", "sub", "mul", "div", "pow", "max", "min", "and", "or", "xor"]


def templates() -> list[Template]:
    out = [Template(n, of(n)) for n in UNARY]
    out += [Template(n, of(n), same(2)) for n in BINARY]
    for kind in ["eq", "ne", "lt", "le", "gt", "ge"]:
        ordered = None if kind in ("eq", "ne") else COMPUTED
        out.append(Template("compare", lambda x, y, kind=kind: F.compare(kind, x, y), same(2), kind, dtypes=ordered))
    out.append(Template("select", F.select, same(3), first=i1))
    for to in ANY:
        out.append(Template("convert", lambda x, to=to: bind(OPS["convert"], x, to=to), label=str(to)))
    out.append(Template("constant", lambda x: F.constant(ramp(x)), symbolic=False))
    out.append(Template("constant", bind_full, label="splat"))
    out.append(Template("resource", lambda x: resource(ramp(x)), symbolic=False))
    out.append(Template("iota", lambda x: F.iota(x.shape, len(x.shape) - 1, x.dtype), rank=1))
    out.append(Template("size", size_of, rank=1))
    out += cases_composites.templates(Template) + cases_bits.templates(Template) + cases_complex.templates(Template)
    out += cases_scalar.templates(Template, same) + cases_special.templates(Template, same)
    out += cases_matrices.templates(Template) + cases_fft.templates(Template)
    return (
        out
        + movements()
        + sums()
        + composites()
        + cases_windows.templates(Template)
        + cases_indirect.templates(Template)
    )


def ramp(x: Array) -> Np:
    shape: Any = x.shape
    return (np.arange(int(np.prod(shape))).reshape(shape) % 7).astype(NUMPY[x.dtype])


def bind_full(x: Array) -> Array:
    return F.full(1, tensor(x.shape, x.dtype))


def size_of(x: Array) -> Array:
    return bind(OPS["size"], of=movement.dims_attr([x.shape[0]]), shape=tensor((), x.dtype))


def each(x: Array, value: Any) -> list[Any]:
    return [value] * len(x.shape)


def movements() -> list[Template]:
    def evens(x: Array) -> Array:
        """Every second row from the first; the rest whole."""
        n = x.shape[0]
        return movement.slice_(x, each(x, 0), [2, *each(x, 1)[1:]], [(n + 1) // 2, *x.shape[1:]])

    def backwards(x: Array) -> Array:
        return movement.slice_(x, [n - 1 for n in x.shape], each(x, -1), list(x.shape))

    def window(x: Array) -> Array:
        """All but the first and the last row."""
        return movement.slice_(x, [1, *each(x, 0)[1:]], each(x, 1), [x.shape[0] - 2, *x.shape[1:]])

    def padded(low: int, high: int, interior: int) -> Callable[..., Array]:
        return lambda x, v: movement.pad_with(x, v, each(x, low), each(x, high), each(x, interior))

    def repeated(x: Array) -> Array:
        """A new axis in the middle."""
        all_, rank = names(len(x.shape)), len(x.shape)
        spec = f"{' '.join(all_)} -> {' '.join([*all_[: rank // 2], 'z', *all_[rank // 2 :]])}"
        shape = (*x.shape[: rank // 2], 5, *x.shape[rank // 2 :])
        return bind(OPS["broadcast"], x, map=text(parse(spec)), shape=tensor(shape, x.dtype))

    value = lambda s: [s, ()]
    return [
        Template("transpose", lambda x: F.transpose(x, [*range(1, len(x.shape)), 0]), rank=2),
        Template("broadcast", repeated),
        Template("reshape", lambda x: F.reshape(x, (count(x.shape),))),
        Template("reshape", lambda x: F.reshape(x, (*x.shape[:-2], x.shape[-1], x.shape[-2])), rank=2, label="swap"),
        Template("slice", evens, rank=1),
        Template("slice", backwards, label="backwards"),
        Template("slice", window, lambda s: [(s[0] + 2, *s[1:])], label="window", rank=1),
        Template("reverse", lambda x: F.flip(x, len(x.shape) - 1), rank=1),
        Template("reverse", F.flip, label="all"),
        Template("pad", padded(1, 0, 0), value),
        Template("pad", padded(0, 2, 1), value, label="interior"),
        Template("concat", lambda *xs: F.concatenate(xs, 0), lambda s: [s, (2, *s[1:]), s], rank=1),
        Template(
            "concat", lambda *xs: F.concatenate(xs, -1), lambda s: [s, (*s[:-1], 0), (*s[:-1], 3)], rank=1, label="last"
        ),
    ]


def count(shape: Shape) -> Dim:
    out: Dim = 1
    for n in shape:
        out = out * n
    return out


def sums() -> list[Template]:
    def matmul(rank: int) -> str:
        a = names(rank)
        return f"{' '.join(a)}, {a[-1]} z -> {' '.join(a[:-1])} z"

    def batched(rank: int) -> str:
        a = names(rank)
        return f"{' '.join(a)}, {' '.join(a[:-2])} {a[-1]} z -> {' '.join(a[:-2])} z {a[-2]}"

    def scaled(rank: int) -> str:
        a = names(rank)
        return f"{' '.join(a)}, {a[0]}, {a[-1]} -> {a[-1]}"

    def windowed(*xs: Array) -> Array:
        x, w = xs
        shape = tensor((x.shape[0] - 2, w.shape[1]), x.dtype)
        return bind(OPS["contract"], x, w, map=text(parse("a+c, c d -> a d")), shape=shape)

    out = [
        Template("contract", mapped("contract", matmul), lambda s: [s, (s[-1], 9)], "matmul", 1),
        Template("contract", mapped("contract", batched), lambda s: [s, (*s[:-2], s[-1], 5)], "batched", 2),
        Template("contract", mapped("contract", scaled), lambda s: [s, (s[0],), (s[-1],)], "three", 2),
        Template("contract", mapped("contract", to_scalar), label="sum"),
        Template("contract", windowed, lambda s: [(s[0] + 2,), (3, 4)], "window", 1),
    ]
    for kind in ("sum", "prod", "max", "min", "any", "all"):
        types = [i1] if kind in ("any", "all") else FIELD if kind in ("sum", "prod") else NUMERIC
        for label, spec, rank in (("first", but(0), 1), ("last", but(-1), 1), ("whole", to_scalar, 0)):
            build = mapped("reduce", spec, kind=KINDS[kind])
            out.append(Template("reduce", build, label=f"{kind} {label}", rank=rank, dtypes=types))
    for n in ("argmax", "argmin"):
        out.append(Template(n, mapped(n, but(0)), rank=1, label="first", some=True))
        out.append(Template(n, mapped(n, but(-1)), rank=1, some=True))
    out.append(Template("one_hot", lambda x: F.one_hot(x, 4, f32)))
    return out


def composites() -> list[Template]:
    out = [Template(n, of(n), rank=1) for n in ("softmax", "log_softmax")]
    for n in ("mean", "variance"):
        out += [Template(n, mapped(n, but(0)), rank=1, label="first"), Template(n, mapped(n, but(-1)), rank=1)]
    out.append(Template("cross_entropy", of("cross_entropy"), same(2), rank=1))
    out.append(Template("mse", mapped("mse", lambda r: f"{' '.join(names(r))}, {to_scalar(r)}"), same(2)))
    return out


TEMPLATES = templates()


# Memory orders.


def laid_out(x: Np, how: str) -> tuple[Np, Layout]:
    """The array in memory of its own, and the strides to compile for (None: rows, into which others are copied)."""
    kind, _, copied = how.partition(" ")
    y = arranged(x, kind)
    whole = np.complex128 if x.dtype.kind == "c" else np.float64
    same = np.array_equal(y.astype(whole), x.astype(whole), equal_nan=True)
    assert same or kind == "broadcast"
    strides = None if copied or kind == "rows" or not x.size else tuple(s // x.itemsize for s in y.strides)
    return y, strides


def arranged(x: Np, kind: str) -> Np:
    match kind:
        case "rows":
            return np.ascontiguousarray(x).reshape(x.shape)
        case "transposed":
            return np.array(x.T, order="C").T
        case "sliced":
            whole = np.full([2 * n + 3 for n in x.shape], 1, x.dtype)
            part = whole[(..., *(slice(2, 2 + 2 * n, 2) for n in x.shape))]
            part[...] = x
            return part
        case "reversed":
            return np.array(np.flip(x), order="C")[(..., *[slice(None, None, -1)] * x.ndim)]
        case _:
            assert kind == "broadcast"
            return np.broadcast_to(x[:1] if x.ndim else x, x.shape)


LAYOUTS = [
    "rows",
    "transposed",
    "sliced",
    "reversed",
    "broadcast",
    "transposed copied",
    "sliced copied",
    "reversed copied",
    "broadcast copied",
]


# Programs of many ops.


@dataclass
class One:
    """One op of a program."""

    label: str
    build: Callable[..., Array]
    types: list[Any]
    inputs: list[Np]
    layouts: list[Layout]

    def expect(self, inputs: Sequence[Np], symbols: dict[str, int]) -> tuple[Np, NdOp | Tolerance, Sequence[Np]]:
        """The reference's result; the op that made it (nothing to do is exact) and the op's inputs."""
        block = Block(arg_types=self.types)
        with building(block):
            out = self.build(*map(Array, block.args)).value
        env = run_block(block, inputs, symbols)
        op = out.owner
        return (env[out], op, [env[v] for v in op.operands]) if isinstance(op, NdOp) else (env[out], EXACT, ())


def program(ones: Sequence[One]) -> Compiled:
    """One program with a result for each."""
    block = Block(arg_types=[t for one in ones for t in one.types])
    arguments = iter(block.args)
    with building(block):
        results = [one.build(*(Array(next(arguments)) for _ in one.types)).value for one in ones]
    block.add_op(ReturnOp(*results))
    f = FuncOp("main", ([a.type for a in block.args], [r.type for r in results]), Region(block))
    set_layouts(f, [at for one in ones for at in one.layouts])
    return compile_module(ModuleOp([f]))


def guarded(shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[Np, Np]:
    """An array of NaN or -1 for a result, and the bytes around it and of it."""
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    space = np.full(size + 2 * GUARD + ALIGNMENT, 0xFF, np.uint8)
    start = -space.ctypes.data % ALIGNMENT
    whole = space[start : start + size + 2 * GUARD]
    return whole[GUARD : GUARD + size].view(dtype).reshape(tuple(shape)), whole


def check(
    exe: Compiled,
    ones: Sequence[One],
    symbols: dict[str, int] | None = None,
    inputs: Sequence[Sequence[Np]] | None = None,
) -> list[str]:
    """Run the program; what is wrong, a line each."""
    symbols = symbols or {}
    given = [one.inputs for one in ones] if inputs is None else inputs
    expected = [one.expect(xs, symbols) for one, xs in zip(ones, given, strict=True)]
    outs = [guarded(want.shape, want.dtype) for want, _, _ in expected]
    flat = [x for xs in given for x in xs]
    before = [x.tobytes() for x in flat]
    exe(*flat, out=[out for out, _ in outs])
    wrong = [f"argument {k} was written" for k, x in enumerate(flat) if x.tobytes() != before[k]]
    for one, (want, op, operands), (out, whole) in zip(ones, expected, outs, strict=True):
        label = f"{one.label} {symbols or ''}"
        if (whole[:GUARD] != 0xFF).any() or (whole[len(whole) - GUARD :] != 0xFF).any():
            wrong.append(f"{label}: wrote outside of its result")
        if want.dtype == bool and out.view(np.uint8).max(initial=0) > 1:
            wrong.append(f"{label}: an i1 is neither 0 nor 1")
        try:
            with sizes(symbols):
                assert_matches(op, out, want, inputs=operands)
        except AssertionError as error:
            wrong.append(f"{label}: {error}")
    return wrong

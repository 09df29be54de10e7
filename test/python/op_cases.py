"""Small programs of every `nd` op, for tests over the registry: operand shapes and element types, and one call."""

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
from mlc.dialects.nd import checkpoint, movement
from mlc.dialects.nd import dialect as dialect
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.mapped import text
from mlc.dialects.nd.op import OPS, Array, NdOp, bind, building, sizes
from mlc.dialects.nd.resource import resource
from mlc.dialects.nd.scatter import TAKES
from mlc.dialects.nd.selection import limits
from mlc.dialects.nd.types import ANY, COMPLEX, FIELD, NUMERIC, NUMPY, kind_of, of_numpy, tensor
from mlc.runtime.interpreter import Frame, Interpreter
from sampling import sample
from xdsl.dialects.builtin import ModuleOp, i1, i64
from xdsl.ir import Attribute, Block

Dtypes = Callable[[Attribute], Sequence[Attribute]]


@dataclass(frozen=True)
class Case:
    op: str
    shapes: tuple[tuple[int, ...], ...]
    build: Callable[..., Array]
    dtypes: Dtypes | None = None
    """Of the operands, for the op's element type; default: all that type."""
    positive: bool = False
    """Operands of derivative tests stay above 0."""
    within: tuple[float, float] | None = None
    """Or between these."""
    large: float = 0
    """Is added to the diagonals of square operands."""
    label: str = ""

    def types(self, dtype: Attribute) -> list[Any]:
        kinds = self.dtypes(dtype) if self.dtypes else [dtype] * len(self.shapes)
        return [tensor(s, d) for s, d in zip(self.shapes, kinds, strict=True)]

    def draw(self, types: Sequence[Any], seed: int) -> list[np.ndarray[Any, Any]]:
        """Random operands of derivative tests."""
        drawn = self.regular(values(types, seed, self.positive))
        if self.within is None:
            return drawn
        low, high = self.within
        return [np.asarray(low + (high - low) * (np.tanh(x) + 1) / 2).astype(x.dtype) for x in drawn]

    def regular(self, arrays: Sequence[Any]) -> list[Any]:
        """The arrays, square matrices made far from singular."""
        if not self.large:
            return list(arrays)
        squares = [x.ndim > 1 and x.shape[-1] == x.shape[-2] for x in arrays]
        eyes = [(self.large * np.eye(x.shape[-1])).astype(x.dtype) if q else 0 for x, q in zip(arrays, squares)]
        return [x + e for x, e in zip(arrays, eyes, strict=True)]

    def trace(self, dtype: Attribute) -> NdOp:
        """The op itself, last in a block whose arguments are its operands (constants aside)."""
        block = Block(arg_types=self.types(dtype))
        with building(block):
            self.build(*map(Array, block.args))
        op = block.last_op
        assert isinstance(op, NdOp) and op.name == "nd." + self.op, f"{op} is no nd.{self.op}"
        return op


def mapped(name: str, spec: str) -> Callable[..., Array]:
    return lambda *xs: bind(OPS[name], *xs, map=text(parse(spec)))


def case(op: str, shapes: Any, build: Callable[..., Array], **more: Any) -> Case:
    return Case(op, tuple(tuple(s) for s in shapes), build, **more)


UNARY = ["neg", "abs", "sign", "floor", "exp", "tanh", "sin", "cos", "not", "relu", "gelu", "stop_gradient", "barrier"]
BINARY = ["add", "sub", "mul", "max", "min", "and", "or", "xor"]


def cases() -> list[Case]:
    def of(name: str) -> Callable[..., Array]:
        return lambda *xs: bind(OPS[name], *xs)

    out = [case(n, [s], of(n)) for n in UNARY for s in ((3, 4), (), (0, 2))]
    out += [case(n, [s, s], of(n)) for n in BINARY for s in ((3, 4), (), (0, 2))]
    out += [case(n, [s], of(n), positive=True) for n in ("log", "sqrt", "rsqrt") for s in ((3, 4), (), (0, 2))]
    out += [case(n, [s, s], of(n), positive=True) for n in ("div", "pow") for s in ((3, 4), (), (0, 2))]
    for kind in ["eq", "ne", "lt", "le", "gt", "ge"]:
        out.append(case("compare", [(3, 4), (3, 4)], lambda x, y, kind=kind: F.compare(kind, x, y), label=kind))
    out.append(case("select", [(3, 4)] * 3, F.select, dtypes=lambda d: (i1, d, d)))
    for to in ANY:
        out.append(case("convert", [(3, 4)], lambda x, to=to: bind(OPS["convert"], x, to=to), label=str(to)))
    # sources: the operand gives the element type alone
    out.append(case("constant", [(2, 3)], lambda x: F.constant(np.arange(6).reshape(2, 3).astype(NUMPY[x.dtype]))))
    out.append(case("resource", [(2, 3)], lambda x: resource(np.arange(6).reshape(2, 3).astype(NUMPY[x.dtype]))))
    out.append(case("constant", [()], lambda x: F.full(1, tensor((2, 0, 3), x.dtype)), label="splat"))
    out += [case("iota", [()], lambda x, k=k: F.iota((2, 3), k, x.dtype), label=str(k)) for k in (0, 1)]
    out.append(case("size", [()], lambda x: bind(OPS["size"], of=movement.dims_attr([6]), shape=tensor((), x.dtype))))
    out.append(case("name", [(3, 4)], lambda x: checkpoint.name(x, "kept")))
    out += movement_cases() + sum_cases() + composite_cases()
    families = (
        cases_scalar,
        cases_special,
        cases_bits,
        cases_complex,
        cases_fft,
        cases_windows,
        cases_indirect,
        cases_composites,
        cases_matrices,
    )
    for family in families:
        out += family.cases(case)
    return out


def movement_cases() -> list[Case]:
    s, p = movement.slice_, movement.pad_with
    return [
        case("transpose", [(2, 3, 4)], lambda x: F.transpose(x, [2, 0, 1])),
        case("transpose", [(0, 3)], lambda x: x.T, label="empty"),
        case("broadcast", [(2, 3)], mapped_broadcast("a b -> a c b", (2, 4, 3))),
        case("broadcast", [()], mapped_broadcast(" -> a b", (2, 0)), label="empty"),
        case("reshape", [(2, 3, 4)], lambda x: F.reshape(x, (2, 12))),
        case("reshape", [(0, 3)], lambda x: F.reshape(x, (5, 0)), label="empty"),
        case("slice", [(4, 7)], lambda x: s(x, [1, 5], [1, -2], [3, 3])),
        case("slice", [(4, 7)], lambda x: s(x, [3, 1], [-1, 3], [4, 2]), label="backwards"),
        case("slice", [(4, 7)], lambda x: s(x, [0, 2], [1, 2], [4, 0]), label="empty"),
        case("reverse", [(3, 4)], lambda x: F.flip(x, 1)),
        case("reverse", [(0, 4)], F.flip, label="empty"),
        case("pad", [(2, 3), ()], lambda x, v: p(x, v, [1, 0], [0, 2], [0, 0])),
        case("pad", [(2, 3), ()], lambda x, v: p(x, v, [1, 0], [0, 2], [2, 1]), label="interior"),
        case("pad", [(0, 3), ()], lambda x, v: p(x, v, [1, 0], [1, 0], [2, 0]), label="empty"),
        case("concat", [(2, 3), (2, 1), (2, 0)], lambda *xs: F.concatenate(xs, 1)),
        case("concat", [(2, 3), (0, 3)], lambda *xs: F.concatenate(xs, 0), label="rows"),
    ]


def mapped_broadcast(spec: str, shape: tuple[int, ...]) -> Callable[..., Array]:
    return lambda x: bind(OPS["broadcast"], x, map=text(parse(spec)), shape=tensor(shape, x.dtype))


def sum_cases() -> list[Case]:
    def windowed(spec: str, shape: tuple[int, ...]) -> Callable[..., Array]:
        return lambda *xs: bind(OPS["contract"], *xs, map=text(parse(spec)), shape=tensor(shape, xs[0].dtype))

    out = [
        case("contract", [(2, 3), (3, 4)], mapped("contract", "a b, b c -> a c"), label="matmul"),
        case("contract", [(2, 0), (0, 4)], mapped("contract", "a b, b c -> a c"), label="empty"),
        case("contract", [(5, 2, 3), (5, 3, 4)], mapped("contract", "a b c, a c d -> a d b"), label="batched"),
        case("contract", [(2, 3), (3,), (2,)], mapped("contract", "a b, b, a -> b"), label="three"),
        case("contract", [(3, 3), (3,)], mapped("contract", "a a, a -> a"), label="diagonal"),
        case("contract", [(3, 4)], mapped("contract", "a b -> "), label="sum"),
        case("contract", [(2, 3), (4,)], mapped("contract", "a b, c -> a"), label="free"),
        case("contract", [(2, 9, 3), (3, 3, 4)], windowed("a 2*b+c-1 d, c d e -> a b e", (2, 5, 4)), label="conv"),
        case("contract", [(2, 5, 4), (3, 3, 4)], windowed("a (b-c+1)/2 d, c e d -> a b e", (2, 9, 3)), label="conv-x"),
        case("contract", [(2, 5, 4), (2, 9, 3)], windowed("a b c, a 2*b+d-1 e -> d e c", (3, 3, 4)), label="conv-w"),
    ]
    for kind in ("sum", "prod", "max", "min"):
        for spec, shape in (("a b c -> b", (2, 3, 5)), ("a b -> ", (3, 0)), ("a b -> a", (3, 1)), ("a b -> a", (0, 2))):
            out.append(case("reduce", [shape], reduction(kind, spec), label=f"{kind} {spec}"))
    for kind in ("any", "all"):
        for spec, shape in (("a b c -> b", (2, 3, 5)), ("a b -> ", (3, 0))):
            out.append(case("reduce", [shape], reduction(kind, spec), dtypes=lambda d: [i1], label=f"{kind} {spec}"))
    for n in ("argmax", "argmin"):
        out += [
            case(n, [(2, 5, 3)], mapped(n, "a b c -> a c")),
            case(n, [(0, 2)], mapped(n, "a b -> a"), label="empty"),
        ]
    out.append(case("one_hot", [(2, 3)], lambda x: F.one_hot(x, 4)))
    out.append(case("one_hot", [(0,)], lambda x: F.one_hot(x, 4, i64), label="empty"))
    return out


def reduction(kind: str, spec: str) -> Callable[..., Array]:
    from mlc.dialects.nd.reduction import KINDS

    return lambda x: bind(OPS["reduce"], x, kind=KINDS[kind], map=text(parse(spec)))


def composite_cases() -> list[Case]:
    out = [case(n, [s], lambda x, n=n: bind(OPS[n], x)) for n in ("softmax", "log_softmax") for s in ((3, 4), (0, 2))]
    for n in ("mean", "variance"):
        out += [case(n, [(2, 3, 5)], mapped(n, "a b c -> b")), case(n, [(3, 0)], mapped(n, "a b -> a"), label="empty")]
    out += [case("cross_entropy", [s, s], lambda x, t: bind(OPS["cross_entropy"], x, t)) for s in ((3, 4), (0, 2))]
    out += [case("mse", [(3, 4)] * 2, mapped("mse", "a b, a b -> b")), case("mse", [(3, 4)] * 2, F.mse, label="all")]
    return out


CASES = cases()


def dtypes_of(case_: Case) -> list[Attribute]:
    """The element types that the case can be built with."""
    if case_.op in ("reduce", "reduce_window"):
        if case_.label.startswith(("any", "all")):
            return [i1]
        products = () if case_.op == "reduce_window" else ("prod",)
        return list(FIELD if case_.label.startswith(("sum", *products)) else NUMERIC)
    if case_.op == "fft":
        return cases_fft.dtypes_of(case_.label, OPS["fft"].DTYPES)
    if case_.op == "scatter":
        kind = case_.label.split()[0]
        return [d for d in ANY if d in TAKES.get(kind, NUMERIC)]
    if case_.op in ("compare", "cumulative") and not case_.label.startswith(("eq", "ne", "sum", "prod")):
        return [d for d in OPS[case_.op].DTYPES if d not in COMPLEX]
    return list(OPS[case_.op].DTYPES)


def values(types: Sequence[Any], seed: int = 0, positive: bool = False) -> list[np.ndarray[Any, Any]]:
    """Random arrays of these types."""
    rng = np.random.default_rng(seed)
    out: list[np.ndarray[Any, Any]] = []
    for t in types:
        shape, dtype = t.get_shape(), NUMPY[t.element_type]
        if kind_of(dtype) in "fc":
            x = rng.standard_normal(shape)
            x = np.asarray(abs(x) + 0.5 if positive else x)
            out.append((x + 1j * rng.standard_normal(shape) if dtype.kind == "c" else x).astype(dtype))
        else:
            out.append(np.asarray(rng.integers(0, 2 if dtype.kind == "b" else 4, shape)).astype(dtype))
    return out


def sampled_dtypes(case_: Case, count: int = 4) -> list[Attribute]:
    """Some of them, other ones for every case."""
    return sample(dtypes_of(case_), count, f"{case_.op} {case_.label} {case_.shapes}")


SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e30, 1e-30, -1.5]


def extremes(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """The least and the greatest value, 0 and the one next to it."""
    low, high = limits(of_numpy(dtype))
    return np.array([low, high, 0, 1 if low == 0 else -1], np.uint64 if low == 0 else np.int64)


def specials(types: Sequence[Any], seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """As `values`, with NaN, infinities and zeros of both signs in floats, extremes in integers."""
    rng = np.random.default_rng(seed)
    out = values(types, seed)
    for k, x in enumerate(out):
        if x.dtype.kind in "bc":
            continue
        with np.errstate(all="ignore"):
            odd = np.array(SPECIAL).astype(x.dtype) if kind_of(x.dtype) == "f" else extremes(x.dtype).astype(x.dtype)
        out[k] = np.where(rng.random(x.shape) < 0.5, odd[rng.integers(0, len(odd), x.shape)], x).astype(x.dtype)
    return out


def run_block(block: Block, args: Sequence[Any], symbols: dict[str, int] | None = None) -> dict[Any, Any]:
    """The values of everything in a block of nd ops."""
    env: dict[Any, Any] = dict(zip(block.args, args, strict=True))
    with np.errstate(all="ignore"), sizes(symbols or {}):
        for op in block.ops:
            if not isinstance(op, NdOp):  # a loop
                frame = Frame(Interpreter(ModuleOp([])), symbols or {})
                frame.values = env
                frame.step(op)
                continue
            env[op.results[0]] = np.asarray(op.reference(*(env[v] for v in op.operands)))
    return env

"""canonicalize: each rule where it fires and where it must not; random programs before and after in the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc import nn
from mlc.compiler.transforms.canonicalize import canonicalize, rules
from mlc.compiler.transforms.cse import cse
from mlc.compiler.transforms.fold_constants import splat_rules
from mlc.compiler.transforms.rewriting import Rewrite, by_class, rewrite
from mlc.compiler.transforms.simplify import REWRITES
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.attributes import dims_attr
from mlc.dialects.nd.concatenation import Concat
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.elementwise import Abs, Add, Not, Pow, Sign
from mlc.dialects.nd.mapped import text
from mlc.dialects.nd.movement import Pad, Reverse, Slice
from mlc.dialects.nd.op import EXACT, bind, building, here, insert
from mlc.dialects.nd.types import NUMPY, shape_of, tensor, ui8
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr, UnknownLoc, f32, f64, i1, i32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

DTYPES = {"f32": f32, "f64": f64, "i1": i1, "i32": i32, "i64": i64, "ui8": ui8}
Program = Callable[..., Any]


def type_of(text: str) -> Any:
    """`"b 4 i32"`: sizes, then the element type."""
    *sizes, dtype = text.split()
    return tensor(tuple(int(s) if s.isdigit() else symbol(s) for s in sizes), DTYPES[dtype])


def build(fn: Program, *types: str) -> ModuleOp:
    block = Block(arg_types=[type_of(t) for t in types])
    with building(block, FileLineColLoc(StringAttr("program"), IntAttr(1), IntAttr(1))):
        found = fn(*map(Array, block.args))
        values = [v.value for v in (found if isinstance(found, tuple) else (found,))]
        insert(ReturnOp.create(operands=values, location=here()))
    return ModuleOp([FuncOp("main", (list(block.arg_types), [v.type for v in values]), Region(block))])


def body(module: ModuleOp) -> Block:
    func = module.body.block.first_op
    assert isinstance(func, FuncOp)
    return func.body.block


def ops(module: ModuleOp) -> list[str]:
    return [op.name.removeprefix("nd.") for op in body(module).ops if op.name != "func.return"]


def inputs(module: ModuleOp, rng: np.random.Generator) -> list[Any]:
    out: list[Any] = []
    for a in body(module).args:
        shape, dtype = tuple(d if isinstance(d, int) else 3 for d in shape_of(a.type)), NUMPY[a.type.element_type]
        high = 2 if dtype.kind == "b" else 4
        out.append(
            rng.normal(size=shape).astype(dtype) if dtype.kind == "f" else rng.integers(0, high, shape).astype(dtype)
        )
    return out


def simplified(fn: Program, *types: str, numerics: str = "ieee") -> ModuleOp:
    """Canonicalized, verified, and compared with the program before on random inputs."""
    before, after = build(fn, *types), build(fn, *types)
    canonicalize(body(after), numerics)
    after.verify()
    args = inputs(before, np.random.default_rng(0))
    with np.errstate(all="ignore"):
        want, got = Interpreter(before).call("main", *args), Interpreter(after).call("main", *args)
        tolerance = program_tolerance(before, args)
    for g, w in zip(got, want, strict=True):
        assert_matches(tolerance.then(tolerance), g, w)
    assert canonicalize(body(after), numerics) == 0
    return after


def fired(module: ModuleOp) -> set[str]:
    """The rules that fire in a module."""
    names: set[str] = set()

    def recording(r: Rewrite) -> Rewrite:
        def apply(op: Any) -> Any:
            answer = r.apply(op)
            if answer is not None:
                names.add(r.name)
            return answer

        return Rewrite(r.name, r.ops, r.level, apply)

    cse(body(module))
    rewrite(body(module), by_class(map(recording, [*splat_rules(), *REWRITES]), "ieee"))
    return names


def sl(x: Array, start: Sequence[int], step: Sequence[int], count: Sequence[int]) -> Array:
    return bind(Slice, x, start=dims_attr(start), step=dims_attr(step), shape=tensor(tuple(count), x.dtype))


def full(shape: Any, value: float, dtype: Any) -> Array:
    return nd.full(value, tensor(tuple(shape), dtype))


def rev(x: Array, *axes: int) -> Array:
    return bind(Reverse, x, axes=dims_attr(axes))


def con(axis: int, *xs: Array) -> Array:
    return bind(Concat, *xs, axis=dims_attr([axis]))


def wide(x: Array, n: int = 5) -> Array:
    """A new last dimension."""
    return nd.broadcast_to(nd.reshape(x, (*x.shape, 1)), (*x.shape, n))


def spelled_softmax(x: Array, axis: int) -> Array:
    e = nd.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


SCALED = ["reduce", "broadcast", "sub", "exp", "reduce", "constant", "div", "broadcast", "mul"]
"""A softmax with one division for each line."""


F = "3 4 f32"
V = "4 f32"
I = "4 i32"  # noqa: E741

K, G = (np.array(values, np.float32) for values in ([0.5, 2, 3, 4], [3, -1, 0.25, 7]))

FIRES: list[tuple[str, Program, tuple[str, ...], list[str]]] = [
    # algebra
    ("add_neutral", lambda x: x + 0, (I,), []),
    ("add_neutral", lambda x: x + -0.0, (V,), []),
    ("sub_zero", lambda x: x - 0.0, (V,), []),
    ("zero_sub", lambda x: 0.0 - x, (V,), ["neg"]),
    ("mul_one", lambda x: 1.0 * x, (V,), []),
    ("mul_one", lambda x: x * -1.0, (V,), ["neg"]),
    ("mul_zero", lambda x: x * 0, (I,), ["constant"]),
    ("div_one", lambda x: x / 1.0, (V,), []),
    ("div_power_of_two", lambda x: x / 8.0, (V,), ["constant", "mul"]),
    ("sub_self", lambda x: x - x, (I,), ["constant"]),
    ("pow_trivial", lambda x: bind(Pow, x, full(x.shape, 1.0, x.dtype)), (V,), []),
    ("pow_small", lambda x: bind(Pow, x, full(x.shape, 2.0, x.dtype)), (V,), ["mul"]),
    ("neg_neg", lambda x: nd.neg(-x), (V,), []),
    ("neg_sub", lambda x, y: -(x - y), (V, V), ["sub"]),
    ("neg_scaled", lambda x: -(x * 3.0), (V,), ["constant", "mul"]),
    ("add_neg", lambda x, y: -x + y, (V, V), ["sub"]),
    ("add_negative_scale", lambda x, y: y + x * -2.0, (V, V), ["constant", "mul", "sub"]),
    ("sub_negative_scale", lambda x, y: y - x * -2.0, (V, V), ["constant", "mul", "add"]),
    ("sub_neg", lambda x, y: x - (-y), (V, V), ["add"]),
    ("neg_minus", lambda x, y: -x - y, (V, V), ["add", "neg"]),
    ("mul_neg", lambda x, y: x * -y, (V, V), ["mul", "neg"]),
    ("mul_neg", lambda x: -x * 3.0, (V,), ["constant", "mul"]),
    ("div_neg", lambda x, y: -x / -y, (V, V), ["div"]),
    ("div_neg", lambda x, y: x / -y, (V, V), ["div", "neg"]),
    ("abs_sign", lambda x: bind(Abs, bind(Abs, -x)), (V,), ["abs"]),
    ("sign_sign", lambda x: bind(Sign, bind(Sign, x)), (V,), ["sign"]),
    ("scale_scaled", lambda x: (x * 3.0) * 5.0, (V,), ["constant", "mul"]),
    ("constants_together", lambda x: (x + 3) + 5, (I,), ["constant", "add"]),
    ("constants_together", lambda x: (x * 3) * 5, (I,), ["constant", "mul"]),
    ("factor", lambda x, y: x * 3.0 - y * 3.0, (V, V), ["constant", "sub", "mul"]),
    ("factor", lambda x, y, s: x * s + y * s, (F, F, V), ["broadcast", "add", "mul"]),
    ("add_self", lambda x: (x + x) * 0.25, (V,), ["constant", "mul"]),
    ("factor_constants", lambda x: x * 3.0 + x * 5.0, (V,), ["constant", "mul"]),
    ("same_twice", lambda x: nd.maximum(x, x), (V,), []),
    ("absorb", lambda x, y: nd.maximum(nd.maximum(x, y), x), (V, V), ["max"]),
    ("not_not", lambda p: bind(Not, bind(Not, p)), ("4 i1",), []),
    ("logic_neutral", lambda p: p & True, ("4 i1",), []),
    ("logic_neutral", lambda p: p ^ p, ("4 i1",), ["constant"]),
    # movement
    ("move_splat", lambda x: x + nd.broadcast_to(full((4,), 2.0, f32), (3, 4)), (F,), ["constant", "add"]),
    ("concat_splat", lambda x: x + con(0, full((1, 4), 2.0, f32), full((2, 4), 2.0, f32)), (F,), ["constant", "add"]),
    ("transpose_moved", lambda x: x.T.T, (F,), []),
    ("transpose_moved", lambda x: x.transpose(1, 2, 0).transpose(1, 2, 0), ("2 3 4 f32",), ["transpose"]),
    ("transpose_moved", lambda x: wide(x).T, (V,), ["broadcast"]),
    ("broadcast_broadcast", lambda x: wide(wide(x)), (V,), ["broadcast"]),
    ("reshape_reshape", lambda x: x.reshape(12).reshape(2, 6), (F,), ["reshape"]),
    ("reshape_reshape", lambda x: x.reshape(12).reshape(3, 4), (F,), []),
    ("same_shape", lambda x: sl(x, [0, 0], [1, 1], [3, 4]), (F,), []),
    ("pad_nothing", lambda x: bind(Pad, x, full((), 0.0, f32), low=dims_attr([0]), high=dims_attr([0]), interior=dims_attr([0])), (V,), []),  # noqa: E501
    ("reverse_nothing", lambda x: rev(x, 0), ("1 4 f32",), []),
    ("reverse_reverse", lambda x: rev(rev(x, 0, 1), 1), (F,), ["reverse"]),
    ("concat_one", lambda x: con(0, x), (V,), []),
    ("concat_empty", lambda x, y: con(0, x, y, x), (V, "0 f32"), ["concat"]),
    ("concat_concat", lambda x, y: con(0, con(0, x, y), x), (V, V), ["concat"]),
    ("concat_slices", lambda x: con(0, x[0:2], x[2:4]), (V,), []),
    ("slice_slice", lambda x: x[1:9:2][1:3], ("9 f32",), ["slice"]),
    ("slice_reverse", lambda x: rev(x, 0)[1:4], ("9 f32",), ["slice"]),
    ("slice_broadcast", lambda x: wide(x)[1:3, 2:4], (V,), ["slice", "broadcast"]),
    ("reshape_slice", lambda x: x[4:].reshape((2, 2)), ("8 f32",), ["reshape", "slice"]),
    ("slice_concat", lambda x, y: con(0, x, y)[5:7], (V, V), ["slice"]),
    ("compute_then_broadcast", lambda x, y: nd.exp(wide(x) * wide(y) + 1.0), (V, V), ["mul", "constant", "add", "exp", "broadcast"]),  # noqa: E501
    ("compute_unshaped", lambda x: nd.exp(x.reshape(12)).reshape(3, 4), (F,), ["exp"]),
    ("select_known", lambda p, x: nd.select(p, x, x), ("4 i1", V), []),
    ("select_truth", lambda p: nd.select(p, p | True, p & False), ("4 i1",), []),
    ("select_truth", lambda p: nd.select(p, p & False, p | True), ("4 i1",), ["not"]),
    ("select_not", lambda p, x, y: nd.select(bind(Not, p), x, y), ("4 i1", V, V), ["select"]),
    ("select_select", lambda p, x, y: nd.select(p, nd.select(p, x, y), y), ("4 i1", V, V), ["select"]),
    # sums
    ("reduce_empty", lambda x: x.sum(0), ("0 4 f32",), ["constant"]),
    ("reduce_splat", lambda x: x * full((9, 4), 2.0, f32).sum(0), (V,), ["constant", "mul"]),
    ("reduce_splat", lambda x: nd.maximum(x, full((9, 4), 2.0, f32).max(0)), (V,), ["constant", "max"]),
    ("reduce_one", lambda x: x.max(0), ("1 4 f32",), ["reshape"]),
    ("reduce_transpose", lambda x: x.T.max(0), (F,), ["reduce"]),
    ("reduce_reduce", lambda x: x.sum(0).sum(0), (F,), ["reduce"]),
    ("reduce_broadcast", lambda x: wide(x).sum(1), (V,), ["constant", "mul"]),
    ("reduce_broadcast", lambda x: wide(x).max(0), (V,), ["reduce", "broadcast"]),
    ("sum_neg", lambda x: (-x).sum(0), (F,), ["reduce", "neg"]),
    ("sum_scaled", lambda x: (x * 3.0).sum(0), (F,), ["reduce", "constant", "mul"]),
    ("sum_scaled", lambda x, s: (x * s).sum(0), (F, V), ["reduce", "mul"]),
    ("sum_one_hot", lambda i: nd.one_hot(i, 7).sum(-1), ("4 i64",), ["constant"]),
    ("sum_product", lambda x, s: (x * s).sum(1), (F, V), ["contract"]),
    ("contract_transpose", lambda x, w: x @ w.T, (F, "5 4 f32"), ["contract"]),
    ("transpose_contract", lambda x, w: (x @ w).T, (F, "4 5 f32"), ["contract"]),
    ("contract_units", lambda x, w: nd.einsum("abc,bd->ad", x.reshape(3, 4, 1), w), (F, "4 5 f32"), ["contract"]),
    ("units_contract", lambda x, w: nd.einsum("ab,bcd->acd", x, w).reshape(3, 5), (F, "4 1 5 f32"), ["reshape", "contract"]),  # noqa: E501
    ("contract_broadcast", lambda x, w: nd.einsum("ab,bc->ac", nd.broadcast_to(x, (3, 4)), w), (V, "4 5 f32"), ["contract", "broadcast"]),  # noqa: E501
    ("contract_splat", lambda x: nd.einsum("ab,b->a", x, full((4,), 1.0, f32)), (F,), ["reduce"]),
    ("contract_presum", lambda x, w: nd.einsum("abc,ad->bd", x, w), ("2 3 4 f32", "2 5 f32"), ["reduce", "contract"]),
    ("contract_neg", lambda x, w: (-x) @ w, (F, "4 5 f32"), ["contract", "neg"]),
    ("contract_divided", lambda x, r, w: (x / wide(r, 4)) @ w, (F, "3 f32", "4 2 f32"), ["constant", "div", "broadcast", "contract", "mul"]),  # noqa: E501
    # scales and shifts behind contractions
    ("scale_scale", lambda x: x * K * G, (F,), ["constant", "constant", "mul", "broadcast", "mul"]),
    ("scale_scale", lambda x: x / K * G, (F,), ["constant", "constant", "div", "broadcast", "mul"]),
    ("scale_quotient", lambda x: x * G / K, (F,), ["constant", "constant", "div", "broadcast", "mul"]),
    ("scale_shift", lambda x, w: (x @ w - K) * G, (F, "4 4 f32"), ["contract", "constant", "constant", "broadcast", "mul", "broadcast", "mul", "sub"]),  # noqa: E501
    ("shift_shift", lambda x, w: (x @ w + K) - G, (F, "4 4 f32"), ["contract", "constant", "constant", "sub", "broadcast", "add"]),  # noqa: E501
    # composites and conversions
    ("exp_log_softmax", lambda x: nd.exp(nd.log_softmax(x)), (F,), ["softmax"]),
    ("log_softmax", lambda x: nd.log(nd.softmax(x)), (F,), ["log_softmax"]),
    ("softmax_shifted", lambda x: nd.softmax(x - x.max(-1, keepdims=True)), (F,), ["softmax"]),
    ("softmax_shifted", lambda x, s: nd.log_softmax(wide(s, 4) + x), (F, "3 f32"), ["log_softmax"]),
    ("softmax_quotient", lambda x: spelled_softmax(x, -1), (F,), SCALED),
    ("softmax_quotient", lambda x: spelled_softmax(x, 0), (F,), SCALED),
    ("transpose_attention", lambda x: nn.attention(x, x, x).transpose(1, 0, 2), ("2 3 4 f32",), ["attention"]),
    ("extreme_neutral", lambda x: nd.maximum(x, -np.inf), (V,), []),
    ("extreme_neutral", lambda x: nd.minimum(np.inf, x), (V,), []),
    ("sum_softmax", lambda x: nd.softmax(x).sum(-1), (F,), ["constant"]),
    ("relu_positive", lambda x: nd.relu(nd.exp(x)), (F,), ["exp"]),
    ("convert_convert", lambda x: nd.convert(nd.convert(x, f64), f32), (V,), []),
    ("convert_convert", lambda x: nd.convert(nd.convert(x, f64), i32), (V,), ["convert"]),
    # scalar
    ("round_whole", lambda x: nd.ceil(nd.floor(x)), (V,), ["floor"]),
    ("round_whole", lambda x: nd.round_(nd.convert(x, f32)), (I,), ["convert"]),
    ("shift_nothing", lambda x: x << 0, (I,), []),
    ("shift_nothing", lambda x: x >> 0, (I,), []),
    ("clamp_one_side", lambda x, y: nd.clip(x, -np.inf, y), (V, V), ["min"]),
    ("clamp_one_side", lambda x, y: nd.clip(x, y, np.inf), (V, V), ["max"]),
    ("clamp_clamped", lambda x, y, z: nd.clip(nd.clip(x, y, z), y, z), (V, V, V), ["clamp"]),
    ("copysign_signed", lambda x, y: nd.copysign(abs(x), y), (V, V), ["copysign"]),
    ("copysign_signed", lambda x, y: nd.copysign(nd.copysign(-x, x), y), (V, V), ["copysign"]),
    ("abs_copysign", lambda x, y: abs(nd.copysign(x, y)), (V, V), ["abs"]),
    ("quotient_one", lambda x: nd.quotient(x, 1), (I,), []),
    ("quotient_one", lambda x: nd.quotient(x, -1), (I,), ["neg"]),
    ("rem_one", lambda x: nd.rem(x, -1), (I,), ["constant"]),
    ("divided_window", lambda x, w: contract([x, w], parse("(a-b+1)/2 e, b d e -> a d"), (9, 7)),
     ("5 4 f32", "3 7 4 f32"), ["constant", "pad", *["slice", "contract"] * 2, "broadcast", "broadcast", "iota",
                                "constant", "compare", "select", "reshape", "slice"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fn", "types", "want"), FIRES, ids=[f"{k}-{c[0]}" for k, c in enumerate(FIRES)])
def test_rule_fires(name: str, fn: Program, types: tuple[str, ...], want: list[str]) -> None:
    assert ops(simplified(fn, *types)) == want
    assert name in fired(build(fn, *types))


STAYS: list[tuple[str, Program, tuple[str, ...]]] = [
    ("x * 0.0 may be NaN", lambda x: x * 0.0, (V,)),
    ("x - x may be NaN", lambda x: x - x, (V,)),
    ("x / x may be NaN", lambda x: x / x, (V,)),
    ("-0 + 0 is 0", lambda x: 0.0 + x, (V,)),
    ("exp(x) may overflow", lambda x: nd.log(nd.exp(x)), (V,)),
    ("a root of -0", lambda x: bind(Pow, x, full(x.shape, 0.5, x.dtype)), (V,)),
    ("not a power of two", lambda x: x / 3.0, (V,)),
    ("integer division rounds down", lambda x, y: nd.div(-x, y), (I, I)),
    ("float sums do not re-associate", lambda x: (x + 3.0) + 5.0, (V,)),
    ("the product is read elsewhere", lambda x: ((y := x * 3.0) * 5.0, y), (V,)),
    ("different factors", lambda x, y: x * 3.0 + y * 5.0, (V, V)),
    ("exp of a log of something negative is NaN", lambda x: nd.exp(nd.log(x)), (V,)),
    ("a slice across the seam", lambda x, y: con(0, x, y)[2:6], (V, V)),
    ("slices that do not touch", lambda x: con(0, x[0:1], x[2:4]), (V,)),
    ("narrowing conversion", lambda x: nd.convert(nd.convert(x, f32), f64), ("4 f64",)),
    ("softmax is not elementwise", lambda x: nd.softmax(nd.broadcast_to(x, (3, 4))), (V,)),
    ("a shift that differs along the row", lambda x, s: nd.softmax(x + s), (F, V)),
    ("the sum over the other dimension", lambda i: nd.one_hot(i, 7).sum(0), ("4 i64",)),
    (
        "max of a symbolic count may be over nothing",
        lambda x, y: nd.maximum(nd.broadcast_to(x, (symbol("b"), 4)).max(0), y.max(0)),
        (V, "b 4 f32"),
    ),
    ("values would not stay last", lambda x: nn.attention(x, x, x).transpose(0, 2, 1), ("2 3 4 f32",)),
    ("the product is read elsewhere, transposed", lambda x, w: ((y := x @ w), y.T), (F, "4 5 f32")),
]


@pytest.mark.parametrize(("why", "fn", "types"), STAYS, ids=[s[0] for s in STAYS])
def test_rule_declines(why: str, fn: Program, types: tuple[str, ...]) -> None:
    assert ops(simplified(fn, *types)) == ops(build(fn, *types))


def test_quotients_by_other_sums_stay() -> None:
    """exp(x) / sum(exp(x)) may be of small numbers; so may quotients by sums along another dimension."""
    assert ops(simplified(lambda x: (e := nd.exp(x)) / e.sum(-1, keepdims=True), F))[-1] == "div"
    assert ops(simplified(lambda x: (e := nd.exp(x - x.max(-1, keepdims=True))) / e.sum(0), "4 4 f32"))[-1] == "div"


FAST: list[tuple[Program, tuple[str, ...], list[str]]] = [
    (lambda x: x * 0.0, (V,), ["constant"]),
    (lambda x: x - x, (V,), ["constant"]),
    (lambda x: x / x, (V,), ["constant"]),
    (lambda x: 0.0 + x, (V,), []),
    (lambda x: nd.log(nd.exp(x)), (V,), []),
    (lambda x: bind(Pow, x, full(x.shape, 0.5, x.dtype)), (V,), ["sqrt"]),
    (lambda x, w: (x * 3.0) @ w, (F, "4 5 f32"), ["contract", "constant", "mul"]),
]


@pytest.mark.parametrize(("fn", "types", "want"), FAST)
def test_fast_only(fn: Program, types: tuple[str, ...], want: list[str]) -> None:
    assert ops(simplified(fn, *types, numerics="fast")) == want


def test_exact_keeps_signs_of_zero_and_sums() -> None:
    assert ops(simplified(lambda x: x + 0.0, V, numerics="exact")) == ["constant", "add"]
    exact = simplified(lambda x, y: x * 3.0 + y * 3.0, V, V, numerics="exact")
    assert ops(exact) == ["constant", "mul", "mul", "add"]


def test_level_is_checked() -> None:
    with pytest.raises(CompileError, match="expected numerics to be one of exact, ieee, fast, found wild"):
        rules("wild")


def test_locations_of_all_that_went() -> None:
    module = build(lambda x, w: (x @ w.T) + -0.0, F, "5 4 f32")
    for line, op in enumerate(body(module).ops):
        op.location = FileLineColLoc(StringAttr("m.mlir"), IntAttr(line), IntAttr(1))
    canonicalize(body(module))
    (contract, _) = body(module).ops
    assert str(contract.location) == 'loc(fused["m.mlir":1:1, "m.mlir":0:1])'


def test_name_hints_stay() -> None:
    module = build(lambda x, y: x - (-y), V, V)
    body(module).last_op.operands[0].name_hint = "sum"  # pyright: ignore
    canonicalize(body(module))
    assert "%sum = nd.add" in str(module)


def test_a_loop_of_rules_ends_with_its_name() -> None:
    swap = Rewrite("swap_operands", (Add,), "exact", lambda op: bind(Add, Array(op.y), Array(op.x)))
    with pytest.raises(CompileError, match=r"internal error: .*rule swap_operands fired last, on nd.add"):
        rewrite(body(build(lambda x, y: x + y, V, V)), by_class([swap]))


# Random programs.

UNARY = [lambda x: -x, nd.exp, lambda x: bind(Abs, x), lambda x: x * 2.0, lambda x: x * -1.0, lambda x: x + 0.0,
         lambda x: x * 0.5 - 1.0, nd.tanh, lambda x: x.T, lambda x: rev(x, 0), nd.relu,
         lambda x: nd.broadcast_to(x.sum(0), x.shape), lambda x: wide(x.max(1), x.shape[1]), nd.softmax,
         lambda x: wide(x.sum(1), x.shape[1]), lambda x: x[::-1], lambda x: con(0, x[1:], x[:1]),
         lambda x: x.reshape(16).reshape(4, 4), lambda x: full(x.shape, 3.0, x.dtype)]  # fmt: skip
BINARY = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x @ y, nd.maximum,
          lambda x, y: x * 0.25 + y * 0.25, lambda x, y: nd.select(x > y, x, y),
          lambda x, y: nd.select(x > y, y, y)]  # fmt: skip


def random_program(seed: int) -> Program:
    def program(*xs: Array) -> tuple[Array, ...]:
        rng = np.random.default_rng(seed)
        values = list(xs)
        for _ in range(12):
            if rng.random() < 0.5:
                y = UNARY[rng.integers(len(UNARY))](values[rng.integers(len(values))])
            else:
                a, b = rng.integers(len(values), size=2)
                y = BINARY[rng.integers(len(BINARY))](values[a], values[b])
            values.append(nd.tanh(y) if rng.random() < 0.3 else y)
        return tuple(values[-3:])

    return program


@pytest.mark.parametrize("seed", range(60))
def test_random_program_keeps_its_meaning(seed: int) -> None:
    program = random_program(seed)
    before, after = build(program, "4 4 f64", "4 4 f64"), build(program, "4 4 f64", "4 4 f64")
    canonicalize(body(after))
    after.verify()
    assert not [op.name for op in body(after).ops if isinstance(op.location, UnknownLoc)]
    args = inputs(before, np.random.default_rng(seed))
    with np.errstate(all="ignore"):
        want, got = Interpreter(before).call("main", *args), Interpreter(after).call("main", *args)
    for g, w in zip(got, want, strict=True):
        if np.isfinite(w).all() and np.abs(w).max() < 1e100:
            tolerance = program_tolerance(before, args)
            assert_matches(tolerance.then(tolerance).then(tolerance), g, w)


EXACT_UNARY = [lambda x: -x, lambda x: bind(Abs, x), lambda x: x * -1.0, lambda x: x + -0.0, lambda x: x - 0.0,
               lambda x: x / 4.0, lambda x: x * -2.0, lambda x: x.T, lambda x: rev(x, 0), lambda x: x[::-1],
               lambda x: bind(Sign, x), lambda x: con(0, x[1:], x[:1]), lambda x: wide(x.max(1), x.shape[1]),
               lambda x: x.reshape(16).reshape(4, 4), lambda x: x + x]  # fmt: skip
EXACT_BINARY = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y, nd.maximum, nd.minimum,
                lambda x, y: nd.select(x > y, x, y), lambda x, y: x * -y, lambda x, y: x - (-y),
                lambda x, y: nd.select(bind(Not, x > y), x, y)]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("seed", range(30))
def test_exact_is_bitwise_on_special_values(seed: int, dtype: str) -> None:
    """NaN, infinities and both zeros come out as they were, bit for bit (the bits of a NaN aside)."""

    def program(*xs: Array) -> tuple[Array, ...]:
        rng = np.random.default_rng(seed)
        values = list(xs)
        for _ in range(10):
            if rng.random() < 0.5:
                values.append(EXACT_UNARY[rng.integers(len(EXACT_UNARY))](values[rng.integers(len(values))]))
            else:
                a, b = rng.integers(len(values), size=2)
                values.append(EXACT_BINARY[rng.integers(len(EXACT_BINARY))](values[a], values[b]))
        return tuple(values[-4:])

    types = (f"4 4 {dtype}",) * 2
    before, after = build(program, *types), build(program, *types)
    canonicalize(body(after), "exact")
    rng = np.random.default_rng(seed)
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -3.5, 1e-40])
    args = [rng.choice(special, (4, 4)).astype(NUMPY[DTYPES[dtype]]) for _ in types]
    with np.errstate(all="ignore"):
        want, got = Interpreter(before).call("main", *args), Interpreter(after).call("main", *args)
    for g, w in zip(got, want, strict=True):
        assert_matches(EXACT, g, w)


@pytest.mark.parametrize("seed", range(20))
def test_integers_are_exact_at_every_level(seed: int) -> None:
    unary = [lambda x: -x, lambda x: x * 3, lambda x: x * -1, lambda x: (x + 3) + 5, lambda x: x * 0 + x,
             lambda x: x - x, lambda x: wide(x.sum(1), x.shape[1]), lambda x: x.T,
             lambda x: nd.broadcast_to(x.max(0), x.shape)]  # fmt: skip
    binary = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x @ y, nd.div,
              lambda x, y: x * 3 + y * 3, nd.maximum]  # fmt: skip

    def program(*xs: Array) -> Array:
        rng = np.random.default_rng(seed)
        values = list(xs)
        for _ in range(10):
            a, b = rng.integers(len(values), size=2)
            one, two = unary[rng.integers(len(unary))], binary[rng.integers(len(binary))]
            values.append(one(values[a]) if rng.random() < 0.5 else two(values[a], values[b]))
        return values[-1]

    before = build(program, "4 4 i32", "4 4 i32")
    args = [np.random.default_rng(seed + k).integers(-9, 9, (4, 4)).astype(np.int32) for k in range(2)]
    with np.errstate(all="ignore"):
        (want,) = Interpreter(before).call("main", *args)
        for numerics in ("exact", "ieee", "fast"):
            after = build(program, "4 4 i32", "4 4 i32")
            canonicalize(body(after), numerics)
            assert_matches(EXACT, Interpreter(after).call("main", *args)[0], want)


@pytest.mark.parametrize(
    "map_", ["a 2*b+c-1 d, c d e -> a b e", "a b-c+1 d, c d e -> e b a", "a b+2*c-3 d, c d e -> b a e"]
)
def test_windows_are_kept(map_: str) -> None:
    """What folds into a contraction leaves its windows alone."""

    def program(x: Array, w: Array) -> Array:
        m = parse(map_)
        shape = {"a": 2, "b": 4, "e": 5, "c": 3}
        t = tensor(tuple(shape[i.name or ""] for i in m.result), f32)
        return bind(
            Contract, -x.transpose(2, 0, 1), w.transpose(1, 0, 2).transpose(1, 0, 2), map=text(parse(map_)), shape=t
        )

    simplified(program, "9 3 2 f32", "3 3 5 f32")


def test_output_is_one_text() -> None:
    texts = set()
    for _ in range(3):
        module = build(random_program(7), "4 4 f64", "4 4 f64")
        canonicalize(body(module))
        texts.add(str(module))
    assert len(texts) == 1

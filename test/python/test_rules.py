"""Rules: every kind of variable, three roots, print and parse, what the verifier rejects."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.compiler.transforms.apply_rules import rules_of
from mlc.compiler.transforms.canonicalize import canonicalize
from mlc.compiler.transforms.rules.apply import apply_rules
from mlc.compiler.transforms.rules.define import Rule, rule, sizes
from mlc.compiler.transforms.rules.library import LIBRARY
from mlc.dialects.errors import CompileError
from mlc.dialects.graph.rule import RuleOp
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.contraction import Contract
from mlc.dialects.nd.convolution import conv
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.mapped import text as text_of
from mlc.dialects.nd.op import bind, building, here, insert
from mlc.dialects.nd.types import NUMPY, tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr, UnknownLoc, f32, f64, i32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region
from xdsl.utils.exceptions import VerifyException


def build(fn: Any, *shapes: tuple[int, ...], dtype: Any = f32) -> ModuleOp:
    block = Block(arg_types=[tensor(s, dtype) for s in shapes])
    with building(block, FileLineColLoc(StringAttr("program"), IntAttr(1), IntAttr(1))):
        found = fn(*map(Array, block.args))
        values = [v.value for v in (found if isinstance(found, tuple) else (found,))]
        insert(ReturnOp.create(operands=values, location=here()))
    return ModuleOp([FuncOp("main", (list(block.arg_types), [v.type for v in values]), Region(block))])


def body(module: ModuleOp) -> Block:
    func = next(op for op in module.body.ops if isinstance(op, FuncOp))
    return func.body.block


def ops(module: ModuleOp) -> list[str]:
    return [op.name.removeprefix("nd.") for op in body(module).ops if op.name != "func.return"]


def fires(rules: list[Rule], module: ModuleOp, numerics: str = "ieee") -> int:
    """How often rules fire; the program keeps its meaning, verifies, and no op loses its place."""
    canonicalize(body(module))
    rng = np.random.default_rng(0)
    args = [rng.normal(size=a.type.get_shape()).astype(NUMPY[a.type.element_type]) for a in body(module).args]  # pyright: ignore
    want, tolerance = Interpreter(module).call("main", *args), program_tolerance(module, args)
    count = apply_rules(body(module), rules, numerics)
    module.verify()
    for g, w in zip(Interpreter(module).call("main", *args), want, strict=True):
        assert_matches(tolerance.then(tolerance), g, w)
    assert not [op.name for op in body(module).ops if isinstance(op.location, UnknownLoc)]
    return count


def reparsed(r: Rule) -> Rule:
    """The rule after print and parse."""
    module = parse_module(str(r.op), "rule.mlir")
    module.verify()
    assert str(module.body.block.first_op) == str(r.op)
    (found,) = rules_of(module)
    return found


@pytest.mark.parametrize("name", LIBRARY)
def test_a_rule_prints_and_parses(name: str) -> None:
    found = reparsed(LIBRARY[name])
    assert (found.kind, found.numerics, found.group) == (
        LIBRARY[name].kind,
        LIBRARY[name].numerics,
        LIBRARY[name].group,
    )


QKV = LIBRARY["merge_three_products"]


@pytest.mark.parametrize("r", [QKV, reparsed(QKV)], ids=["made", "parsed"])
@pytest.mark.parametrize("lead", [(), (5,), (2, 5), (3, 2, 5)])
@pytest.mark.parametrize("dtype", [f32, f64])
def test_three_roots_over_any_rank(r: Rule, lead: tuple[int, ...], dtype: Any) -> None:
    def program(x: Array, q: Array, k: Array, v: Array) -> Any:
        return nd.tanh(x @ q), x @ k, x @ v

    module = build(program, (*lead, 6, 8), (8, 4), (8, 4), (8, 3), dtype=dtype)
    assert fires([r], module) == 1
    assert ops(module) == ["concat", "contract", "slice", "slice", "slice", "tanh"]
    weights = body(module).first_op
    assert weights is not None and [v.name_hint for v in weights.operands] == [
        v.name_hint for v in body(module).args[1:]
    ]
    assert list(weights.operands) == list(body(module).args[1:])


def test_roots_that_cannot_move_decline() -> None:
    def program(x: Array, q: Array, k: Array, v: Array) -> Any:
        a = x @ q
        return a, x @ (k + nd.broadcast_to(a.sum(), k.shape)), x @ v  # the second product needs the first

    module = build(program, (6, 8), (8, 4), (8, 4), (8, 3))
    assert fires([QKV], module) == 0


def test_two_products_are_not_three() -> None:
    module = build(lambda x, q, k: (x @ q, x @ k), (6, 8), (8, 4), (8, 3))
    assert fires([QKV], module) == 0
    assert fires([LIBRARY["merge_two_products"]], module) == 1


CONV = LIBRARY["scale_and_shift_of_convolution"]


@pytest.mark.parametrize("r", [CONV, reparsed(CONV)], ids=["made", "parsed"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (2, 0))])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_any_stride_padding_dilation(r: Rule, stride: Any, padding: Any, dilation: Any) -> None:
    def program(x: Array, k: Array, g: Array, s: Array) -> Any:
        return s + g * conv(x, k, stride, padding, dilation)  # operands of add and mul in the other order

    module = build(program, (2, 9, 8, 3), (3, 2, 3, 4), (4,), (4,))
    assert fires([r], module) == 1
    assert ops(module) == ["broadcast", "mul", "contract", "broadcast", "add"]


def test_another_map_declines() -> None:
    def program(x: Array, k: Array, g: Array, s: Array) -> Any:
        y = nd.einsum("abcd,efdg->abcg", x, k)  # no window: the kernel is summed on its own
        return y * g + s

    module = build(program, (2, 9, 8, 3), (3, 2, 3, 4), (4,), (4,))
    assert fires([CONV], module) == 0


def test_an_inner_value_read_elsewhere_declines() -> None:
    def program(x: Array, w: Array, s: Array) -> Any:
        y = x @ w
        return y * s, y

    module = build(program, (6, 8), (8, 4), (4,))
    assert fires([LIBRARY["scale_of_product"]], module) == 0


def test_condition_on_dtype_and_size() -> None:
    @rule("simplify", "exact", where="integer(T), at_most(n, 4)", x="n")
    def twice_less_once(x: Array) -> Any:
        return x * 2 - x, x

    for n, dtype, want in ((4, i32, 1), (5, i32, 0), (4, f32, 0)):
        module = build(lambda x: x * 2 - x, (n,), dtype=dtype)
        assert apply_rules(body(module), [reparsed(twice_less_once)]) == want


def test_importing_the_library_traces_nothing() -> None:
    code = (
        "from mlc.compiler.transforms.rules.library import LIBRARY\n"
        "assert len(LIBRARY) >= 60 and all(r.equation and r.group for r in LIBRARY.values())\n"
        "assert not any('op' in vars(r) for r in LIBRARY.values())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_level_of_the_rule_is_kept() -> None:
    fast = LIBRARY["add_products"]
    program = lambda x, u, v: x @ u + x @ v
    assert fires([fast], build(program, (6, 8), (8, 4), (8, 4)), "ieee") == 0
    assert fires([fast], build(program, (6, 8), (8, 4), (8, 4)), "fast") == 1


def test_explore_rules_are_not_applied() -> None:
    with pytest.raises(CompileError, match="is of kind explore, which states an equality for a search"):
        apply_rules(Block(), [LIBRARY["transpose_of_product"]])


def test_softmax_is_found() -> None:
    def program(x: Array) -> Any:
        e = nd.exp(x)
        return e / e.sum(-1, keepdims=True)

    module = build(program, (2, 3, 7))
    assert fires([r for r in LIBRARY.values() if r.kind == "simplify"], module) == 1
    assert ops(module) == ["softmax"]


# What the verifier rejects.


def text(left: str, right: str, where: str = "", kind: str = "simplify") -> str:
    t = "tensor<?xf32, #nd.sym<n>>"
    return f"""graph.rule @r(%x: {t}, %y: {t}) {kind} exact {where} {{
  {left}
}} => {{
  {right}
}}""".replace("T1", t)


ADD = "%0 = nd.add %x, %y : T1\n  %1 = nd.exp %0 : T1\n  graph.roots %1 : T1"
ONE = "%0 = nd.add %x, %y : T1\n  graph.roots %0 : T1"
X = "graph.roots %x : T1"

REJECTED = [
    (text(ADD, ADD), "expected the measure .* of a simplify rule to fall, found .*; make it kind explore"),
    (text(ONE, "%0 = nd.convert %x to f64 : T1 -> T2\n graph.roots %0 : T2".replace("T2", "tensor<?xf64, #nd.sym<n>>")),
     "expected the same result types on both sides"),
    (text("%0 = nd.exp %x : T1\n graph.roots %0 : T1", X), "expected every value of the left side in its roots, found"),
    (text("%0 = nd.exp %x : T1\n %1 = nd.exp %y : T1\n graph.roots %0, %1 : T1, T1", "graph.roots %x, %y : T1, T1"),
     "expected the roots of the left side to share a value"),
    (text(X, X), "expected different op results as roots of the left side"),
    (text(ADD, X, "where tiny(n)"), r"expected a predicate \(float, .*\), found tiny"),
    (text(ADD, X, "where static(m)"), "expected variables of sort size in static\\(m\\), found m, a name"),
    (text(ADD, X, "where at_most(n)"), "expected 2 arguments of at_most, found 1"),
    (text(ADD, X, "where float(n)"), "expected variables of sort dtype in float\\(n\\), found n, a variable"),
    (text(ADD, "%0 = nd.constant 1.0 : tensor<?xf32, #nd.sym<m>>\n graph.roots %x : T1"),
     "expected variables of the right side to be bound on the left, found size m"),
    (text(ADD, "%0 = arith.negf %x : T1\n graph.roots %0 : T1"), "expected nd ops without regions on the right side"),
    (text("%0 = nd.add %x, %y : T1", X), "expected the left side to end with graph.roots"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message"), REJECTED, ids=[m[:50] for _, m in REJECTED])
def test_verifier(source: str, message: str) -> None:
    module = parse_module(source, "rule.mlir")
    with pytest.raises(VerifyException, match=message):
        module.verify()


def test_index_functions_of_the_right_side_are_bound() -> None:
    def bad(x: Array, k: Array) -> Any:
        map_ = text_of(parse("a row(b+e) c d, e f d g -> a b c g"))
        return nd.einsum("nhwc,ijco->nhwo", x, k), bind(
            Contract, x, k, map=map_, shape=tensor(sizes("n h w o"), x.dtype)
        )

    with pytest.raises(
        CompileError, match="rule @bad: expected variables of the right side to be bound on the left, found index row"
    ):
        _ = rule("explore", "ieee", x="n h w c", k="i j c o")(bad).op


def test_rule_syntax_errors_have_a_place(opt: Any) -> None:
    ran = opt("-", text=text(ADD, X, kind="maybe"))
    assert ran.code == 1 and ":1:" in ran.err and "expected simplify or explore" in ran.err


def test_rule_is_an_op() -> None:
    assert isinstance(QKV.op, RuleOp) and QKV.name == "merge_three_products" and sizes("a b")[0] is sizes("a")[0]

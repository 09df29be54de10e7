"""Evidence: every rule of the library has it, false rules are refused with a counterexample, and the field is one."""

from __future__ import annotations

from typing import Any

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.compiler.transforms.apply_rules import rules_of
from mlc.compiler.transforms.rules.define import rule, sizes
from mlc.compiler.transforms.rules.evidence import BITS, FIELD, SAMPLES, evidence, kind_of_evidence
from mlc.compiler.transforms.rules.field import MEANINGS, MOVES, PRIME, centred, evaluate
from mlc.compiler.transforms.rules.library import LIBRARY
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.convolution import conv
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.op import NdOp, building
from mlc.dialects.nd.types import tensor
from xdsl.dialects.builtin import StringAttr, i64
from xdsl.ir import Block


@pytest.mark.parametrize("name", LIBRARY)
def test_a_rule_of_the_library_holds(name: str) -> None:
    found = evidence(LIBRARY[name], seed=1)
    assert found.kind == kind_of_evidence(LIBRARY[name])
    if found.kind == FIELD:
        assert found.shapes >= 3 and found.points >= 20 * found.shapes
    if found.kind == SAMPLES:
        assert found.points >= 100
    assert found.dtypes or LIBRARY[name].numerics == "fast" or "integer(T)" in str(LIBRARY[name].op)


def test_every_kind_of_evidence_is_given() -> None:
    assert {kind_of_evidence(r) for r in LIBRARY.values()} == {FIELD, SAMPLES, BITS}


# False rules.


def scaled(x: Array, w: Array, s: Array) -> Any:
    return (x @ w) * s, x @ w


def transposed(x: Array, w: Array) -> Any:
    return (x @ w).T, x.T @ w.T


def half_open(x: Array) -> Any:
    s, p = sizes("s p")
    return x[s : s + p] * 2, (x * 2)[:p]


def forgotten_pad(x: Array) -> Any:
    return nd.pad(x, [(1, 1)]) + 1, nd.pad(x + 1, [(1, 1)])


def swapped_scale(x: Array, y: Array) -> Any:
    return nd.exp(x) / nd.exp(y), nd.exp(y - x)


def over_nothing(x: Array) -> Any:
    return nd.exp(x).max(-1), nd.exp(x.max(-1))


def swallowed_nan(x: Array, y: Array) -> Any:
    return nd.maximum(nd.minimum(x, y), x), x


def lost_zero(x: Array) -> Any:
    return nd.abs_(x) * -1.0 + 0.0, -nd.abs_(x)


def cancelled(x: Array, y: Array, z: Array) -> Any:
    return (x + y) + z, x + (y + z)


def overflowing(x: Array, y: Array) -> Any:
    return nd.exp(x) * nd.exp(y), nd.exp(x + y)


def wrapping(x: Array, y: Array, z: Array) -> Any:
    return nd.maximum(x + z, y + z), nd.maximum(x, y) + z


def logic(p: Array, q: Array) -> Any:
    return ~(p & q), ~p & ~q


FALSE: list[tuple[Any, str, str, dict[str, str], str]] = [
    (scaled, "fast", "float(T)", {"x": "n k", "w": "k m", "s": "m"}, "2147483647: %x = [[1]]; %w = [[1]]; %s = [0]"),
    (transposed, "fast", "", {"x": "n n", "w": "n n"}, "n = 2"),
    (half_open, "exact", "", {"x": "n"}, "s = 1"),
    (forgotten_pad, "exact", "", {"x": "n"}, "found [1, 1, 1] on the left and [0, 1, 0] on the right for n = 1"),
    (swapped_scale, "fast", "float(T)", {"x": "n", "y": "n"}, "%x = [0.0]; %y = [1.0]"),
    (over_nothing, "exact", "float(T)", {"x": "n"}, "found -inf on the left and 0.0 on the right for n = 0"),
    (swallowed_nan, "exact", "float(T)", {"x": "n", "y": "n"}, "%y = [nan]"),
    (lost_zero, "exact", "float(T)", {"x": "n"}, "found [0.0] on the left and [-0.0] on the right"),
    (cancelled, "ieee", "float(T)", {"x": "...", "y": "...", "z": "..."}, "T = f32"),
    (overflowing, "ieee", "float(T)", {"x": "...", "y": "..."}, "T = f32"),
    (wrapping, "exact", "integer(T)", {"x": "n", "y": "n", "z": "n"}, "for n = 1, T = i"),
    (logic, "exact", "", {"p": "n : i1", "q": "n : i1"}, "found [True] on the left and [False] on the right"),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "numerics", "where", "types", "said"), FALSE, ids=[f[0].__name__ for f in FALSE])
def test_a_false_rule_is_refused_with_a_counterexample(
    fn: Any, numerics: str, where: str, types: dict[str, str], said: str
) -> None:
    false = rule("explore", numerics, where=where, **types)(fn)
    with pytest.raises(CompileError) as caught:
        evidence(false)
    text = str(caught.value)
    assert f"rule @{fn.__name__} is false: expected equal sides, found" in text and said in text
    assert __file__ in text and f"def {fn.__name__}" in text  # where it is, with its line


def test_a_counterexample_is_small() -> None:
    """Of the smallest sizes that fail, with zeros and ones where these fail."""
    false = rule("explore", "fast", where="float(T)", x="n k", w="k m", s="m")(scaled)
    with pytest.raises(CompileError, match=r"for n = 1, k = 1, m = 1, .*%x = \[\[1\]\]; %w = \[\[1\]\]; %s = \[0\]"):
        evidence(false, seed=5)


def test_a_right_side_that_is_no_program_is_refused() -> None:
    def behind(x: Array) -> Any:
        s, p = sizes("s p")
        return x[s : s + p] * 2, x[s + 1 : s + 1 + p] * 2

    with pytest.raises(CompileError, match="rule @behind is false"):
        evidence(rule("explore", "exact", x="n")(behind))


def test_conditions_that_nothing_meets() -> None:
    @rule("explore", "exact", where="at_most(n, 1), at_most(2, n)", x="n")
    def nowhere(x: Array) -> Any:
        return x + x, x * 2

    with pytest.raises(CompileError, match="expected values that its conditions and its level say something of, found"):
        evidence(nowhere)


def test_evidence_is_the_same_for_a_seed() -> None:
    def told(seed: int) -> str:
        with pytest.raises(CompileError) as caught:
            evidence(rule("explore", "ieee", where="float(T)", x="...", y="...", z="...")(cancelled), seed)
        return str(caught.value)

    assert told(3) == told(3)


# The field.


def test_field_ops_agree_with_whole_numbers() -> None:
    """Every meaning on numbers so small that nothing wraps, against the op's own reference."""
    block = Block(
        arg_types=[tensor((2, 3), i64), tensor((3, 2), i64), tensor((1, 5, 5, 2), i64), tensor((3, 3, 2, 2), i64)]
    )
    x, w, image, kernel = map(Array, block.args)
    with building(block):
        y = x @ w - nd.neg(x @ w) + 1
        z = nd.concatenate([nd.flip(x.T, 0), nd.pad(w, [(1, 0), (0, 0)])], 0).reshape(14)
        c = conv(image, kernel, (2, 1), ((1, 1), (0, 1)), (1, 2))
        diagonal = contract([x @ w], parse("a a -> a"), (2,))
        _ = (y * 3).sum(), z[1:9:2], c, diagonal, nd.broadcast_to(diagonal, (4, 2))
    rng = np.random.default_rng(0)
    values: dict[Any, Any] = {a: rng.integers(-9, 9, a.type.get_shape()) for a in block.args}  # pyright: ignore
    fields = {a: v % PRIME for a, v in values.items()}
    for op in block.ops:
        assert isinstance(op, NdOp)
        values[op.results[0]] = op.reference(*(values[v] for v in op.operands))
        fields[op.results[0]] = evaluate(op, [fields[v] for v in op.operands])
        np.testing.assert_array_equal(centred(fields[op.results[0]]), values[op.results[0]])
    assert {type(op) for op in block.ops} == {*MEANINGS, *MOVES}


def test_a_product_of_large_residues_does_not_wrap() -> None:
    block = Block(arg_types=[tensor((2,), i64)])
    with building(block):
        x = Array(block.args[0])
        y = contract([x, x, x], parse("a, a, a -> "), ())
    big = PRIME - np.array([2, 5])
    op: Any = y.value.owner
    assert isinstance(op, Contract) and op.map == StringAttr("a, a, a -> ")
    assert int(evaluate(op, [big] * 3)) == (-(2**3) - 5**3) % PRIME


ODD = """\
!C = tensor<?xcomplex<f64>, #nd.sym<n>>
graph.rule @complex(%x: !C, %y: !C) explore ieee {
  %0 = nd.mul %x, %y : !C
  %1 = nd.exp %0 : !C
  graph.roots %1 : !C
} => {
  %0 = nd.mul %y, %x : !C
  %1 = nd.exp %0 : !C
  graph.roots %1 : !C
}
!I = tensor<?xi4, #nd.sym<n>>
graph.rule @four_bits(%x: !I) explore exact {
  %0 = nd.reverse %x [0] : !I
  %1 = nd.reverse %0 [0] : !I
  graph.roots %1 : !I
} => {
  graph.roots %x : !I
}
!U = tensor<?xui64, #nd.sym<n>>
graph.rule @unsigned(%x: !U, %y: !U) explore exact {
  %0 = nd.max %x, %y : !U
  graph.roots %0 : !U
} => {
  %0 = nd.max %y, %x : !U
  graph.roots %0 : !U
}
!V = tensor<?x!nd.dtype<T>, #nd.sym<...>>
graph.rule @two_roots(%x: !V, %y: !V) explore ieee where float(T) {
  %0 = nd.sub %x, %y : !V
  %1 = nd.neg %0 : !V
  %2 = nd.exp %1 : !V
  graph.roots %1, %2 : !V, !V
} => {
  %0 = nd.sub %y, %x : !V
  %2 = nd.exp %0 : !V
  graph.roots %0, %2 : !V, !V
}
!P = tensor<?xi1, #nd.sym<...>>
graph.rule @choice(%x: !V, %y: !V) explore ieee where float(T) {
  %0 = nd.compare lt %x, %y : !V -> !P
  graph.roots %0 : !P
} => {
  %0 = nd.compare gt %y, %x : !V -> !P
  graph.roots %0 : !P
}
"""


def test_rules_of_fixed_types_and_several_roots() -> None:
    rules = rules_of(parse_module(ODD, "odd.mlir"))
    assert [kind_of_evidence(r) for r in rules] == [SAMPLES, FIELD, BITS, SAMPLES, SAMPLES]
    assert all(evidence(r).points for r in rules)

"""Function rules on instances: each fires, the program stays equal, and what is computed does not grow."""

from __future__ import annotations

import re
from typing import Any

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler.transforms import recognize
from mlc.compiler.transforms.cse import cse
from mlc.compiler.transforms.fold_constants import FOLDS
from mlc.compiler.transforms.rewriting import Rewrite, by_class, rewrite
from mlc.compiler.transforms.rules.catalogue import SOURCES, catalogue, rules_of
from mlc.compiler.transforms.rules.evidence import draw
from mlc.compiler.transforms.simplify import REWRITES
from mlc.compiler.transforms.winograd import by_tiles
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.attributes import dims_attr
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.elementwise import Pow
from mlc.dialects.nd.movement import Pad, Transpose
from mlc.dialects.nd.op import EXACT, NdOp, bind
from mlc.dialects.nd.reduction import KINDS, Reduce
from mlc.dialects.nd.selection import Convert
from mlc.dialects.nd.types import shape_of, tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from test_canonicalize import FIRES, F, Program, V, body, build, full, inputs
from xdsl.dialects.builtin import ModuleOp, StringAttr, f32

RULES = {e.name: e.rule for e in catalogue().values() if isinstance(e.rule, Rewrite)} | {"winograd": by_tiles(4)}

MORE: list[tuple[str, Program, tuple[str, ...]]] = [
    ("add_zero", lambda x: x + 0.0, (V,)),
    ("mul_zero_finite", lambda x: x * 0.0, (V,)),
    ("sub_self_finite", lambda x: x - x, (V,)),
    ("div_self", lambda x: x / x, (V,)),
    ("pow_root", lambda x: bind(Pow, abs(x), full(x.shape, 0.5, x.dtype)), (V,)),
    ("log_exp", lambda x: nd.log(nd.exp(x)), (V,)),
    ("contract_scaled", lambda x, w: (x * 3.0) @ w, (F, "4 5 f32")),
    ("move_nothing", lambda x: bind(Transpose, x, map=StringAttr("a b -> a b")), (F,)),
    ("pad_splat", lambda x: x + bind(Pad, full((2,), 3.0, f32), full((), 3.0, f32), low=dims_attr([1]), high=dims_attr([1]), interior=dims_attr([0])), (V,)),  # noqa: E501
    ("reduce_nothing", lambda x: bind(Reduce, x, kind=KINDS["sum"], map=StringAttr("a b -> a b")), (F,)),
    ("contract_alone", lambda x: bind(Contract, x, map=StringAttr("a b -> b")), (F,)),
    ("convert_same", lambda x: bind(Convert, x, to=x.dtype), (V,)),
    ("reshape_slice", lambda x: x[:, 6:18].reshape(3, 2, 6), ("3 24 f32",)),
    ("gelu", lambda x: x * 0.5 * (nd.tanh((x + x * x * x * 0.044715) * 0.7978845608028654) + 1.0), (F,)),
    ("gelu_erf", lambda x: x * 0.5 * (nd.erf(x * 0.7071067811865476) + 1.0), (F,)),
    ("gelu_erfc", lambda x: x * 0.5 * nd.erfc(x * -0.7071067811865476), (F,)),
    ("sigmoid", lambda x: 1.0 / (nd.exp(-x) + 1.0), (F,)),
    ("silu", lambda x: x * nd.sigmoid(x), (F,)),
    ("softplus", lambda x: nd.log1p(nd.exp(x)), (F,)),
    ("softmax", lambda x: (e := nd.exp(x - x.max(-1, keepdims=True))) / e.sum(-1, keepdims=True), (F,)),
    ("normalization", lambda x: (d := x - nd.mean(x, -1, keepdims=True)) * nd.rsqrt(nd.mean(d * d, -1, keepdims=True) + 1e-5), (F,)),  # noqa: E501
    ("normalization_of_difference", lambda x: (x - (m := nd.mean(x, -1, keepdims=True))) * nd.rsqrt(nd.mean(x * x, -1, keepdims=True) - m * m + 1e-5), (F,)),  # noqa: E501
    ("attention", lambda q, k, v: nd.softmax(nd.einsum("bnd,bmd->bnm", q, k) * 0.5) @ v, ("2 3 4 f32", "2 5 4 f32", "2 5 6 f32")),  # noqa: E501
    ("attention_of_low_scores", lambda q, k, v, p: nd.softmax(nd.where(p, nd.einsum("bnd,bmd->bnm", q, k) * 0.5, -1e9)) @ v, ("2 3 4 f32", "2 5 4 f32", "2 5 6 f32", "2 3 5 i1")),  # noqa: E501
    ("fold_splat", lambda x: x + nd.exp(full((4,), 2.0, f32)), (V,)),
    ("fold_dense", lambda x: x + nd.constant(np.arange(8, dtype=np.float32))[2:6], (V,)),
    ("fold_reduction", lambda x: x + nd.constant(np.arange(8, dtype=np.float32).reshape(2, 4)).sum(0), (V,)),
    ("winograd", lambda x, w: contract([x, w], parse("n h+k w+l c, k l c f -> n h w f"), (1, 8, 8, 32)), ("1 10 10 32 f32", "3 3 32 32 f32")),  # noqa: E501
]  # fmt: skip
"""What fires at the level fast only, or on ops that the array language does not build."""

INSTANCES = [*((name, fn, types) for name, fn, types, _ in FIRES), *MORE]

MAY_GROW = {
    "contract_neg": "negates the result instead of an operand, which may have fewer elements",
    "contract_scaled": "scales the result instead of an operand, which may have fewer elements",
}

NAMED = {r.name for r in recognize.REWRITES}
"""Rules that find an op which may be stabler than what is spelled out: their programs have fewer ops."""


@pytest.mark.parametrize(("name", "fn", "types"), INSTANCES, ids=[i[0] for i in INSTANCES])
def test_a_function_rule_fires_alone_and_computes_the_same_with_no_more(
    name: str, fn: Program, types: tuple[str, ...]
) -> None:
    before, after = firing(RULES[name], fn, types)
    compare(before, after, inputs(before, np.random.default_rng(0)))
    measure = ops if name in NAMED else work
    assert name in MAY_GROW or measure(after) <= measure(before)


def compare(before: ModuleOp, after: ModuleOp, args: list[Any], exact: bool = False) -> None:
    with np.errstate(all="ignore"):
        want, got = (Interpreter(m).call("main", *args) for m in (before, after))
        tolerance = EXACT if exact else program_tolerance(before, args).then(program_tolerance(after, args))
    for g, w in zip(got, want, strict=True):
        assert_matches(tolerance, g, w)


EXACTLY = [i for i in INSTANCES if RULES[i[0]].level == "exact" and i[0] != "sum_one_hot"]
"""But for a rule of labels, which are in range."""


@pytest.mark.parametrize(("name", "fn", "types"), EXACTLY, ids=[i[0] for i in EXACTLY])
def test_an_exact_function_rule_keeps_every_bit(name: str, fn: Program, types: tuple[str, ...]) -> None:
    """At NaN, infinities and -0; and of unsigned integers, which wrap, where they are allowed."""
    before, after = firing(RULES[name], fn, types)
    for turn in (1, 3, 5):
        args = [draw(fixed(a.type), np.random.default_rng(turn), "exact", turn) for a in body(before).args]
        compare(before, after, args, exact=True)
    try:
        before, after = firing(RULES[name], fn, tuple(re.sub("[fi]32", "ui8", t) for t in types))
    except (CompileError, AssertionError):  # not for these
        return
    compare(before, after, inputs(before, np.random.default_rng(0)), exact=True)


def fixed(t: Any) -> Any:
    """With a number for each size."""
    return tensor(tuple(d if isinstance(d, int) else 3 for d in shape_of(t)), t.element_type)


def firing(rule: Rewrite, fn: Program, types: tuple[str, ...]) -> tuple[ModuleOp, ModuleOp]:
    """The instance before and after the rule alone; where others make the form that it looks for, behind these."""
    others = by_class([r for r in REWRITES if r is not rule], rule.level)
    for prepared in (False, True):
        before, after = build(fn, *types), build(fn, *types)
        for block in (body(before), body(after)) if prepared else ():
            cse(block)
            rewrite(block, others)
            cse(block)
        if rewrite(body(after), by_class([rule])):
            after.verify()
            return before, after
    raise AssertionError(f"{rule.name} does not fire")


def ops(module: ModuleOp) -> int:
    return len(list(body(module).ops))


def work(module: ModuleOp) -> int:
    """Operations on elements at run time: what depends on constants alone is computed when a program is compiled."""
    module = module.clone()
    rewrite(body(module), by_class(FOLDS))
    costs = [op.cost().flops for op in body(module).ops if isinstance(op, NdOp) and op.FLOPS]
    return sum(n for n in costs if isinstance(n, int))


def test_every_function_rule_has_an_instance() -> None:
    listed = [e.name for e in catalogue().values() if isinstance(e.rule, Rewrite)]
    assert set(listed) == {name for name, *_ in INSTANCES}
    assert set(MAY_GROW) <= set(listed)


def test_names_are_of_one_rule_and_groups_of_some() -> None:
    rules = [r for source in SOURCES for r in rules_of(source)]
    assert len(catalogue()) == len(rules)
    assert all(e.group and e.equation for e in catalogue().values())

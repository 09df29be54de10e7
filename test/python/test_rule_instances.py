"""Function rules on instances: each fires, the program stays equal, and what is computed does not grow."""

from __future__ import annotations

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler.transforms.cse import cse
from mlc.compiler.transforms.fold_constants import FOLDS
from mlc.compiler.transforms.rewriting import Rewrite, by_class, rewrite
from mlc.compiler.transforms.rules.catalogue import SOURCES, catalogue, rules_of
from mlc.compiler.transforms.simplify import REWRITES
from mlc.compiler.transforms.winograd import by_tiles
from mlc.dialects.nd.attributes import dims_attr
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.elementwise import Pow
from mlc.dialects.nd.movement import Pad, Transpose
from mlc.dialects.nd.op import NdOp, bind
from mlc.dialects.nd.reduction import KINDS, Reduce
from mlc.dialects.nd.selection import Convert
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
    "spelled_softmax": "the same work as one op, whose count of operations is rounded up",
}


@pytest.mark.parametrize(("name", "fn", "types"), INSTANCES, ids=[i[0] for i in INSTANCES])
def test_a_function_rule_fires_alone_and_computes_the_same_with_no_more(
    name: str, fn: Program, types: tuple[str, ...]
) -> None:
    before, after = firing(RULES[name], fn, types)
    args = inputs(before, np.random.default_rng(0))
    with np.errstate(all="ignore"):
        want, got = (Interpreter(m).call("main", *args) for m in (before, after))
        tolerance = program_tolerance(before, args).then(program_tolerance(after, args))
    for g, w in zip(got, want, strict=True):
        assert_matches(tolerance, g, w)
    assert name in MAY_GROW or work(after) <= work(before)


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

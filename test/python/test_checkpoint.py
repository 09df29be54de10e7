"""`mlc.checkpoint`: derivatives as without it, in less memory; what each policy keeps; effects and random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.driver import run
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.registry import build
from mlc.compiler.spec import parse_pipeline
from mlc.dialects.errors import CheckError, CompileError
from mlc.dialects.nd.checkpoint import Checkpoint, Policy
from mlc.runtime.matching import Tolerance, assert_matches
from test_control import interpret
from transformer_training import SMALL, batch_of, parameters_of, training_step

P = mlc.checkpoint_policies
POLICIES = {
    "everything": P.everything_saveable,
    "nothing": P.nothing_saveable,
    "dots": P.dots_saveable,
    "dots without batch": P.dots_with_no_batch_dims_saveable,
    "names": P.save_only_these_names("hidden"),
}
RNG = np.random.default_rng(5)
W, X = RNG.standard_normal((6, 6)) / 3, RNG.standard_normal((4, 6))
CLOSE = Tolerance(ulp=64, sums=64, scale=1)
Fn = Callable[..., Any]


def layer(w: Any, x: Any) -> Any:
    h = mlc.checkpoint_name(mnp.tanh(x @ w), "hidden")
    return mnp.sin(h) * x


def twice(remat: Callable[[Fn], Fn]) -> Fn:
    return lambda w, x: (remat(layer)(w, remat(layer)(w, x)) ** 2).sum()


def scanned(remat: Callable[[Fn], Fn]) -> Fn:
    body = remat(layer)
    return lambda w, x: mlc.scan(lambda c, _: (body(w, c), None), x, None, length=5)[0].sum()


def captured(remat: Callable[[Fn], Fn]) -> Fn:
    """A value from around, and a branch inside."""

    def f(w: Any, x: Any) -> Any:
        scale = mnp.exp(x)
        inner = remat(lambda y: mlc.cond(y.sum() > 0, lambda z: mnp.sin(z) * scale, lambda z: mnp.cos(z @ w), y))
        return inner(x * 2).sum()

    return f


def nested(remat: Callable[[Fn], Fn]) -> Fn:
    outer = remat(lambda w, x: mnp.sin(remat(layer)(w, mnp.cos(x))))
    return lambda w, x: outer(w, x).sum()


def plain(f: Fn) -> Fn:
    return f


PROGRAMS = {"twice": twice, "scan": scanned, "captured": captured, "nested": nested}


def second(f: Fn) -> Fn:
    """A derivative of a gradient."""
    return mlc.grad(lambda w, x: (mlc.grad(f)(w, x) ** 2).sum(), argnums=1)


def forward_over_reverse(f: Fn) -> Fn:
    return lambda w, x: mlc.jvp(lambda y: mlc.grad(f, argnums=1)(w, y), (x,), (mnp.cos(x),))


def over_a_batch(f: Fn) -> Fn:
    return lambda w, x: mlc.vmap(mlc.grad(f), in_axes=(None, 0))(w, mnp.stack([x, 2 * x, -x]))


def of_a_batch(f: Fn) -> Fn:
    return mlc.grad(lambda w, x: mlc.vmap(f, in_axes=(None, 0))(w, mnp.stack([x, 2 * x, -x])).sum())


TRANSFORMS = {
    "value": plain,
    "gradients": lambda f: mlc.grad(f, argnums=(0, 1)),
    "second": second,
    "forward over reverse": forward_over_reverse,
    "vmap of grad": over_a_batch,
    "grad of vmap": of_a_batch,
}


def alike(got: Any, want: Any) -> None:
    assert_matches(CLOSE, np.asarray(got), np.asarray(want))


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_derivatives_are_those_without(program: str, transform: str) -> None:
    """The policies take turns."""
    of = TRANSFORMS[transform]
    names = list(POLICIES)
    policy = POLICIES[names[(list(PROGRAMS).index(program) + list(TRANSFORMS).index(transform)) % len(names)]]
    f = PROGRAMS[program](lambda g: mlc.checkpoint(g, policy=policy))
    want = interpret(of(PROGRAMS[program](plain)), W, X)
    for x, y in zip(interpret(of(f), W, X, passes=True), want, strict=True):
        assert_matches(CLOSE, x, y)


def residuals(policy: Any) -> list[str]:
    """Of a layer: what makes the values that the forward part hands to the backward part, by op."""

    def attend(w: Any, x: Any) -> Any:
        h = mlc.checkpoint_name(mnp.tanh(x @ w), "hidden")
        return mnp.sin(h @ h.T) @ x

    traced = trace(mlc.checkpoint(lambda w, b: mlc.vmap(lambda x: attend(w, x))(b), policy=policy), (W, X[None]))
    run(traced.module, [build(p) for p in parse_pipeline(f"linearize{{entry={traced.name}}},canonicalize")])
    forward = next(f for f in traced.module.ops if f.sym_name.data.endswith("_forward"))
    (op,) = [op for op in forward.body.block.ops if isinstance(op, Checkpoint)]
    block = op.body.block
    inner = [block.last_op.operands[r.index] for r in op.results if any(u.index > 0 for u in r.uses)]
    return [v.owner.name for v in inner]


def test_policies_keep_what_they_say() -> None:
    assert residuals(P.nothing_saveable) == []
    assert residuals(P.dots_saveable) == ["nd.contract"] * 2
    assert residuals(P.dots_with_no_batch_dims_saveable) == ["nd.contract"]
    assert residuals(P.save_only_these_names("hidden")) == ["nd.tanh"]
    assert residuals(P.save_only_these_names("other")) == []
    assert len(residuals(P.everything_saveable)) > 2


def test_a_budget_keeps_what_spares_most_work() -> None:
    """128 bytes hold a value of 4 x 4, 192 bytes one of 4 x 6: the tangent hyperbolic, which spares its product too."""
    assert residuals(Policy("bytes", bytes=0)) == []
    assert residuals(Policy("bytes", bytes=128)) == ["nd.sin"]
    assert residuals(Policy("bytes", bytes=192)) == ["nd.tanh"]
    f = mlc.grad(lambda w: mlc.checkpoint(layer, budget=200)(w, X).sum())
    alike(f(W), mlc.grad(lambda w: layer(w, X).sum())(W))


def test_less_is_kept_and_merging_does_not_undo_it() -> None:
    def loss(remat: Callable[[Fn], Fn]) -> Fn:
        def f(w: Any, x: Any) -> Any:
            for _ in range(4):
                x = remat(lambda w, x: mnp.sin(mnp.tanh(mnp.sin(x @ w) @ w)))(w, x)
            return x.sum()

        return f

    w, x = RNG.standard_normal((32, 32)), RNG.standard_normal((256, 32))
    before = mlc.jit(mlc.grad(loss(plain), argnums=1)).compile(w, x).report()
    after = mlc.jit(mlc.grad(loss(mlc.checkpoint), argnums=1)).compile(w, x).report()
    assert after["arena_bytes"] <= 0.6 * before["arena_bytes"]
    assert sum(k["calls"] for k in after["kernels"]) > sum(k["calls"] for k in before["kernels"])


def test_nothing_changes_without_derivatives() -> None:
    texts = [mlc.compile(twice(remat), W, X).mlir("graph") for remat in (plain, mlc.checkpoint)]
    assert texts[0] == texts[1]


def test_effects_happen_once(capfd: pytest.CaptureFixture[str]) -> None:
    @mlc.checkpoint
    def f(x: Any) -> Any:
        mlc.debug_print("at {}", x.sum())
        mlc.check(x.sum() < 100, "small")
        return mnp.sin(mnp.sin(x))

    g = mlc.jit(mlc.grad(lambda x: f(x).sum()))
    alike(g(X), np.cos(np.sin(X)) * np.cos(X))
    assert capfd.readouterr().out.count("at ") == 1
    with pytest.raises(CheckError, match="small"):
        g(X + 100)


def test_random_numbers_come_out_the_same() -> None:
    def dropped(x: Any) -> Any:
        kept = mlc.random.bernoulli(mlc.random.key(3), 0.5, x.shape)
        return mnp.sin(mnp.where(kept, x * 2, 0.0))

    alike(
        mlc.grad(lambda x: (mlc.checkpoint(dropped)(x) ** 2).sum())(X),
        mlc.grad(lambda x: (dropped(x) ** 2).sum())(X),
    )


def test_trees_keywords_and_static_arguments() -> None:
    @mlc.checkpoint(policy=P.dots_saveable, static_argnums=(1,))
    def f(p: Any, power: int, *, scale: Any) -> Any:
        return {"y": mnp.sin(p["w"] @ p["w"]) ** power * scale}

    g = mlc.grad(lambda w: f({"w": w}, 2, scale=w[0, 0])["y"].sum())
    h = mlc.grad(lambda w: (mnp.sin(w @ w) ** 2 * w[0, 0]).sum())
    alike(g(W), h(W))


def test_a_training_step_of_a_transformer() -> None:
    arguments = parameters_of(SMALL), *batch_of(SMALL)
    found = [interpret(training_step(SMALL, remat), *arguments, passes=True) for remat in (plain, mlc.checkpoint)]
    for a, b in zip(*found, strict=True):
        assert_matches(CLOSE, a, b)


def test_mistakes_are_told() -> None:
    with pytest.raises(CompileError, match="expected a function, found 3"):
        mlc.checkpoint(3)
    with pytest.raises(CompileError, match=r"expected a policy of .*dots_saveable.*found 'dots'"):
        mlc.checkpoint(layer, policy="dots")
    for wrong in ({"budget": -1}, {"budget": 5, "policy": P.dots_saveable}):
        with pytest.raises(CompileError, match="expected a policy, or a budget of 0 bytes or more"):
            mlc.checkpoint(layer, **wrong)
    with pytest.raises(CompileError, match="save_only_these_names: expected names, found"):
        P.save_only_these_names()
    with pytest.raises(CompileError, match="checkpoint: expected arrays as results, found str"):
        mlc.jit(mlc.checkpoint(lambda x: "text"))(X)


def test_a_checkpoint_of_jax_is_kept() -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")
    import jax.numpy as jnp

    def f(x: Any) -> Any:
        for _ in range(2):
            x = jax.checkpoint(lambda x: jnp.sin(jnp.tanh(jnp.sin(x))))(x)
        return x.sum()

    x = X.astype(np.float32)
    imported = mlc.from_jax(jax.grad(f), x)
    assert "nd.barrier" in mlc.compile(imported, x).mlir("nd")
    assert_matches(Tolerance(ulp=64, sums=64), np.asarray(imported(x)), np.asarray(jax.grad(f)(x)))

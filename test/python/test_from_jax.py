"""Programs of JAX through `mlc.from_jax`, and its StableHLO text as a file: results, derivatives, errors.

The tolerances are in units of the element type's epsilon at the largest magnitude of a result.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.matching import assert_matches
from sampling import sample

jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402
from jax_cases import CASES, Case  # noqa: E402
from jax_programs import Program, loss_of, newton, programs  # noqa: E402

PROGRAMS = {p.name: p for p in programs()}
X = np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)


def trees_match(tolerance: float, got: Any, want: Any) -> None:
    found, structure = jax.tree.flatten(got)
    expected, same = jax.tree.flatten(want)
    assert structure == same
    for x, y in zip(found, expected, strict=True):
        y = np.asarray(y)
        floats = y.dtype.kind in "fVc"
        assert_matches(Tolerance(sums=tolerance) if floats else EXACT, np.asarray(x), y)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_and_their_gradients(name: str):
    """One program of mlc computes results and gradients, as it would be used."""
    p = PROGRAMS[name]
    f = mlc.from_jax(p.fn, *p.args)
    if not p.wrt:
        trees_match(p.tolerance, f(*p.args), jax.jit(p.fn)(*p.args))
        return
    loss = loss_of(f, mnp, jax.tree.leaves)
    got = mlc.jit(lambda *xs: (f(*xs), mlc.grad(loss, argnums=p.wrt)(*xs)))(*p.args)
    wanted = loss_of(p.fn, jnp, jax.tree.leaves)
    want = jax.jit(lambda *xs: (p.fn(*xs), jax.grad(wanted, argnums=p.wrt)(*xs)))(*p.args)
    trees_match(p.tolerance, got, want)


@pytest.mark.parametrize("case", sample(CASES, 10, "jax cases"), ids=lambda c: c.name)
def test_small_programs(case: Case):
    fn = case.fn if hasattr(case.fn, "lower") else jax.jit(case.fn)
    want = fn(*(x if isinstance(x, int) else jax.tree.map(jnp.asarray, x) for x in case.args))
    trees_match(case.tolerance, mlc.from_jax(case.fn, *case.args)(*case.args), want)


def test_a_while_has_forward_mode_and_no_reverse_mode():
    p: Program = PROGRAMS["newton"]
    f, (a,) = mlc.from_jax(newton, *p.args), p.args
    tangent = np.array([1.0, -2.0, 0.5], np.float32)
    got = mlc.jit(lambda a, t: mlc.jvp(lambda a: f(a)[0], (a,), (t,)))(a, tangent)
    trees_match(16, got, jax.jvp(lambda a: newton(a)[0], (a,), (tangent,)))
    with pytest.raises(mlc.CompileError, match=r"reverse mode through nd\.while: expected a loop with") as e:
        mlc.grad(lambda a: f(a)[0].sum())(a)
    shown = str(e.value)
    assert shown.startswith("newton.stablehlo:") and "stablehlo.while(" in shown
    assert "jax_programs.py:" in shown and "lax.while_loop(condition, body" in shown


def test_loops_that_count_are_scans():
    def loops(x):
        forward = lax.scan(lambda c, x: (c + x, c * 2), x[0], x)
        backward = lax.scan(lambda c, x: (c * x, c + x), x[0], x, reverse=True)
        counted = lax.fori_loop(2, 5, lambda i, c: c * 0.5 + i * x[i - 2], x)
        return forward, backward, counted, lax.fori_loop(3, 3, lambda i, c: c + i, x)

    f = mlc.from_jax(loops, X)
    text = mlc.jit(f).lower(X)
    assert "nd.while" not in text and "nd.scan 3 reverse" in text and "nd.dynamic_update_slice" not in text
    got = mlc.jit(lambda x: (f(x), mlc.grad(loss_of(f, mnp, jax.tree.leaves))(x)))(X)
    x = jnp.asarray(X)
    trees_match(16, got, (loops(x), jax.grad(loss_of(loops, jnp, jax.tree.leaves))(x)))

    until = mlc.from_jax(lambda n, x: lax.fori_loop(0, n, lambda i, c: c * 2, x), 3, X)
    assert "nd.while" in mlc.jit(until).lower(np.int32(3), X)
    trees_match(0, until(2, X), X * 4)


def test_eager_and_transforms():
    fn = lambda w, x: jnp.tanh(x @ w)
    w, x = np.full((4, 2), 0.3, np.float32), X
    f, want = mlc.from_jax(fn, w, x), fn(w, x)
    with mlc.eager():
        trees_match(4, np.asarray(f(w, x)), want)
    trees_match(4, mlc.jit(f)(w, x), want)
    trees_match(4, f(jnp.asarray(w), x=jnp.asarray(x)), want)
    row = mlc.from_jax(fn, w, x[0])
    trees_match(4, mlc.jit(mlc.vmap(row, in_axes=(None, 0)))(w, x), want)
    per_row = mlc.jit(mlc.vmap(mlc.grad(lambda w, x: row(w, x).sum()), in_axes=(None, 0)))(w, x)
    trees_match(8, per_row, jax.vmap(jax.grad(lambda w, x: fn(w, x).sum()), in_axes=(None, 0))(w, x))
    value, gradient = mlc.jit(mlc.value_and_grad(lambda w: f(w, x).sum()))(w)
    trees_match(16, (value, gradient), jax.value_and_grad(lambda w: fn(w, x).sum())(w))


def test_arguments_are_of_parameters():
    @partial(jax.jit, static_argnames=("rows",), donate_argnums=0)
    def fn(x, unused, rows=2, *, scale=1.0, **more):
        return {"y": x[:rows] * scale + more["shift"], "none": None}

    donated = X.copy()
    f = mlc.from_jax(fn, donated, [np.ones(3), 2], shift=1.0)
    want = {"y": X[:2] + 1, "none": None}
    for got in (
        f(donated, [np.ones(3), 2], shift=1.0),
        f(unused=[np.ones(3), 5], x=X, shift=np.float64(1)),
        mlc.jit(lambda x, n: f(x, [n, 1], shift=1))(X.astype(np.float64), np.zeros(3)),
    ):
        trees_match(0, got, want)
    assert np.array_equal(donated, X)  # who calls decides about donation
    three = mlc.from_jax(fn, mlc.spec((3, 4)), jnp.ones(()), 3, shift=jax.ShapeDtypeStruct((), np.float32))
    trees_match(0, three(X, 0.0, 3, shift=1.0)["y"], X + 1)
    with pytest.raises(mlc.CompileError, match="fn: static argument rows: expected 3, as it was lowered for, found 2"):
        three(X, 0.0, 2, shift=1.0)


def test_64_bits_are_32_unless_jax_is_told_otherwise():
    x = np.arange(3.0)
    assert mlc.from_jax(jnp.cumsum, x)(x).dtype == np.float32
    assert mlc.grad(lambda x: mlc.from_jax(jnp.sin, x)(x).sum())(x).dtype == np.float64  # of an argument of 64 bits
    with jax.enable_x64(True):
        assert mlc.from_jax(jnp.cumsum, x)(x).dtype == np.float64


def test_constants_and_keys():
    weights = np.random.default_rng(0).standard_normal((4, 700)).astype(np.float32)
    trees_match(4, mlc.from_jax(lambda x: x @ weights, X)(X), X @ weights)
    draw = lambda key: jax.random.uniform(key, (3,))
    key = jax.random.key(3)
    trees_match(0, mlc.from_jax(draw, key)(key), draw(key))


def test_a_rule_of_custom_vjp_is_left_behind():
    @jax.custom_vjp
    def doubled(x):
        return 2 * x

    doubled.defvjp(lambda x: (doubled(x), None), lambda _, g: (g * 7,))
    f = mlc.from_jax(doubled, 1.0)
    assert float(mlc.grad(f)(np.float32(1))) == 2 and float(jax.grad(doubled)(1.0)) == 7
    g = mlc.from_jax(jax.grad(doubled), 1.0)  # differentiated by JAX, its rule is used
    assert float(g(1.0)) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: f(X[:2], 1),
            r"fn: x\['a'\]: expected tensor<3x4xf32>, found float32\[2, 4\]; call mlc.from_jax again",
        ),
        (lambda f: f(X.astype(np.int32), 1), r"fn: x\['a'\]: expected tensor<3x4xf32>, found int32\[3, 4\]"),
        (lambda f: f(X, 1.5), r"fn: n: expected tensor<i32>, found float64\[\]"),
        (lambda f: f([X], 1), r"fn: x: expected the structure PyTreeDef\({'a': \*}\), found"),
        (lambda f: f(X), "fn: missing a required argument: 'n'"),
        (lambda f: mlc.jit(f)({"a": X}, np.ones(2, np.int32)), r"fn: n: expected tensor<i32>, found tensor<2xi32>"),
    ],
)
def test_wrong_arguments(call: Any, message: str):
    def fn(x, n):
        return x["a"] * n

    f = mlc.from_jax(fn, {"a": X}, 2)
    wrapped = lambda x, *more: f({"a": x} if isinstance(x, np.ndarray) else x, *more)
    with pytest.raises(mlc.CompileError, match=message) as e:
        call(wrapped if "jit" not in call.__code__.co_names else f)
    assert "test_from_jax.py" in str(e.value)


def refused(x):
    y = jnp.sin(x)
    return jax.pure_callback(np.cos, y, y)


def test_what_cannot_be_imported():
    with pytest.raises(mlc.CompileError, match=r"stablehlo.custom_call") as e:
        mlc.from_jax(refused, X)
    shown = str(e.value)
    assert shown.startswith("refused.stablehlo:") and "jax.pure_callback(np.cos, y, y)" in shown
    with pytest.raises(mlc.CompileError, match="expected a function that JAX can trace for these arguments; <lambda>"):
        mlc.from_jax(lambda x: x if x.sum() > 0 else -x, X)
    with pytest.raises(mlc.CompileError, match="expected sizes that are numbers, found the symbol n"):
        mlc.from_jax(jnp.sin, mlc.spec(("n",)))


# Its text as a file.


@pytest.fixture
def model(tmp_path: Path) -> Path:
    @partial(jax.jit, donate_argnums=0)
    def model(x, y):
        return lax.fori_loop(0, 3, lambda i, c: c * 2 + i, x), jnp.cumsum(x + y, 1)

    path = tmp_path / "model.mlir"
    path.write_text(model.lower(X, X).as_text(debug_info=True))
    return path


def test_a_file_is_compiled_and_run(model: Path, execute, opt, tmp_path: Path):
    exe = mlc.compile(model)
    assert exe.signature.endswith("-> (f32[3, 4], f32[3, 4])")
    want = (X * 8 + 4, np.cumsum(X + X, 1))
    trees_match(4, tuple(exe(X, X)), want)
    np.save(tmp_path / "x.npy", X)
    for how in ([], ["--interpret"]):
        ran = execute(
            model, *how, "--input", f"@{tmp_path}/x.npy", "--input", f"@{tmp_path}/x.npy", "-o", tmp_path / "o.npz"
        )
        assert (ran.code, ran.err) == (0, "")
        with np.load(tmp_path / "o.npz") as file:
            trees_match(4, tuple(file[n] for n in file.files), want)
    assert "stablehlo.while" in opt(model).out
    assert "nd.cumulative sum" in opt(model, "--pipeline=nd").out
    assert opt(model, "--pipeline=llvm").code == 0


@pytest.mark.parametrize("places", [False, True])
def test_a_file_with_what_is_unknown(places: bool, execute, opt, tmp_path: Path):
    path = tmp_path / "model.mlir"
    path.write_text(jax.jit(refused).lower(X).as_text(debug_info=places))
    where = "test_from_jax.py:" if places else f"{path}:"
    for ran in (execute(path), opt(path, "--pipeline=nd")):
        assert ran.code == 1 and "stablehlo.custom_call" in ran.err and where in ran.err
        assert "Traceback" not in ran.err
    with pytest.raises(mlc.CompileError, match=r"stablehlo\.custom_call"):
        mlc.compile(path)

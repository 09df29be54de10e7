"""`mlc.jit` and `mlc.compile` as a user meets them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import mlc.optim as optim
import numpy as np
import pytest
from mlc.runtime.matching import EXACT, Tolerance, assert_matches

RNG = np.random.default_rng(7)
CLOSE = Tolerance(ulp=16, sums=64, scale=1)
X = RNG.standard_normal((4, 6)).astype(np.float32)


def test_structures_go_in_and_come_out() -> None:
    f = mlc.jit(lambda p, xs: {"sum": p["a"] + xs[0], "rest": (xs[1], None, [p["a"] * 2])})
    out = f({"a": X}, [X, X * 3])
    assert set(out) == {"sum", "rest"} and out["rest"][1] is None
    assert_matches(EXACT, out["sum"], X + X)
    assert_matches(EXACT, out["rest"][2][0], X * 2)


def test_keyword_only_parameters() -> None:
    f = mlc.jit(lambda x, *, scale, flag=True: x * scale if flag else x, static="flag")
    assert_matches(EXACT, f(X, scale=2), X * 2)
    assert_matches(EXACT, f(X, flag=False, scale=X), X)
    g = mlc.jit(lambda x=1.0, *, y: x - y, donate="y")
    y = X.copy()
    assert_matches(EXACT, g(y=y), 1 - X)


def test_subclasses_of_dict_are_trees() -> None:
    first, second = OrderedDict([("b", X), ("a", X * 2)]), defaultdict(list, {"k": X})
    f = mlc.jit(lambda p, q: (type(p)((k, v + 1) for k, v in p.items()), q))
    p, q = f(first, second)
    assert type(p) is OrderedDict and list(p) == ["b", "a"]
    assert_matches(EXACT, p["a"], X * 2 + 1)
    assert type(q) is defaultdict and q["new"] == []
    assert f.cache_info().entries == 1 and f(first, second) and f.cache_info().hits == 1


def test_programs_are_kept_by_shape_type_and_order() -> None:
    f = mlc.jit(lambda x: x + x)
    for x in (X, X, X[:2], X.astype(np.float64), X.T, np.asfortranarray(X)):
        assert_matches(EXACT, f(x), x + x)
    assert f.cache_info().misses == 5 and f.cache_info().hits == 1


@pytest.mark.parametrize("static", [1, "n", ("n",)])
def test_static_arguments_are_values(static: Any) -> None:
    f = mlc.jit(lambda x, n: x * n if n > 2 else x, static=static)
    assert_matches(EXACT, f(X, 3), X * 3)
    assert_matches(EXACT, f(X, n=1), X)
    assert f.cache_info().entries == 2


def test_equal_static_values_of_other_types_are_other_programs() -> None:
    f = mlc.jit(lambda x, n: x * n, static=1)
    x = np.arange(3, dtype=np.int32)
    for n, dtype in ((True, np.int32), (1, np.int32), (1.0, np.float32)):
        assert f(x, n).dtype == dtype
    assert f.cache_info().entries == 3


@pytest.mark.parametrize(
    ("dtype", "number", "want"),
    [
        (np.float64, 0.1, np.float64),
        (np.float32, 0.1, np.float32),
        (np.float32, 2, np.float32),
        (np.int32, 2, np.int32),
        (np.int64, 2, np.int64),
        (np.int32, 0.5, np.float32),
    ],
)
def test_python_numbers_adopt_the_type_of_the_arrays(dtype: Any, number: float, want: Any) -> None:
    """As an argument, a number means what it means in the function: all its digits are there."""
    x = np.arange(5).astype(dtype)
    got = mlc.jit(lambda x, n: x * n)(x, number)
    assert got.dtype == want
    assert_matches(EXACT, got, x.astype(want) * want(number))


def test_jit_inside_jit_is_inlined() -> None:
    inner = mlc.jit(mnp.exp)
    assert_matches(CLOSE, mlc.jit(lambda x: inner(x) * 2)(X), np.exp(X) * 2)


def orders(x: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        "columns": np.asfortranarray(x),
        "transposed": np.ascontiguousarray(x.T).T,
        "reversed": x[::-1, ::-1],
        "one axis reversed": x[:, ::-1],
        "broadcast": np.broadcast_to(x[:1], x.shape),
        "sliced": np.repeat(x, 2, axis=1)[:, ::2],
        "unaligned": np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    }


@pytest.mark.parametrize("name", orders(X))
def test_any_memory_order_gives_the_same(name: str) -> None:
    x, w = orders(X)[name], RNG.standard_normal((6, 5)).astype(np.float32)
    f = mlc.jit(lambda x, w: (x @ w, x * 2, x.sum(axis=0)))
    product, double, total = f(x, w)
    assert_matches(CLOSE, product, x @ w)
    assert_matches(EXACT, double, x * 2)
    assert_matches(CLOSE, total, x.sum(axis=0))
    copied = f.copies + f.compile(x, w).copies
    assert copied == (1 if name in ("sliced", "unaligned") else 0)


def test_donated_arguments_are_updated_in_place() -> None:
    def step(p: Any, g: Any) -> Any:
        return {k: p[k] - 0.5 * g[k] for k in p}

    f = mlc.jit(step, donate="p")
    for shape in ((3, 5), (17, 33), (7,), (1000,)):
        p, g = ({"w": RNG.standard_normal(shape).astype(np.float32)} for _ in range(2))
        want = p["w"] - np.float32(0.5) * g["w"]
        out = f(p, g)
        assert out["w"] is p["w"]
        assert_matches(CLOSE, p["w"], want)


def test_a_donated_argument_passed_twice_is_not_overwritten() -> None:
    f = mlc.jit(lambda p, q: (p + 1, q * 2), donate=0)
    x = X.copy()
    first, second = f(x, x)
    assert_matches(EXACT, first, X + 1)
    assert_matches(EXACT, second, X * 2)


def test_compile_takes_functions_text_and_symbolic_sizes() -> None:
    exe = mlc.compile(lambda x, w: nn.relu(x @ w), mlc.spec(("b", 6)), mlc.spec((6, 5)))
    assert exe.signature == "lambda(%x: f32[b, 6], %w: f32[6, 5]) -> (f32[b, 5])"
    w = RNG.standard_normal((6, 5)).astype(np.float32)
    for b in (0, 1, 7):
        x = RNG.standard_normal((b, 6)).astype(np.float32)
        assert_matches(CLOSE, exe(x, w), np.maximum(x @ w, 0))
    again = mlc.compile(exe.mlir("nd"), entry="lambda")
    assert_matches(CLOSE, again(X, w), np.maximum(X @ w, 0))


def test_every_level_can_be_printed() -> None:
    exe = mlc.compile(lambda x: mnp.exp(x).sum(axis=1), mlc.spec((4, 64)))
    marks = {"nd": "nd.exp", "graph": "graph.launch", "loop": "loop.stage", "vector": "vector.", "llvm": "math.fma"}
    for level, mark in marks.items():
        assert mark in exe.mlir(level)
    assert "define i32 @mlc_entry" in exe.llvm_ir() and "mlc_entry" in exe.assembly()
    with pytest.raises(mlc.CompileError, match="unknown level 'hlo'; expected one of nd, graph"):
        exe.mlir("hlo")


def test_symbolic_perceptron_and_its_gradient() -> None:
    def loss(p: Any, x: Any, y: Any) -> Any:
        return nn.cross_entropy(nn.relu(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"], y).sum()

    p = {
        "w1": RNG.standard_normal((8, 16)) / 3,
        "b1": RNG.standard_normal(16),
        "w2": RNG.standard_normal((16, 10)) / 4,
        "b2": np.zeros(10),
    }
    specs = (
        {k: mlc.spec(v.shape, "float64") for k, v in p.items()},
        mlc.spec(("b", 8), "float64"),
        mlc.spec("b", "int64"),
    )
    forward, both = mlc.compile(loss, *specs), mlc.compile(mlc.value_and_grad(loss), *specs)
    static = mlc.jit(mlc.value_and_grad(loss))
    leaves = [p[k] for k in sorted(p)]
    for b in (0, 1, 7, 64, 1000):
        x, y = RNG.standard_normal((b, 8)), RNG.integers(0, 10, b)
        with mlc.eager():
            want = np.asarray(loss(p, x, y))
        bound = Tolerance(ulp=1024, sums=16 * max(b, 1) ** 0.5, scale=max(1, float(np.abs(want))))
        assert_matches(bound, forward(*leaves, x, y), want)
        value, *gradients = both(*leaves, x, y)
        assert_matches(bound, value, want)
        if b:
            for got, known in zip(gradients, [static(p, x, y)[1][k] for k in sorted(p)], strict=True):
                assert_matches(Tolerance(ulp=1024, sums=64 * b**0.5, scale=float(np.abs(known).max())), got, known)
        else:
            assert all(not g.any() for g in gradients)


def test_optimisers() -> None:
    p, g = {"a": X}, {"a": X * 2}
    plain, none = mlc.jit(optim.sgd(0.5).update)(p, None, g)
    assert none is None
    assert_matches(CLOSE, plain["a"], X - 0.5 * (X * 2))
    rule = optim.momentum(0.5, 0.25)
    v = rule.init(p)
    for _ in range(2):
        p, v = mlc.jit(rule.update)(p, v, g)
    assert_matches(CLOSE, v["a"], 0.25 * (X * 2) + X * 2)
    assert_matches(CLOSE, p["a"], X - 0.5 * (X * 2) - np.float32(0.5) * v["a"])


def test_eager_computes_at_once() -> None:
    seen: list[float] = []

    def model(x: Any) -> Any:
        y = mnp.exp(x).sum()
        if y > 0:
            seen.append(float(y))
        return y

    with mlc.eager():
        out = model(X)
        gradient = mlc.grad(lambda x: (x * x).sum())(X)
    assert seen and "Array(" in repr(out)
    with mlc.eager():
        assert_matches(EXACT, np.asarray(mlc.jit(lambda x: x * 2)(X)), X * 2)
    assert gradient.shape == X.shape


def endless(x: Any) -> Any:
    return endless(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlc.jit(lambda x: x, static="y"), "static: expected a parameter of .* found 'y'"),
        (lambda: mlc.jit(lambda x: x, donate=3), "donate: expected a position from 0 to 0, found 3"),
        (lambda: mlc.jit(endless)(X), "endless: expected calls that end while it is traced"),
        (
            lambda: mlc.jit(lambda x, n: x, static=1)(X, [1]),
            "static argument n: expected a hashable value, found a list",
        ),
        (mlc.jit(lambda x: x, donate=0), "missing a required argument"),
        (lambda: mlc.jit(lambda x: x, fast=True), "jit: expected options schedule, numerics, .* found 'fast'"),
        (lambda: mlc.jit(lambda x, **more: x)(X, y=X), "expected arguments of named parameters, found y"),
        (lambda: mlc.compile(3), "compile: expected a function, a module, MLIR text or a path, found int"),
        (lambda: mlc.spec((3, -1)), "spec: expected sizes of 0 or more, or symbols, found -1"),
        (lambda: mlc.spec((3, 1.5)), "spec: expected sizes of 0 or more, or symbols, found 1.5"),
        (lambda: mlc.spec(("b c",)), "spec: expected a symbol of letters, digits and _, found 'b c'"),
        (lambda: mlc.spec(""), "spec: expected a symbol of letters, digits and _, found ''"),
        (lambda: mlc.compile("no_such_file.mlir"), "found no file no_such_file.mlir"),
        (lambda: mlc.compile(lambda x: x, mlc.spec(3))(np.zeros(4, np.float32)), r"expected shape \[3\], found \[4\]"),
        (lambda: mlc.compile(lambda x: x, mlc.spec(3), numerics="loose"), "expected exact, ieee or fast"),
    ],
)
def test_wrong_uses(call: Any, message: str) -> None:
    with pytest.raises(mlc.CompileError, match=message):
        call()


def test_kernels_of_one_program_keep_their_own_literals() -> None:
    """Objects of several kernels name their literals alike."""
    x = np.float64(5)
    sine, cosine = mlc.jit(lambda x: (mnp.sin(x), mnp.cos(x)))(x)
    assert_matches(CLOSE, sine, np.sin(x))
    assert_matches(CLOSE, cosine, np.cos(x))


def test_a_kernel_is_not_mistaken_for_the_c_function_of_its_name() -> None:
    """The kernel `sin` calls C's sin for huge angles."""
    x = np.array([1e300, -1e30, np.inf])
    with np.errstate(invalid="ignore"):
        assert_matches(CLOSE, mlc.jit(mnp.sin)(x), np.sin(x))


@pytest.mark.parametrize(
    ("fn", "size"),
    [(lambda x: x[2:5] * 1, 3), (lambda x: x[7], 3), (lambda x: x[3:].sum(), 1), (lambda x: x[:-1], 0)],
)
def test_sizes_that_take_a_slice_outside_are_refused(fn: Any, size: int) -> None:
    exe = mlc.compile(fn, mlc.spec("b"))
    memory = np.arange(16, dtype=np.float32)
    with pytest.raises(mlc.CompileError, match=r"nd.slice: expected indices from 0 to .* at b ="):
        exe(memory[:size])
    assert_matches(EXACT, exe(memory[:9]), np.asarray(fn(memory[:9])))

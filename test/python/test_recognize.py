"""Spelled-out forms, as JAX, torch and ONNX write them, end in the kernels of the ops that have the name.

`forms/jax` is what `jax.jit(f).lower(x).as_text()` prints; `forms/torch` are the decompositions of torch.export, op by
op in StableHLO; `forms/onnx` the sequences of operators that exporters to ONNX write, in nd.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlc
import numpy as np
import pytest
from graph_cases import apply, kernels, program
from mlc import nn
from mlc import numpy as xp
from mlc.compiler.context import context
from mlc.compiler.modules import parse
from mlc.compiler.pipelines import named
from mlc.compiler.registry import build
from mlc.compiler.transforms.decompose import composites
from mlc.compiler.transforms.recognize import FAMILIES, STABLE, recognize
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.types import NUMPY, element, shape_of, tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.dialects.func import FuncOp

FORMS = Path(__file__).parent / "forms"
CONTEXT = context()


def heads_first(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Of queries, keys and values [batch, length, heads, features]."""
    return lambda q, k, v, *m: xp.swapaxes(fn(*(xp.swapaxes(x, 1, 2) for x in (q, k, v)), *m), 1, 2)


def causal(q: Any, k: Any, v: Any) -> Any:
    return nn.attention(q, k, v, causal=True)


def scaled(**options: Any) -> Callable[..., Any]:
    """With the square of the root of the scale in f32, which queries and keys are multiplied with."""
    return lambda *args: nn.attention(*args, scale=0.35355335, **options)


def low(q: Any, k: Any, v: Any, mask: Any, number: float = -3.4028234663852886e38) -> Any:
    return nn.attention(q, k, v, F.where(mask, 0.0, number))


def projected(x: Any, w: Any) -> Any:
    y = xp.transpose(xp.reshape(x @ w, (2, 16, 3, 4, 8)), (2, 0, 3, 1, 4))
    o = nn.attention(*(xp.reshape(y[k : k + 1], (2, 4, 16, 8)) for k in range(3)))
    return xp.reshape(xp.transpose(o, (0, 2, 1, 3)), (2, 16, 32))


def eager(q: Any, k: Any, v: Any, bias: Any) -> Any:
    return xp.reshape(xp.swapaxes(nn.attention(q, k, v, bias, scale=0.353515625), 1, 2), (2, 16, 32))


def layer_norm(x: Any, g: Any, b: Any) -> Any:
    return nn.layer_norm(x, g, b, axis=tuple(range(x.ndim - g.ndim, x.ndim)))


def layer_norm_plain(x: Any) -> Any:
    return nn.layer_norm(x, None, F.full(-0.0, tensor(x.shape[-1:], x.dtype)))


def gelu_erf(x: Any) -> Any:
    return nn.gelu(x, approximate=False)


def batch_norm(x: Any, g: Any, b: Any, mean: Any, variance: Any) -> Any:
    return nn.batch_norm(x, mean, variance, g, b, axis=1)


NAMED: dict[str, Callable[..., Any]] = {
    "jax/attention_bias": heads_first(nn.attention),
    "jax/attention_causal": heads_first(causal),
    "jax/attention_eager_bf16": eager,
    "jax/attention_grouped": heads_first(causal),
    "jax/attention_repeated": causal,
    "jax/attention_product": heads_first(nn.attention),
    "jax/attention_product_bf16": heads_first(causal),
    "jax/attention_product_causal": heads_first(causal),
    "jax/attention_product_mask": heads_first(lambda *a: low(*a, number=-2.38197633e38)),
    "jax/gelu": nn.gelu,
    "jax/gelu_bf16": nn.gelu,
    "jax/group_norm": lambda x: nn.group_norm(x, 2, None, F.full(-0.0, tensor((8,), x.dtype))),
    "jax/layer_norm": layer_norm,
    "jax/layer_norm_flax": lambda x, g, b: nn.layer_norm(x, g, b, eps=1e-6),
    "jax/log_softmax": nn.log_softmax,
    "jax/rms_norm": nn.rms_norm,
    "jax/sigmoid": nn.sigmoid,
    "jax/silu": nn.silu,
    "jax/silu_bf16": nn.silu,
    "jax/softmax": nn.softmax,
    "jax/softmax_bf16": nn.softmax,
    "jax/softmax_first": lambda x: nn.softmax(x, 0),
    "jax/softmax_middle": lambda x: nn.softmax(x, 1),
    "jax/softplus": nn.softplus,
    "jax/standardize": layer_norm_plain,
    "onnx/attention": nn.attention,
    "onnx/attention_bias": nn.attention,
    "onnx/attention_low": low,
    "onnx/attention_mask": scaled(),
    "onnx/attention_projected": projected,
    "onnx/batch_norm": lambda x, m, v, g, b: nn.batch_norm(x, m, v, g, b, axis=1),
    "onnx/gelu": gelu_erf,
    "onnx/gelu_outer": gelu_erf,
    "onnx/gelu_tanh": nn.gelu,
    "onnx/gelu_tanh_factored": nn.gelu,
    "onnx/layer_norm": layer_norm,
    "onnx/layer_norm_pow": layer_norm,
    "onnx/log_softmax": nn.log_softmax,
    "onnx/rms_norm": nn.rms_norm,
    "onnx/rms_norm_div": nn.rms_norm,
    "onnx/sigmoid": nn.sigmoid,
    "onnx/silu": nn.silu,
    "onnx/softmax": nn.softmax,
    "onnx/softmax_axis1": lambda x: nn.softmax(x, 1),
    "onnx/softplus": nn.softplus,
    "torch/attention": scaled(),
    "torch/attention_bias": scaled(),
    "torch/attention_causal": scaled(causal=True),
    "torch/attention_mask": scaled(),
    "torch/batch_norm": batch_norm,
    "torch/gelu": gelu_erf,
    "torch/gelu_tanh": nn.gelu,
    "torch/gelu_tanh_bf16": nn.gelu,
    "torch/layer_norm": layer_norm,
    "torch/layer_norm_2d": layer_norm,
    "torch/layer_norm_bf16": layer_norm,
    "torch/layer_norm_plain": layer_norm_plain,
    "torch/log_softmax": nn.log_softmax,
    "torch/rms_norm": lambda x, g: nn.rms_norm(x, g, eps=1.1920929e-07),
    "torch/rms_norm_llama": nn.rms_norm,
    "torch/silu": nn.silu,
    "torch/silu_bf16": nn.silu,
    "torch/softmax": nn.softmax,
    "torch/softmax_bf16": nn.softmax,
    "torch/softplus": nn.softplus,
}
"""By text, the program that is written with the op."""

FAST = {"jax/attention_low": causal, "jax/gelu_erfc": gelu_erf}
"""What is recognised at the level `fast` only."""
ORDERS = {"jax/attention_product", "jax/attention_grouped", "jax/attention_product_bf16", "jax/attention_product_mask"}
"""Kernels that read operands as they lie, and others after a transpose or a reshape; a copy before or behind."""

LEVELS = {name: "fast" if name in FAST else "ieee" for name in {**NAMED, **FAST}}


def text(name: str) -> ModuleOp:
    module = parse(FORMS / f"{name}.mlir")
    return apply(module, "stablehlo-to-nd", "inline", "symbol-dce")


def main(module: ModuleOp) -> FuncOp:
    return next(op for op in module.body.block.ops if isinstance(op, FuncOp))


def types(module: ModuleOp) -> list[Any]:
    return [arg.type for arg in main(module).body.block.args]


def fused(module: ModuleOp) -> list[str]:
    """The kernels of @main, without names of values."""
    for spec in named("graph"):
        build(spec).apply(CONTEXT, module)
        if spec.name == "graph-fuse":
            break
    for op in main(module).walk():
        for value in (*op.results, *(arg for region in op.regions for arg in region.block.args)):
            value.name_hint = None
    return [str(op) for op in main(module).body.block.ops if op.name == "graph.kernel"]


def count(module: ModuleOp) -> int:
    """The composites of a program."""
    kinds = tuple(composites().values())
    return sum(isinstance(op, kinds) for op in main(module).walk())


def adversarial(kinds: list[Any], seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """Rows of moderate, large, tiny and equal numbers, and one far from 0; variances are positive, masks leave keys."""
    rng, out = np.random.default_rng(seed), []
    for kind in kinds:
        shape, dtype = shape_of(kind), NUMPY[element(kind)]
        x = rng.standard_normal(shape)
        if dtype.kind == "b":
            x = x > 0
            x[..., 0] = True
        elif len(shape) > 1:
            for k, factor in enumerate((1.0, 30.0, 1e-3, 0.0, 1.0)[: shape[0]]):
                x[k] = x[k] * factor + (20.0 if k == 4 else 0.0)
        else:
            x = np.abs(x) + 0.5
        out.append(np.asarray(x).astype(dtype))
    return out


def test_every_text_is_named():
    found = {str(f.relative_to(FORMS).with_suffix("")) for f in FORMS.rglob("*.mlir")}
    assert found == set(LEVELS)


@pytest.mark.parametrize("name", LEVELS)
def test_a_text_ends_in_the_kernels_of_the_op(name: str):
    module = text(name)
    apply(module, "canonicalize")
    before, kinds = module.clone(), types(module)
    recognize(main(module).body.block, LEVELS[name], stable=True)
    assert count(module) == 1
    args = adversarial(kinds)
    want = Interpreter(before).call("main", *args)[0]
    whole = program(kinds, {**NAMED, **FAST}[name])
    assert_matches(program_tolerance(before, args), Interpreter(module).call("main", *args)[0], want)
    got, wanted = fused(module), fused(whole)
    assert got == wanted or (name in ORDERS and sorted(kernels(module)) == sorted(kernels(whole)))
    assert_matches(program_tolerance(before, args), Interpreter(module).call("main", *args)[0], want)


@pytest.mark.parametrize("name", ["jax/silu", "jax/sigmoid", "jax/softplus", "jax/layer_norm_flax"])
def test_what_is_slower_as_an_op_stays_unless_asked_for(name: str):
    module = apply(text(name), "canonicalize")
    assert recognize(main(module).body.block) == 0 and count(module) == 0


@pytest.mark.parametrize("name", FAST)
def test_what_needs_the_level_fast_stays_at_ieee(name: str):
    module = text(name)
    apply(module, "canonicalize", "recognize")
    assert "attention" not in str(module) and "gelu" not in str(module)


# What is nearly a form.

X, Q = tensor((6, 8), f32), tensor((2, 8, 4), f32)
ROW, SQUARE = tensor((8,), f32), tensor((8, 8), f32)


def mean(x: Array, axis: int = -1) -> Array:
    return F.mean(x, axis, keepdims=True)


def softmax(x: Array, top: int = -1, total: int = -1) -> Array:
    e = F.exp(x - x.max(top, keepdims=True))
    return e / e.sum(total, keepdims=True)


def norm(x: Array, variance_axis: int = -1, of: Array | None = None) -> Array:
    d = x - mean(x)
    return d * F.rsqrt(mean((d if of is None else of) ** 2, variance_axis) + 1e-5)


def weights(q: Array, k: Array, bias: Any = 0.0) -> Array:
    return softmax(F.matmul(q, F.swapaxes(k, -1, -2)) * 0.5 + bias)


def read_scores(q: Array, k: Array, v: Array) -> tuple[Array, Array]:
    w = weights(q, k)
    return F.matmul(w, v), w


def parts(x: Array) -> tuple[Array, Array]:
    e = F.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True), e


def statistics(x: Array) -> tuple[Array, Array]:
    r = F.rsqrt(mean(x * x) + 1e-5)
    return x * r, r


NEARLY: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("softmax of another maximum", lambda x: softmax(x, 0, 1), [SQUARE]),
    ("softmax over two dimensions", lambda x: softmax(x, (0, 1), (0, 1)), [X]),
    ("softmax without a maximum", lambda x: (e := F.exp(x)) / e.sum(-1, keepdims=True), [X]),
    ("softmax of another value's maximum", lambda x, y: (e := F.exp(x - y.max(-1, keepdims=True))) / e.sum(-1, keepdims=True), [X, X]),  # noqa: E501
    ("softmax whose exponentials are read", parts, [X]),
    ("log softmax with log2", lambda x: (z := x - x.max(-1, keepdims=True)) - F.log2(F.exp(z).sum(-1, keepdims=True)), [X]),  # noqa: E501
    ("eps outside of the root", lambda x: (d := x - mean(x)) / (F.sqrt(mean(d * d)) + 1e-5), [X]),
    ("a variance of n - 1", lambda x: (d := x - mean(x)) * F.rsqrt((d * d).sum(-1, keepdims=True) / 7.0 + 1e-5), [X]),
    ("a root that is read", statistics, [X]),
    ("a cubic of other constants", lambda x: 0.5 * x * (1.0 + F.tanh(0.7978845608 * (x + 0.045 * x * x * x))), [X]),
    ("gelu of two values", lambda x, y: 0.5 * y * (1.0 + F.tanh(0.7978845608 * (x + 0.044715 * x * x * x))), [X, X]),
    ("erf of x", lambda x: 0.5 * x * (1.0 + F.erf(x)), [X]),
    ("2 instead of 1", lambda x: 1.0 / (2.0 + F.exp(-x)), [X]),
    ("a positive exponent", lambda x: 1.0 / (1.0 + F.exp(x)), [X]),
    ("another factor", lambda x, y: y / (1.0 + F.exp(-x)), [X, X]),
]  # fmt: skip

OTHER: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("a variance along another dimension", lambda x: norm(x, 0), [SQUARE]),
    ("a variance of another value", lambda x, y: norm(x, -1, y), [X, X]),
    ("weights that are read", read_scores, [Q, Q, Q]),
    ("a function of the scores", lambda q, k, v: F.matmul(softmax(F.tanh(F.matmul(q, F.swapaxes(k, -1, -2)))), v), [Q] * 3),  # noqa: E501
    ("weights times keys twice", lambda q, k, v: F.matmul(weights(q, k) * 2.0, v), [Q] * 3),
    ("a softmax over queries", lambda q, k, v: F.matmul(softmax(F.matmul(q, F.swapaxes(k, -1, -2)), 1, 1), v), [Q] * 3),
    ("a number that is not low", lambda q, k, v: F.matmul(softmax(F.where(F.compare("gt", q.sum(-1, keepdims=True), 0.0), F.matmul(q, F.swapaxes(k, -1, -2)), -20.0)), v), [Q] * 3),  # noqa: E501
]  # fmt: skip
"""No layer norm and no attention; parts of them are forms."""


@pytest.mark.parametrize(("why", "fn", "kinds"), NEARLY, ids=[n[0] for n in NEARLY])
def test_what_is_nearly_a_form_stays(why: str, fn: Callable[..., Any], kinds: list[Any]):
    module = apply(program(kinds, fn), "decompose", "canonicalize")
    before = str(module)
    recognize(main(module).body.block, stable=True)
    assert str(module) == before


@pytest.mark.parametrize(("why", "fn", "kinds"), OTHER, ids=[n[0] for n in OTHER])
def test_a_part_may_be_a_form(why: str, fn: Callable[..., Any], kinds: list[Any]):
    module = apply(program(kinds, fn), "canonicalize", "recognize")
    assert "nd.attention" not in str(module) and "nd.layer_norm" not in str(module)


def test_a_family_that_there_is_not(opt: Any):
    ran = opt(FORMS / "jax/softmax.mlir", "-p", "recognize{families=softmx}")
    assert ran.code and "expected families of activation, normalization, softmax, attention, found softmx" in ran.err


def test_sizes_may_be_symbols():
    n = symbol("n")
    x, q = tensor((n, symbol("m")), f32), tensor((n, symbol("m"), 4), f32)
    module = apply(program([x, x], lambda x, y: (norm(x), softmax(y), softmax(y, 0, 0))), "canonicalize", "recognize")
    assert count(module) == 3
    module = apply(program([q, q, q], lambda q, k, v: F.matmul(weights(q, k), v)), "canonicalize", "recognize")
    assert count(module) == 1 and "nd.attention" in str(module)


def test_regions_are_looked_into():
    def loop(x: Array) -> Array:
        return mlc.scan(lambda c, _: (softmax(c), c), x, None, length=3)[0]

    module = apply(program([X], loop), "canonicalize", "recognize")
    assert "nd.softmax" in str(module)


def test_decomposed_ops_are_not_recognised_again():
    """Each op's own decomposition is a normal form of the pipeline's end."""
    module = apply(program([X], lambda x: nn.softmax(nn.gelu(x)) + nn.layer_norm(x)), *["canonicalize", "recognize"])
    assert count(module) == 3
    apply(module, "decompose", "canonicalize")
    text = str(module)
    assert str(apply(module, "canonicalize")) == text


def test_a_rule_starts_at_ops_that_are_rare():
    common = {"nd.add", "nd.sub", "nd.mul", "nd.contract", "nd.broadcast", "nd.reshape", "nd.select", "nd.transpose"}
    assert common.isdisjoint(
        op.name for table in (*FAMILIES.values(), *STABLE.values()) for r in table.rewrites for op in r.ops
    )

"""StableHLO that MLIR's printer wrote comes out as the same bytes; jaxlib's own printer is the judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir

LINES = [
    "%c = stablehlo.constant dense<[true, false, true]> : tensor<3xi1>",
    "%c = stablehlo.constant dense<true> : tensor<3xi1>",
    '%c = stablehlo.constant dense<"0x' + "0001" * 60 + '"> : tensor<120xi1>',
    '%c = stablehlo.constant dense<"0x' + "0102" * 60 + '"> : tensor<120xi8>',
    "%c = stablehlo.constant dense<[[1, -2], [3, 4]]> : tensor<2x2xi4>",
    "%c = stablehlo.constant dense<> : tensor<0x3xui64>",
    "%c = stablehlo.constant dense<18446744073709551615> : tensor<ui64>",
    "%cst = stablehlo.constant dense<[0x7F800000, 0xFFC00000, 1.000000e-01, 0.333333343]> : tensor<4xf32>",
    "%cst = stablehlo.constant dense<(1.000000e+00,-2.500000e+00)> : tensor<complex<f32>>",
    "%cst = stablehlo.constant dense<[(1.000000e+00,0x7FF0000000000000), (0.000000e+00,-0.000000e+00)]> : tensor<2xcomplex<f64>>",  # noqa: E501
    "%cst = stablehlo.constant dense<[1.000000e+00, 3.140630e+00]> : tensor<2xbf16>",
    "%cst = stablehlo.constant {a = 1 : i32, b = [1, 2.000000e+00], c} dense<5.000000e-01> : tensor<f16>",
    "%cst = stablehlo.constant dense<4.480000e+02> : tensor<2xf8E4M3FN>",
    r'stablehlo.custom_call @f(%arg0) {backend_config = "a\22b\\\0A", has_side_effect = true} : (tensor<2x3xf32>) -> ()',  # noqa: E501
    '%0 = stablehlo.custom_call @f(%arg0) {api_version = 4 : i32, backend_config = {k = 1 : i64}, mhlo.sharding = "{replicated}"} : (tensor<2x3xf32>) -> tensor<2x3xf32>',  # noqa: E501
    "%0 = stablehlo.create_token : !stablehlo.token",
    "%0 = stablehlo.tuple %arg0, %arg0 : tuple<tensor<2x3xf32>, tensor<2x3xf32>>",
    "%0 = stablehlo.reduce_precision %arg0, format = e5m10 : tensor<2x3xf32>",
    "%0 = stablehlo.slice %arg0 [0:2, 0:3:2] : (tensor<2x3xf32>) -> tensor<2x2xf32>",
    "%0 = stablehlo.compare LT, %arg0, %arg0, TOTALORDER : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>",
    "%0 = stablehlo.uniform_quantize %arg0 : (tensor<2x3xf32>) -> tensor<2x3x!quant.uniform<i8:f32, 1.000000e-01:-3>>",
    '%0 = "stablehlo.all_gather"(%arg0) <{all_gather_dim = 0 : i64, channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, replica_groups = dense<0> : tensor<1x1xi64>}> : (tensor<2x3xf32>) -> tensor<2x3xf32>',  # noqa: E501
]


def module(line: str) -> str:
    head = 'module @m attributes {mhlo.num_partitions = 1 : i32} {\n  func.func public @main(%arg0: tensor<2x3xf32> {jax.buffer_donor = true}) -> (tensor<2x3xf32> {jax.result_info = "a"}) {\n'  # noqa: E501
    return f"{head}    {line}\n    return %arg0 : tensor<2x3xf32>\n  }}\n}}\n"


def upstream(text: str) -> str:
    ir = pytest.importorskip("jaxlib.mlir.ir", reason="jaxlib is not installed: it is in the extra `test`")
    from jax._src.interpreters.mlir import make_ir_context

    with make_ir_context():
        return ir.Module.parse(text).operation.get_asm().rstrip("\n") + "\n"


def again(text: str, locations: bool = False) -> str:
    return print_ir(parse_module(text, "t.mlir"), locations=locations)


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_lines_come_out_as_they_are(line: str) -> None:
    assert again(module(line)) == module(line)


def test_lines_are_what_upstream_prints() -> None:
    for line in (line for line in LINES if "!quant" not in line):  # jaxlib has no quantised types
        assert upstream(module(line)) == module(line)


def programs() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    import numpy as np
    from jax import lax
    from jax import numpy as jnp

    x = np.ones((4, 6), np.float32)
    c = x.astype(np.complex64)
    return {
        "loop": (lambda a: lax.scan(lambda s, r: (s + r, s), a[0], a), (x,)),
        "while": (lambda a: lax.while_loop(lambda s: s.sum() < 9, lambda s: s * 2, a), (x,)),
        "branch": (lambda a: lax.cond(a[0, 0] > 0, lambda v: v, lambda v: -v, a), (x,)),
        "sort": (lambda a: jnp.argsort(a, axis=1), (x,)),
        "top": (lambda a: lax.top_k(a, 2), (x,)),
        "gather": (lambda a: a[jnp.array([1, 2]), 1:3].at[0].add(1.0), (x,)),
        "fft": (jnp.fft.irfft, (c,)),
        "window": (lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (2, 2), (1, 2), "SAME"), (x,)),
        "random": (lambda a: lax.rng_bit_generator(a, (3,)), (np.ones(4, np.uint32),)),
        "mask": (lambda a: jnp.where(np.arange(200) % 3 == 0, a, 0), (np.ones(200, np.float32),)),
        "special": (lambda a: lax.lgamma(a) + lax.erf_inv(a) + jnp.arccosh(a), (x,)),
    }


NAMES = ["loop", "while", "branch", "sort", "top", "gather", "fft", "window", "random", "mask", "special"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("locations", [False, True])
def test_programs_of_jax(name: str, locations: bool) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")
    fn, arguments = programs()[name]
    text = jax.jit(fn).lower(*arguments).as_text(debug_info=locations).rstrip("\n") + "\n"
    assert again(text, locations) == text
    assert upstream(again(text)) == again(text)

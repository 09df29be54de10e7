"""`mlc.to_stablehlo`: whole programs, which JAX runs; what is kept, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import jax_oracle
import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from control_cases import CASES
from mlc.compiler.frontend.tracing import trace
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from sampling import sample

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 8)).astype(np.float32)
P = {"w": RNG.standard_normal((8, 4)).astype(np.float32), "b": RNG.standard_normal(4).astype(np.float32)}
MLIR = """
func.func @main(
  %x: tensor<4xf32> {{jax.buffer_donor = true}}, %y: tensor<4xf32> {{tf.aliasing_output = 0 : i32}}
) -> tensor<4xf32> {{
  {}
  %z = nd.add %x, %y : tensor<4xf32>
  return %z : tensor<4xf32>
}}
"""


def run_by_jax(fn: Any, *args: Any) -> str:
    """The text of a program, when its results by JAX are those of the interpreter."""
    text = mlc.to_stablehlo(fn, *args)
    leaves = [np.asarray(x) for x in jax_oracle.jax.tree_util.tree_leaves(args)]
    module = trace(fn, args).module
    (f,) = [f for f in module.ops if f.sym_visibility is None or f.sym_visibility.data != "private"]
    want = Interpreter(module).call(f.sym_name.data, *leaves)
    tolerance = program_tolerance(module, leaves, f.sym_name.data)
    got = jax_oracle.run(text, leaves)
    assert len(got) == len(want)
    for x, y in zip(got, want, strict=True):
        assert_matches(tolerance, x, y)
    return text


@pytest.mark.parametrize("name", sample([*CASES], 8, "to_stablehlo"))
def test_control_flow(name: str) -> None:
    case = CASES[name]
    run_by_jax(case.fn, *case.args)


def loss(p: Any, x: Any) -> Any:
    return mnp.mean(nn.gelu(x @ p["w"] + p["b"]) ** 2)


def test_gradients() -> None:
    text = run_by_jax(mlc.grad(loss), P, X)
    assert "nd." not in text and "func.func public @main" in text
    run_by_jax(mlc.vmap(mlc.grad(lambda x: mnp.sum(mnp.tanh(x) * x))), X)


def test_gradient_of_a_loop() -> None:
    def total(w: Any, x: Any) -> Any:
        def step(h: Any, row: Any) -> Any:
            h = mnp.tanh(h * w + row)
            return h, mnp.sum(h)

        return mnp.sum(mlc.scan(step, mnp.zeros_like(w), x)[1])

    assert run_by_jax(mlc.grad(total), P["b"], X[:, :4]).count("stablehlo.while") == 2


def test_complex_numbers() -> None:
    text = run_by_jax(lambda x: mnp.abs(mnp.fft.rfft(x) * (1 + 2j)), X)
    assert "stablehlo.fft" in text and "complex<f32>" in text


def test_weights_stand_in_the_text() -> None:
    weights = RNG.standard_normal((8, 256)).astype(np.float32)
    assert len(run_by_jax(lambda x: x @ weights, X)) > 8 * weights.size


def test_large_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlc.lowering.nd_to_stablehlo import movement

    monkeypatch.setattr(movement, "LARGEST", 8000)
    weights = np.arange(2048, dtype=np.float32)
    with pytest.raises(mlc.CompileError, match=r"at most 8000 bytes, found tensor<2048xf32> with 8192; make it an arg"):
        mlc.to_stablehlo(lambda x: x + weights, mlc.spec((2048,)))


def test_symbols_are_refused() -> None:
    with pytest.raises(mlc.CompileError, match="expected sizes that are numbers") as error:
        mlc.to_stablehlo(lambda x: x + 1, mlc.spec(("n", 4)))
    assert "test_to_stablehlo.py" in str(error.value)


def test_effects() -> None:
    text = MLIR.format('nd.print "x"')
    with pytest.raises(mlc.CompileError, match=r"nd\.print, which StableHLO cannot say"):
        mlc.to_stablehlo(text)
    assert "print" not in mlc.to_stablehlo(text, effects="drop")
    with pytest.raises(mlc.CompileError, match="expected error or drop, found keep"):
        mlc.to_stablehlo(text, effects="keep")


def test_donation_stays() -> None:
    text = mlc.to_stablehlo(MLIR.format(""))
    assert "jax.buffer_donor = true" in text and "tf.aliasing_output = 0 : i32" in text
    assert text == mlc.to_stablehlo(text)
    x = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(jax_oracle.run(text, [x, x + 1])[0], 2 * x + 1)


def test_locations() -> None:
    text = mlc.to_stablehlo(mnp.tanh, mlc.spec((4,)), locations=True)
    assert re.search(r'loc\(".*test_to_stablehlo.py":\d+:\d+', text)
    assert "loc(" not in mlc.to_stablehlo(mnp.tanh, mlc.spec((4,)))


def test_same_bytes_in_every_process() -> None:
    program = (
        "import mlc, mlc.nn as nn, mlc.numpy as mnp\n"
        "def f(w, x): return mnp.sum(nn.softmax(mnp.tanh(x @ w)) ** 2)\n"
        "text = mlc.to_stablehlo(mlc.grad(f), mlc.spec((8, 4)), mlc.spec((6, 8)))\n"
    )
    here: dict[str, Any] = {}
    exec(program, here)
    command = [sys.executable, "-c", program + "print(text, end='')"]
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ran.stdout == here["text"] and "stablehlo.dot_general" in ran.stdout

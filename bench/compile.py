"""Compile time of large graphs: a transformer of 12 layers, forward, and its training step.

Cold and warm are processes of their own with an empty and a filled disk cache; the time is from the function to the
executable, without importing packages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp

from .results import Row

LAYERS, HEADS, WIDTH, LENGTH = 12, 8, 256, 64


def layer(p: Any, x: Any) -> Any:
    """Attention and a feed-forward block, each behind a normalisation, with residual connections."""
    batch = x.shape[0]
    y = nn.layer_norm(x, p["scale1"], p["bias1"])
    q, k, v = (
        mnp.transpose(mnp.reshape(y @ p[n] + p[f"{n}_bias"], (batch, LENGTH, HEADS, -1)), (0, 2, 1, 3)) for n in "qkv"
    )
    y = mnp.reshape(mnp.transpose(nn.attention(q, k, v, causal=True), (0, 2, 1, 3)), (batch, LENGTH, WIDTH))
    x = x + y @ p["o"] + p["o_bias"]
    y = nn.layer_norm(x, p["scale2"], p["bias2"])
    return x + nn.gelu(y @ p["up"] + p["up_bias"]) @ p["down"] + p["down_bias"]


def transformer(parameters: Any, x: Any) -> Any:
    for p in parameters:
        x = layer(p, x)
    return x


def specs() -> tuple[Any, Any]:
    shapes = {f"{n}{k}": (WIDTH,) for n in ("scale", "bias") for k in (1, 2)}
    shapes |= dict.fromkeys("qkvo", (WIDTH, WIDTH)) | {f"{n}_bias": (WIDTH,) for n in "qkvo"}
    shapes |= {"up": (WIDTH, 4 * WIDTH), "up_bias": (4 * WIDTH,), "down": (4 * WIDTH, WIDTH), "down_bias": (WIDTH,)}
    layers = [{name: mlc.spec(shape) for name, shape in shapes.items()} for _ in range(LAYERS)]
    return layers, mlc.spec((2, LENGTH, WIDTH))


def step(parameters: Any, x: Any) -> Any:
    """Loss and gradients."""
    return mlc.value_and_grad(lambda p: nn.mse(transformer(p, x), x))(parameters)


def timed(program: str) -> dict[str, float]:
    """Seconds to the executable; ops without composites, launches and kernels of the program."""
    from mlc.compiler import compile as _compile
    from mlc.compiler.frontend import transforms as _transforms

    assert _compile and _transforms
    arguments = specs()
    start = time.perf_counter()
    exe = mlc.compile({"transformer": transformer, "step": step}[program], *arguments)
    seconds = time.perf_counter() - start
    kernels = exe.report()["kernels"]
    launches = sum(k["calls"] for k in kernels)
    ops = sum(k["calls"] * len(k["alone"]) for k in kernels)
    return {"seconds": seconds, "ops": ops, "launches": launches, "kernels": len(kernels)}


def in_process(program: str, cache: str) -> dict[str, float]:
    code = f"import json; from bench.compile import timed; print(json.dumps(timed({program!r})))"
    environment = {**os.environ, "MLC_CACHE_DIR": cache}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout)


def rows() -> list[Row]:
    out: list[Row] = []
    for program in ("transformer", "step"):
        with tempfile.TemporaryDirectory() as cache:
            cold = in_process(program, cache)
            warm = min((in_process(program, cache) for _ in range(3)), key=lambda r: r["seconds"])
        out += [Row(f"{program}_cold", cold["seconds"], "s"), Row(f"{program}_warm", warm["seconds"], "s")]
        out += [Row(f"{program}_{name}", cold[name], "") for name in ("ops", "launches", "kernels")]
    return out

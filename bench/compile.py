"""Compile time of large graphs, a transformer of 12 layers, forward, and its training step, and of single kernels.

Cold and warm are processes of their own with an empty and a filled disk cache; the time is from the function to the
executable, without importing packages. Single kernels are compiled in a process that has compiled others of their
kinds.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp

from .results import Row

LAYERS, HEADS, WIDTH, LENGTH = 12, 8, 256, 64

KERNELS: dict[str, tuple[Callable[..., Any], Callable[[int], Sequence[tuple[int, ...]]]]] = {
    "bias_relu": (lambda x, b: nn.relu(x + b), lambda n: [(n, 1024), (1024,)]),
    "softmax": (nn.softmax, lambda n: [(n, 1024)]),
    "layer_norm": (nn.layer_norm, lambda n: [(n, 768), (768,), (768,)]),
    "gelu": (nn.gelu, lambda n: [(256 * n,)]),
    "variance": (lambda x: mnp.var(x, axis=0), lambda n: [(n // 4, 1024)]),
    "attention": (nn.attention, lambda n: [(1, 12, n // 8, 64)] * 3),
}
"""Functions, and the shapes of their arguments for so many rows."""

ROWS, OTHERS = 4096, 4224
"""Of the kernels that are timed, and of those that are compiled before."""


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


def kernels() -> dict[str, float]:
    """Milliseconds to the executable of each kernel."""
    for function, shapes in KERNELS.values():
        mlc.compile(function, *map(mlc.spec, shapes(OTHERS)))
    gc.collect()  # else what was imported is looked through in the middle of one of them
    found: dict[str, float] = {}
    for name, (function, shapes) in KERNELS.items():
        start = time.perf_counter()
        mlc.compile(function, *map(mlc.spec, shapes(ROWS)))
        found[name] = (time.perf_counter() - start) * 1e3
    return found


def in_process(call: str, cache: str) -> dict[str, float]:
    code = f"import json; from bench import compile; print(json.dumps(compile.{call}))"
    environment = {**os.environ, "MLC_CACHE_DIR": cache}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout)


def rows() -> list[Row]:
    out: list[Row] = []
    for program in ("transformer", "step"):
        with tempfile.TemporaryDirectory() as cache:
            cold = in_process(f"timed({program!r})", cache)
            warm = min((in_process(f"timed({program!r})", cache) for _ in range(3)), key=lambda r: r["seconds"])
        out += [Row(f"{program}_cold", cold["seconds"], "s"), Row(f"{program}_warm", warm["seconds"], "s")]
        out += [Row(f"{program}_{name}", cold[name], "") for name in ("ops", "launches", "kernels")]
    return [*out, *kernel_rows()]


def kernel_rows() -> list[Row]:
    """The best of three processes, each with an empty cache."""
    found: list[dict[str, float]] = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            found.append(in_process("kernels()", cache))
    return [Row(f"{name}_cold", min(times[name] for times in found), "ms") for name in KERNELS]

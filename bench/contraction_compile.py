"""How long one contraction takes to compile: with nothing on disk, and again in another process with a filled cache.

Both processes have compiled something else before, so imports do not count; passes, LLVM and tracing do.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from .results import Row


def timed(repeats: int) -> dict[str, float]:
    """Milliseconds by problem: the median of so many compilations in this process."""
    from .contraction_cases import conv, matmul, shape
    from .problems import Problem, compiled

    problems = {f"mm_{shape(s)}": matmul(s) for s in ((128, 128, 128), (512, 768, 3072), (509, 1021, 253))}
    problems |= {"mm_1024x1024x1024_nt": matmul((1024, 1024, 1024), text="mk,nk->mn")}
    problems |= {"conv3x3_64x56": conv(64, 56, 64, 3), "conv7x7s2_3x224": conv(3, 224, 64, 7, stride=2)}
    other = [Problem("einsum", ((8, 16), (16, 8)), "mk,kn->mn"), conv(4, 8, 4, 3)]
    for p in other:
        compiled(p, p.arrays())
    found: dict[str, float] = {}
    for name, p in problems.items():
        arrays, times = p.arrays(), list[float]()
        for _ in range(repeats):
            start = time.perf_counter()
            compiled(p, arrays)
            times.append(time.perf_counter() - start)
        found[name] = statistics.median(times) * 1e3
    return found


def in_process(cache: str, repeats: int) -> dict[str, float]:
    code = f"import json; from bench.contraction_compile import timed; print(json.dumps(timed({repeats})))"
    environment = {**os.environ, "MLC_CACHE_DIR": cache}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout)


def compile_rows() -> list[Row]:
    """The slowest problem of each."""
    with tempfile.TemporaryDirectory() as cache:
        cold, cached = in_process(cache, 1), in_process(cache, 5)
    return [
        Row(name, max(found.values()), "ms", note="  ".join(f"{k} {ms:.1f}" for k, ms in found.items()))
        for name, found in (("compile_cold", cold), ("compile_cached", cached))
    ]

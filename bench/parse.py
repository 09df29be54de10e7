"""A StableHLO program of 50,000 lines, the transformer of `bench.transformer_text`: from its text to kernels, cold.

The measured process reads the text, verifies it and runs the passes down to the vector level, where every kernel is
loops over registers and memory; it has no disk cache and imports count. Prints seconds by phase and the peak memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .results import Row
from .transformer_text import Sizes, text

PHASES = ("start", "parse", "verify", "import", "tensor", "fuse", "kernels")


def measured(path: str) -> dict[str, Any]:
    """Seconds by phase and by pass, MiB at most, ops; run in a process of its own."""
    start = time.perf_counter()
    from mlc.compiler.collecting import seldom
    from mlc.compiler.driver import Options, passes_of, run
    from mlc.compiler.parsing import parse_module
    from mlc.compiler.verify import verify

    seconds = dict.fromkeys(PHASES, 0.0)
    seconds["start"], start = time.perf_counter() - start, time.perf_counter()
    with seldom():  # as in every tool
        module = parse_module(Path(path).read_text(), "transformer.mlir")
        seconds["parse"], start = time.perf_counter() - start, time.perf_counter()
        verify(module)
        seconds["verify"] = time.perf_counter() - start
        ops = sum(1 for _ in module.walk())
        passes = run(module, passes_of("vector"), Options(verify_input=False, verify_each=False)).rows
    names = [name.partition("{")[0] for name, _ in passes]
    fused = names.index("graph-fuse")
    lowered = names.index("nd-to-loop")
    for k, (name, spent) in enumerate(passes):
        phase = "import" if name.startswith("stablehlo-to-nd") else "tensor" if k < fused else "fuse"
        seconds["kernels" if k >= lowered else phase] += spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "passes": passes, "peak": peak, "ops": ops}


def in_process(sizes: Sizes) -> tuple[int, dict[str, Any]]:
    """Lines of the text, and what a fresh process measures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "transformer.mlir"
        path.write_text(written := text(sizes))
        code = f"import json; from bench.parse import measured; print(json.dumps(measured({str(path)!r})))"
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return written.count("\n"), json.loads(run.stdout)


def rows() -> list[Row]:
    lines, found = in_process(Sizes())
    seconds = found["seconds"]
    out = [Row("parse_lines", lines, ""), Row("parse_ops", found["ops"], "")]
    out += [Row(f"parse_{phase}", seconds[phase], "s") for phase in PHASES]
    out += [Row("parse_total", sum(seconds.values()), "s"), Row("parse_peak", found["peak"], "MiB")]
    return out

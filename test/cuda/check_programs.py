"""Programs on a real GPU, by hand: python test/cuda/check_programs.py [--only suite,random,digits,kernels] [--fake]

    suite     the programs of bench/suite, against what mlc computes on the CPU, by their tolerances
    random    random graphs, against the interpreter
    digits    the example trains to the same accuracy on the CPU and on the GPU
    kernels   a handful of kernels of odd sizes, against the interpreter, in this process alone

One table; exit code 1 if a result is wrong. Memory of calls is poisoned, no program comes from the cache. `--sanitize`
is `--only kernels` with small arrays:

    compute-sanitizer --tool memcheck python test/cuda/check_programs.py --sanitize

`--fake` compiles for the CPU instead, which needs no GPU, to check the script itself.
"""

# pyright: basic

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "python"), str(ROOT)]
os.environ |= {"MLC_POISON": "1", "MLC_CACHE": "0"}
os.environ.pop("MLC_TARGET", None)

import ml_dtypes  # noqa: E402
import mlc  # noqa: E402
import mlc.numpy as mnp  # noqa: E402
import numpy as np  # noqa: E402
from mlc import nn  # noqa: E402
from mlc.runtime.matching import EXACT, assert_matches, program_tolerance  # noqa: E402

CLOSE = 0.0056
"""Two of the 360 digits that are tested."""


@dataclass(frozen=True)
class Found:
    """One line of the table."""

    name: str
    good: bool
    what: str
    wrong_numbers: bool = False

    def __str__(self) -> str:
        return f"{self.name:34} {'ok' if self.good else 'WRONG':5} {self.what}"[:160]


def guarded(name: str, check: Callable[[], str]) -> Found:
    """What a check says of itself, or why it did not end well."""
    try:
        return Found(name, True, check())
    except Exception as error:
        text = " | ".join(str(error).splitlines())
        numbers = isinstance(error, AssertionError)
        return Found(name, False, text if numbers else f"{type(error).__name__}: {text}", numbers)


def listed(found: Any) -> list[Any]:
    return [np.asarray(x) for x in (found if isinstance(found, tuple) else (found,))]


def compare(got: list[Any], want: list[Any], tolerance: Any) -> str:
    """The largest distance, as a share of the largest magnitude; AssertionError where one is too large."""
    assert len(got) == len(want), f"expected {len(want)} results, found {len(got)}"
    far = 0.0
    for k, (g, w) in enumerate(zip(got, want)):
        try:
            assert_matches(tolerance if w.dtype.kind not in "biu" else EXACT, g, w)
        except AssertionError as error:
            raise AssertionError(f"result {k}: {error}") from None
        with np.errstate(all="ignore"):
            size = np.max(np.abs(np.nan_to_num(w.astype("f8"))), initial=0)
            off = np.nan_to_num(g.astype("f8") - w.astype("f8"))
            far = max(far, float(np.max(np.abs(off), initial=0) / max(size, 1e-30)))
    return f"error {far:.1e}"


# ---- whole programs
def of_the_suite(name: str, target: str) -> Found:
    from bench.suite.programs import PROGRAMS

    program = PROGRAMS[name]

    def check() -> str:
        inputs = program.inputs(seed=1)
        want = listed(mlc.compile(program.path, target="cpu")(*inputs))
        start = time.perf_counter()
        exe = mlc.compile(program.path, target=target)
        took = time.perf_counter() - start
        text = ""
        for _ in range(3):  # the third is the recorded graph
            text = compare(listed(exe(*inputs)), want, program.tolerance(inputs))
        return f"{text}  {len(exe.report()['kernels'])} kernels, compiled in {took:.2f} s"

    return guarded(name, check)


def random_graph(number: int, text: str, target: str) -> Found:
    from mlc.compiler.compile import compile_module
    from mlc.compiler.options import options_of
    from mlc.compiler.parsing import parse_module
    from mlc.compiler.transforms.jvp import entry
    from mlc.runtime.interpreter import Interpreter
    from op_cases import values

    def check() -> str:
        module = parse_module(text, f"random_{number}")
        inputs = values(entry(module, "main").function_type.inputs.data)
        want = [np.asarray(x) for x in Interpreter(module).call("main", *inputs)]
        tolerance = program_tolerance(module, inputs)
        exe = compile_module(module.clone(), options=options_of(target=target))
        return [compare(listed(exe(*inputs)), want, tolerance) for _ in range(3)][-1]

    return guarded(f"random graph {number}", check)


def graphs(count: int) -> list[str]:
    """So many different programs, the same ones each time."""
    from hypothesis import HealthCheck, Phase, given, settings
    from test_random_programs import programs

    found: dict[str, None] = {}
    how: Any = {"derandomize": True, "deadline": None, "database": None, "phases": [Phase.generate]}

    @settings(max_examples=2 * count, suppress_health_check=list(HealthCheck), **how)
    @given(programs())
    def draw(text: str) -> None:
        if len(found) < count:
            found[text] = None

    draw()
    return list(found)


BAR = """
class tqdm:
    n = 1
    def __init__(self, items, **_): self.items = items
    def __iter__(self): return iter(self.items)
"""
"""For the example, where its progress bar is not installed."""


def digits(target: str, folder: str) -> Iterator[Found]:
    accuracies: dict[str, float] = {}
    if find_spec("tqdm") is None:
        Path(folder, "tqdm.py").write_text(BAR)
    for where in ("cpu", target):
        command = [sys.executable, str(ROOT / "examples" / "train_digits.py"), "--quiet", "--target", where]
        paths = os.pathsep.join(filter(None, (str(ROOT / "python"), folder, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "MLC_POISON": "0", "MLC_CACHE": "1", "PYTHONPATH": paths}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        match = re.search(r"accuracy ([\d.]+)", done.stdout)
        if match is None:
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            yield Found(f"digits, {where}", False, last)
            continue
        accuracies[where] = float(match[1])
        good = abs(accuracies[where] - accuracies.get("cpu", 2)) <= CLOSE and accuracies[where] >= 0.96
        yield Found(f"digits, {where}", good, ", ".join(done.stdout.strip().splitlines()))


# ---- kernels
Kernel = tuple[str, Callable[..., Any], list[Any]]


def kernels(small: bool) -> Iterator[Kernel]:
    """Sizes that no tile divides; `small`: for tools that make a kernel a hundred times slower."""
    rng = np.random.default_rng(3)
    k = 1 if small else 4
    bf16: Any = ml_dtypes.bfloat16

    def normal(*shape: int, dtype: Any = np.float32) -> Any:
        return rng.standard_normal(shape).astype(dtype)

    yield "softmax", nn.softmax, [normal(19 * k, 1000)]
    yield "softmax, long rows", nn.softmax, [normal(3 * k, 20001)]
    yield "layer norm", nn.layer_norm, [normal(17 * k, 4099), normal(4099), normal(4099)]
    yield "row sum", lambda x: mnp.sum(x, axis=1), [normal(37 * k, 3001)]
    yield "column sum", lambda x: mnp.sum(x, axis=0), [normal(3001, 77 * k)]
    yield "column max, bf16", lambda x: mnp.max(x, axis=0), [normal(701, 130 * k, dtype=bf16)]
    yield "sum of all", lambda x: mnp.sum(x * x), [normal(100003 * k)]
    yield "argmax", lambda x: x.argmax(1), [normal(37 * k, 1001)]
    yield "elementwise, transposed", lambda x, y: mnp.tanh(x) + y.T, [normal(131 * k, 67), normal(67, 131 * k)]
    for dtype, name in ((bf16, "bf16"), (np.float32, "f32"), (np.float16, "f16")):
        for m, n, d in ((129 * k, 201, 67), (64 * k, 128, 96), (1, 257, 300 * k)):
            yield f"matmul {name} {m}x{n}x{d}", mnp.matmul, [normal(m, d, dtype=dtype), normal(d, n, dtype=dtype)]
        turned = lambda a, b: mnp.matmul(a.T, b.T)
        yield f"matmul {name}, transposed", turned, [normal(200, 136 * k, dtype=dtype), normal(72, 200, dtype=dtype)]
    yield (
        "matmul bf16, batched, gelu",
        lambda a, b: nn.gelu(a @ b),
        [normal(3, 65, 72, dtype=bf16) for _ in "a"] + [normal(3, 72, 80, dtype=bf16)],
    )
    yield "convolution", lambda x, w: nn.conv(x, w, padding=1), [normal(2, 19, 23, 5), normal(3, 3, 5, 7)]
    yield "sort", lambda x: mnp.sort(x, axis=1), [normal(13 * k, 1003)]
    yield "argsort, columns", lambda x: mnp.argsort(x, axis=0), [normal(77, 33 * k)]
    places = rng.integers(0, 301, 1000 * k)
    yield "gather", lambda x, i: mnp.take(x, i, axis=0), [normal(301, 33), places]
    yield "scatter, add", lambda x, i, y: x.at[i].add(y), [normal(301, 9), places, normal(1000 * k, 9)]
    yield "scatter, set", lambda x, i, y: x.at[i].set(y), [normal(301), places, normal(1000 * k)]
    yield "cumulative sum", lambda x: mnp.cumulative_sum(x, axis=1), [normal(9 * k, 4099)]
    yield "scan", lambda x: mlc.scan(lambda c, y: (c * 0.5 + y, c + y), x[0], x)[1], [normal(33, 65 * k)]


def kernel(name: str, fn: Callable[..., Any], inputs: list[Any], target: str) -> Found:
    from mlc.compiler.parsing import parse_module
    from mlc.compiler.transforms.jvp import entry
    from mlc.runtime.interpreter import Interpreter

    def check() -> str:
        exe = mlc.compile(fn, *inputs, target=target)
        module = parse_module(exe.mlir("nd"), name)
        main = entry(module, exe.options.entry).sym_name.data
        want = [np.asarray(x) for x in Interpreter(module).call(main, *inputs)]
        tolerance = program_tolerance(module, inputs, main)
        return [compare(listed(exe(*inputs)), want, tolerance) for _ in range(3)][-1]

    return guarded(name, check)


# ---- the table
SPAWN = get_context("spawn")
MOST = 20
"""Checks that get another process."""


def result(task: tuple[Any, ...], done: Future[Found]) -> Found:
    try:
        return done.result()
    except BrokenProcessPool:
        return Found(f"{task[0].__name__} {task[1]}", False, "its process has died")


def again(task: tuple[Any, ...]) -> Found:
    """In a process of its own: one whose context is lost fails ever after."""
    with ProcessPoolExecutor(1, SPAWN) as pool:
        return result(task, pool.submit(*task))


def checked(options: argparse.Namespace, target: str) -> Iterator[Found]:
    only = options.only.split(",")
    if "kernels" in only:
        for name, fn, inputs in kernels(options.sanitize):
            yield kernel(name, fn, inputs, target)
    if "suite" in only or "random" in only:
        work: list[tuple[Any, ...]] = []
        fresh = 0
        if "suite" in only:
            from bench.suite.programs import PROGRAMS

            work += [(of_the_suite, name, target) for name in PROGRAMS]
        if "random" in only:
            work += [(random_graph, k, text, target) for k, text in enumerate(graphs(options.count))]
        with ProcessPoolExecutor(options.jobs, SPAWN) as pool:
            for task, done in [(task, pool.submit(*task)) for task in work]:
                found = result(task, done)
                if not found.good and not found.wrong_numbers and fresh < MOST:
                    fresh += 1
                    found = again(task)
                yield found
    if "digits" in only:
        with tempfile.TemporaryDirectory() as folder:
            yield from digits(target, folder)


def table(rows: Iterable[Found]) -> int:
    """Random graphs have one line together, and one each if they are wrong."""
    good = wrong = drawn = 0
    for row in rows:
        good, wrong = good + row.good, wrong + (not row.good)
        drawn += row.name.startswith("random") and row.good
        if not (row.name.startswith("random") and row.good):
            print(row, flush=True)
    if drawn:
        print(f"{drawn} random graphs are right")
    print(f"{good} right, {wrong} wrong")
    return 1 if wrong or not good else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="kernels,suite,digits,random", metavar="A,B", help="these parts")
    parser.add_argument("--count", type=int, default=300, metavar="N", help="of random graphs")
    parser.add_argument("--jobs", type=int, default=min(14, os.cpu_count() or 1), metavar="N", help="processes")
    parser.add_argument("--sanitize", action="store_true", help="only the kernels, with small arrays")
    parser.add_argument("--fake", action="store_true", help="for the CPU")
    options = parser.parse_args()
    if options.sanitize:
        options.only = "kernels"
    return table(checked(options, "cpu" if options.fake else "cuda"))


if __name__ == "__main__":
    sys.exit(main())

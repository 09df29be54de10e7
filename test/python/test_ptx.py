"""LLVM IR to PTX: every row of the emission's table on every type, failures of the code generator, its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlc.dialects.errors import CompileError
from mlc.lowering.emit.table import TABLE, Types, prepare
from mlc.lowering.emit.text import vector_of
from mlc.runtime import cache, ptx

FLOATS, INTEGERS = ("half", "bfloat", "float", "double"), ("i1", "i8", "i16", "i32", "i64")
Case = tuple[tuple[str, ...], str]
"""Types of operands and of the result."""


def same(count: int, kinds: tuple[str, ...]) -> list[Case]:
    return [((kind,) * count, kind) for kind in kinds]


def wider(kinds: tuple[str, ...], up: bool) -> list[Case]:
    pairs = [(a, b) for i, a in enumerate(kinds) for b in kinds[i + 1 :] if (a, b) != ("half", "bfloat")]
    return [((a,), b) if up else ((b,), a) for a, b in pairs]


UNARY = ("negf", "absf", "absi", "ctpop", "ctlz", "sqrt", "rsqrt", "floor", "ceil", "trunc", "round", "roundeven")
CASES: dict[str, list[Case]] = {
    "arith.cmpf": [((k, k), "i1") for k in FLOATS],
    "arith.cmpi": [((k, k), "i1") for k in INTEGERS],
    "arith.select": [(("i1", k, k), k) for k in FLOATS + INTEGERS],
    "arith.sitofp": [((a,), b) for a in INTEGERS for b in FLOATS],
    "arith.uitofp": [((a,), b) for a in INTEGERS for b in FLOATS],
    "arith.fptosi": [((a,), b) for a in FLOATS for b in INTEGERS],
    "arith.fptoui": [((a,), b) for a in FLOATS for b in INTEGERS],
    "arith.extf": wider(FLOATS, True),
    "arith.truncf": wider(FLOATS, False),
    "arith.extsi": wider(INTEGERS, True),
    "arith.extui": wider(INTEGERS, True),
    "arith.trunci": wider(INTEGERS, False),
    "arith.bitcast": [
        ((a,), b)
        for a, b in (("float", "i32"), ("i64", "double"), ("half", "i16"), ("i16", "bfloat"), ("bfloat", "half"))
    ],
    "arith.index_cast": [((k,), "i64") for k in INTEGERS[:4]] + [(("i64",), k) for k in INTEGERS[:4]],
    "arith.index_castui": [((k,), "i64") for k in INTEGERS[:4]] + [(("i64",), k) for k in INTEGERS[:4]],
}


def cases_of(name: str) -> list[Case]:
    if name in CASES:
        return CASES[name]
    short = name.split(".")[1]
    real = short.endswith("f") or short == "fma" or (name.startswith("math.") and short not in UNARY[2:5])
    kinds = FLOATS if real else INTEGERS[1:]
    return same(3 if short == "fma" else 1 if short in UNARY else 2, kinds)


def module_of(name: str) -> str:
    """A function for each type and for scalars and vectors; i1 is a byte in memory."""
    declarations: dict[str, None] = {}
    functions: list[str] = []
    for number, (operands, result) in enumerate(cases_of(name)):
        for width in (0, 4):
            predicate = "olt" if name == "arith.cmpf" else "slt"
            flags = " contract" if operands[-1] in FLOATS else ""
            second = operands[min(1, len(operands) - 1)]
            row = prepare(name, Types(operands[0], second, result, width, width, flags, predicate), True)
            declarations |= dict.fromkeys(row.declarations)
            typed = lambda kind, width=width: vector_of(kind, width) if width else kind
            lines: list[str] = []
            values = [f"%x{i}" for i in range(len(operands))]
            for i, kind in enumerate(operands):
                stored = "i8" if kind == "i1" else kind
                lines.append(f"%p{i} = getelementptr i8, ptr %a, i64 {64 * i}")
                lines.append(f"%{'m' if kind == 'i1' else 'x'}{i} = load {typed(stored)}, ptr %p{i}, align 1")
                if kind == "i1":
                    lines.append(f"%x{i} = trunc {typed('i8')} %m{i} to {typed('i1')}")
            for i, line in enumerate(row.lines):
                lines.append(f"%r{i} = {line.format(*values)}")
                values.append(f"%r{i}")
            found, stored = values[-1], result
            if result == "i1":
                lines.append(f"%out = zext {typed('i1')} {found} to {typed('i8')}")
                found, stored = "%out", "i8"
            lines.append(f"store {typed(stored)} {found}, ptr %o, align 1")
            head = f"define ptx_kernel void @k{number}_{width}(ptr noalias %a, ptr noalias %o) {{"
            functions.append("\n  ".join([head, *lines, "ret void"]) + "\n}")
    return "\n".join([*sorted(declarations), *functions])


@pytest.mark.parametrize("sm", ["sm_70", "sm_90a"])
def test_every_row_has_instructions(sm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the oldest architecture, and for one with all float types."""
    monkeypatch.setenv("MLC_CACHE", "0")
    for name in TABLE:
        text = ptx.ptx(module_of(name), sm, level=1)
        assert text.count(".visible .entry") == 2 * len(cases_of(name)), name


def test_products_and_quotients_are_exact() -> None:
    """ptxas may join a multiplication and an addition that have no rounding of their own."""
    text = ptx.ptx(
        """define ptx_kernel void @k(ptr noalias %a, float %y, float %z) {
          %x = load float, ptr %a
          %m = fmul float %x, %y
          %s = fadd float %m, %z
          %q = fdiv float %s, %y
          %r = call float @llvm.sqrt.f32(float %q)
          store float %r, ptr %a
          ret void
        }
        declare float @llvm.sqrt.f32(float)""",
        "sm_80",
    )
    for wanted in ("mul.rn.f32", "add.rn.f32", "div.rn.f32", "sqrt.rn.f32"):
        assert wanted in text
    assert "ftz" not in text


BODY = "define ptx_kernel void @k(ptr %a) {{ store {0}, ptr %a\n ret void }}"


def test_versions_are_the_lowest() -> None:
    for sm, version in (("sm_70", "6.0"), ("sm_80", "7.0"), ("sm_90a", "8.0"), ("sm_100a", "8.6"), ("sm_120a", "8.7")):
        text = ptx.ptx(BODY.format("i32 1"), sm)
        assert f".version {version}\n.target {sm}\n" in text
    for sm in ptx.VERSIONS:
        assert f".target {sm}\n" in ptx.ptx(BODY.format("i32 1"), sm)


def test_an_unknown_architecture() -> None:
    with pytest.raises(CompileError, match=r"expected an architecture of sm_70, .*, found 'sm_12'"):
        ptx.ptx(BODY.format("i32 1"), "sm_12")


UNSELECTABLE = """define ptx_kernel void @k(ptr %a, float %x) {
  %y = call float @llvm.tanh.f32(float %x)
  store float %y, ptr %a
  ret void
}
declare float @llvm.tanh.f32(float)
"""
CALLING = UNSELECTABLE.replace("llvm.tanh.f32", "tanhf")


def test_what_llvm_cannot_select(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM ends its process: the error has its words and a file for `llc`, and the next module is compiled."""
    monkeypatch.setenv("MLC_CRASH_DIR", str(tmp_path))
    with pytest.raises(ptx.GeneratorError, match="LLVM for sm_80: ") as caught:
        ptx.ptx(UNSELECTABLE, "sm_80")
    assert "LLVM ERROR" in str(caught.value) and "tanh" in str(caught.value)
    (file,) = tmp_path.iterdir()
    assert f"reproducer: {file}" in str(caught.value)
    assert file.read_text().startswith("; llc -mtriple=nvptx64-nvidia-cuda -mcpu=sm_80 -mattr=+ptx70 -O3\n")
    assert file.read_text().endswith(UNSELECTABLE)
    assert ".entry k" in ptx.ptx(BODY.format("i32 2"), "sm_80")


def test_a_process_that_somebody_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the module's fault, which is compiled by the next process."""
    monkeypatch.setenv("MLC_CACHE", "0")
    ptx.start()
    process = ptx._PROCESS.process
    process.kill()
    assert "1004" in ptx.ptx(BODY.format("i32 1004"), "sm_80")
    ptx._PROCESS.process.send_signal(signal.SIGSTOP)  # it dies with the request in its input
    threading.Timer(0.2, ptx._PROCESS.process.kill).start()
    assert "1005" in ptx.ptx(BODY.format("i32 1005"), "sm_80")


def test_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE", "0")
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: ptx.ptx(BODY.format(f"i32 {n}"), "sm_80"), range(2000, 2032)))
    assert all(str(n) in text for n, text in zip(range(2000, 2032), texts, strict=True))


def test_calls_and_wrong_text_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CRASH_DIR", str(tmp_path))
    with pytest.raises(ptx.GeneratorError, match="functions that a GPU has not: tanhf"):
        ptx.ptx(CALLING, "sm_80")
    with pytest.raises(ptx.GeneratorError, match="expected top-level entity"):
        ptx.ptx("what", "sm_80")


def test_the_disk_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE", "1")
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))
    text = BODY.format("i32 3")
    first = ptx.ptx(text, "sm_80")
    monkeypatch.setattr(ptx, "_PROCESS", None)
    assert ptx.ptx(text, "sm_80") == first
    assert [e.name.split("-")[0] for e in cache.entries(tmp_path)] == ["ptx"]
    with pytest.raises(AttributeError):
        ptx.ptx(text, "sm_90a")


def _in_fork(number: int, out: multiprocessing.connection.Connection) -> None:
    out.send(ptx.ptx(BODY.format(f"i32 {number}"), "sm_80"))
    out.close()


@pytest.mark.own_process
def test_a_fork_has_a_process_of_its_own() -> None:
    ptx.ptx(BODY.format("i32 4"), "sm_80")
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_in_fork, args=(1001, there))
    child.start()
    text = ptx.ptx(BODY.format("i32 1002"), "sm_80")
    assert "1001" in here.recv() and "1002" in text
    child.join()
    assert child.exitcode == 0
    assert "1003" in ptx.ptx(BODY.format("i32 1003"), "sm_80")


def test_the_process_ends_with_the_interpreter() -> None:
    code = (
        f"from mlc.runtime import ptx; ptx.ptx({BODY.format('i32 5')!r}, 'sm_80'); "
        "print(ptx._PROCESS.process.pid, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "MLC_CACHE": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)

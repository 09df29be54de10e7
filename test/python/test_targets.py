"""The same programs at every width of vectors and for one and two threads; conversions that a CPU may lack."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import ml_dtypes
import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc import nn
from mlc.compiler.machine import Machine, detect
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import Tolerance
from mlc.runtime import jit, soft_float
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=64, sums=64, scale=1)

R = np.random.default_rng(11)
X86 = any(f in jit.host()[1] for f in ("+sse2", "+sse"))


def program(x: Any, y: Any) -> Any:
    return (
        nn.softmax(mnp.tanh(x @ y)),
        mnp.exp(x).sum(0),
        x.T * 2.0,
        x.argmax(1),
        (x > 0).any(1),
        x.astype("float16").astype("float32"),
        mnp.sort(x, axis=1)[:, ::-1],
    )


def reference(x: Any, y: Any) -> Any:
    e = np.exp(np.tanh(x @ y))
    return (
        e / e.sum(-1, keepdims=True),
        np.exp(x).sum(0),
        x.T * np.float32(2),
        x.argmax(1),
        (x > 0).any(1),
        x.astype("f2").astype("f4"),
        np.sort(x, axis=1)[:, ::-1],
    )


def test_programs_mean_the_same(target: tuple[int, int]) -> None:
    x, y = R.standard_normal((67, 131)).astype("f4"), R.standard_normal((131, 45)).astype("f4")
    exe = mlc.compile(program, x, y)
    assert exe.options.threads == target[1]
    assert (exe.program.threads == 2) == (target[1] == 2)
    for got, want in zip(exe(x, y), reference(x, y), strict=True):
        assert_matches(NEAR, got, want)


def test_symbolic_programs_mean_the_same(target: tuple[int, int]) -> None:
    exe = mlc.compile(lambda x: (nn.softmax(x) * 2.0, x.sum(0)), mlc.spec(("n", "m")))
    for shape in ((1, 1), (3, 70), (40, 5), (0, 4)):
        x = R.standard_normal(shape).astype("f4")
        e = np.exp(x)
        for got, want in zip(exe(x), (2 * e / e.sum(-1, keepdims=True), x.sum(0))):
            assert_matches(NEAR, got, want)


@pytest.mark.skipif(not X86, reason="registers of x86")
@pytest.mark.parametrize("width", [16, 32, 64])
def test_registers_are_no_wider(width: int) -> None:
    x, y = np.ones((67, 131), "f4"), np.ones((131, 45), "f4")
    text = mlc.compile(program, x, y, vector_bytes=width).assembly()
    wide = {16: r"%[yz]mm", 32: r"%zmm", 64: r"%none"}[width]
    assert not re.search(wide, text)
    assert width > detect().vector_bytes or re.search({16: "%xmm", 32: "%ymm", 64: "%zmm"}[width], text)


OLDER = {
    "x86-64": (128, r"%[yz]mm|\b(v\w+|pmulld|pmovsx\w+|roundps|blendvps|pshufb|pextrd|pmaxsd)\s"),
    "x86-64-v2": (128, r"%[yz]mm|\bv\w+\s"),
    "x86-64-v3": (256, r"%zmm|%[xy]mm(1[6-9]|[23]\d)|\{%k"),
}
"""CPUs: bits of their vectors, and what their code must not hold."""


def narrow(x: Any, y: Any, z: Any) -> Any:
    return (
        x @ y,
        *((x.astype(kind) @ y.astype(kind)).astype("float32") for kind in ("float16", "bfloat16")),
        x.astype("int8").astype("int32") @ y.astype("int8").astype("int32"),
        *(z.astype(kind).astype("float32") for kind in ("float16", "bfloat16")),
        z.astype("float32").astype("bfloat16").astype("float16").astype("float64"),
        mnp.clip(z, -100, 100).astype("int8"),
        mnp.floor(z.astype("float32")).max(1),
    )


@pytest.mark.skipif(not X86, reason="CPUs of x86")
@pytest.mark.parametrize("cpu", OLDER)
def test_contractions_and_conversions_of_older_cpus(cpu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers, so that sums are exact in every order; 13 rows and 21 columns fill no tile."""
    bits, foreign = OLDER[cpu]
    monkeypatch.setenv("MLC_CACHE", "0")
    monkeypatch.setenv("MLC_VECTOR_BITS", str(bits))
    monkeypatch.setattr(jit, "host", lambda: (cpu, ""))
    x, y = R.integers(-3, 4, (13, 67)).astype("f4"), R.integers(-3, 4, (67, 21)).astype("f4")
    z = R.standard_normal((5, 13)) * 10.0 ** R.integers(-6, 7, (5, 13))
    compiled = mlc.compile(narrow, x, y, z)
    assert not re.search(foreign, compiled.assembly())
    half, bfloat, exact = np.float16, ml_dtypes.bfloat16, x @ y
    with np.errstate(all="ignore"):
        single = z.astype("f4")
        wanted = [exact, exact, exact.astype(bfloat), exact, exactly(z, "half"), exactly(z, "bfloat")]
        wanted += [exactly(single, "bfloat").astype(half), np.clip(z, -100, 100).astype("i1"), np.floor(single).max(1)]
    assert exact.astype(half).astype("f4").tolist() == exact.tolist()
    for got, want in zip(compiled(x, y, z), wanted, strict=True):
        np.testing.assert_array_equal(got, want.astype(got.dtype))


def test_widths_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CompileError, match="vector_bytes: expected 16, 32 or 64, found 8"):
        mlc.compile(lambda x: x + 1, np.ones(3, "f4"), vector_bytes=8)
    monkeypatch.setenv("MLC_VECTOR_BITS", "96")
    with pytest.raises(CompileError, match="MLC_VECTOR_BITS: expected 128, 256 or 512, found 96"):
        Machine.host()


TYPES = {"half": np.float16, "bfloat": ml_dtypes.bfloat16, "float": np.float32, "double": np.float64}
CONVERSIONS = [("half", "float"), ("float", "half"), ("double", "half"), ("float", "bfloat"), ("double", "bfloat")]


@pytest.mark.parametrize(("source", "to"), CONVERSIONS)
def test_conversions_without_instructions(source: str, to: str) -> None:
    """Called through a loop, as compiled code calls them."""
    name = {"half": "hf", "bfloat": "bf", "float": "sf", "double": "df"}
    function = f"__{'extend' if to == 'float' else 'trunc'}{name[source]}{name[to]}2"
    text = f"""
declare {to} @{function}({source})
define void @f(ptr %x, ptr %y, i64 %n) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %ax = getelementptr {source}, ptr %x, i64 %i
  %ay = getelementptr {to}, ptr %y, i64 %i
  %vx = load {source}, ptr %ax
  %vy = call {to} @{function}({source} %vx)
  store {to} %vy, ptr %ay
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}"""
    linked = jit.Linked([jit.compile_object(text)])
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(linked.address("f"))
    every = np.arange(65536, dtype=np.uint16).view(TYPES["half" if source == "half" else to])
    with np.errstate(all="ignore"):
        x = every if source == "half" else samples(every.astype(np.float64), source)
        want = exactly(x, to)
    got = np.empty(x.shape, TYPES[to])
    call(x.ctypes.data, got.ctypes.data, x.size)
    same = (got.view(f"u{got.itemsize}") == want.view(f"u{want.itemsize}")) | (np.isnan(got) & np.isnan(want))
    assert same.all(), (x[~same][:3], got[~same][:3], want[~same][:3])


def samples(values: Any, source: str) -> Any:
    """All values of the narrow type, the points half way between them, points beside those, and far ones."""
    finite = np.sort(values[np.isfinite(values)])
    middle = (finite[1:] + finite[:-1]) / 2
    near = 1 + (2.0**-40 if source == "double" else 2.0**-20)
    far = [1e30, -1e30, 1e-30, np.inf, -np.inf, np.nan, 0.0, -0.0, 2.0**-25, 65519.99, 65520.0]
    return np.concatenate([values, middle, middle * near, middle / near, far]).astype(TYPES[source])


def exactly(x: Any, to: str) -> Any:
    """Rounded once: the nearer of both neighbours, the even one of equals."""
    if to == "float":
        return x.astype(np.float32)
    if to == "half":
        return x.astype(np.float16)
    wide = x.astype(np.float64)
    low = (wide.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    # Of a double the f32 may have been rounded up to the next bf16 already.
    low = low - (np.abs(bf16(low)) > np.abs(wide)).astype(np.uint16)
    high = low + np.uint16(1)
    below, size = np.abs(bf16(low)), np.abs(wide)
    above = np.where(np.isinf(bf16(high)), 2.0**128, np.abs(bf16(high)))
    up = (above - size < size - below) | ((above - size == size - below) & (low & 1 == 1))
    bits = np.where(np.isinf(wide), low, np.where(up, high, low))
    return np.where(np.isnan(wide), 0x7FC0, bits).astype(np.uint16).view(ml_dtypes.bfloat16)


def bf16(bits: Any) -> Any:
    return bits.view(ml_dtypes.bfloat16).astype(np.float64)


def test_the_functions_are_named_once() -> None:
    assert set(soft_float.NAMES) == set(re.findall(r"define \w+ @(__\w+)", soft_float.TEXT))


FAR = """
@table = constant [4 x float] [float 1.0, float 2.0, float 3.0, float 4.0]
declare void @given(ptr)
define void @own(ptr %x) {
  ret void
}
define <4 x float> @f(<4 x float> %x) {
  call void @given(ptr @own)
  call void @own(ptr @table)
  %y = fadd <4 x float> %x, <float 1.5, float 2.25, float 3.75, float 4.125>
  ret <4 x float> %y
}
"""


@pytest.mark.parametrize("level", [jit.OPTIMISATION, jit.QUICK])
def test_code_for_arm_reaches_every_address(level: int) -> None:
    """Neither addresses nor literals are relative to the code, and no tables describe it."""
    text = jit.assembly(FAR, "generic", "", "aarch64-unknown-linux-gnu", level=level)
    assert not re.search(r"\badrp?\b|:got|\.cfi", text) and text.count("movk") == 3 * 3

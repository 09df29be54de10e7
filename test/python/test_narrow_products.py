"""Products of bytes and of bf16 by instructions that add several, and weights of four bits: the numbers of NumPy.

Bytes are compared bit for bit, at their ends above all. Which instructions a machine has is described; they run where
the host has them, and the same IR is multiplied one by one where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import ml_dtypes
import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc import nn
from mlc.compiler import driver
from mlc.compiler.machine import Machine, detect
from mlc.compiler.native import run_kernel
from mlc.compiler.parsing import parse_module
from mlc.compiler.registry import build
from mlc.compiler.spec import parse_pipeline
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import Tolerance
from mlc.lowering.emit.contract import runnable
from mlc.runtime import jit
from mlc.runtime.matching import assert_matches
from xdsl.dialects.func import FuncOp

Array = np.ndarray[Any, Any]
EXACT = Tolerance()
NEAR = Tolerance(ulp=4, sums=64)
FORMS = ("mk,kn->mn", "km,kn->mn", "mk,nk->mn", "km,nk->mn", "bmk,bkn->bmn", "mk,kn->nm", "mjk,jkn->mn", "bmk,kn->bmn")
SIZES = (
    {"m": 40, "k": 64, "n": 70, "b": 3, "j": 3},
    {"m": 7, "k": 12, "n": 33, "b": 2, "j": 2},
    {"m": 9, "k": 13, "n": 20, "b": 2, "j": 2},
)
"""Whole tiles and rests; rests shorter than a vector; sums that are no multiple of what an instruction adds."""
SIGNS = {"u8s8": "vpdpbusd", "s8s8": ""}


@pytest.fixture(params=["u8s8", "s8s8"])
def signs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    describe(tmp_path, monkeypatch, int8_dot=request.param)
    return request.param


def describe(folder: Path, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """The host, but for some fields."""
    lines = [line for line in detect().text().splitlines() if line.split(" = ")[0] not in fields]
    lines += [f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in fields.items()]
    path = folder / "machine.toml"
    path.write_text("\n".join(lines).replace("'", '"'))
    monkeypatch.setenv("MLC_MACHINE", str(path))


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Bytes of which a quarter are the least or the greatest, or normal numbers."""
    if dtype == "bfloat16":
        return rng.standard_normal(shape).astype(ml_dtypes.bfloat16)
    ends = np.iinfo(dtype)
    x = rng.integers(ends.min, ends.max, shape, dtype, endpoint=True)
    return np.where(rng.random(shape) < 0.25, rng.choice([ends.min, ends.max], shape), x).astype(dtype)


def operands(text: str, sizes: dict[str, int], dtypes: tuple[str, str]) -> tuple[Array, Array]:
    rng = np.random.default_rng([len(text), *sizes.values(), *map(len, dtypes)])
    terms = text.split("->")[0].split(",")
    x, w = (drawn(rng, tuple(sizes[i] for i in term), dtype) for term, dtype in zip(terms, dtypes, strict=True))
    return x, w


def einsum(text: str, to: str) -> Callable[[Any, Any], Any]:
    return lambda x, w: mnp.einsum(text, x.astype(to), w.astype(to))


@pytest.mark.parametrize("text", FORMS)
def test_bytes_of_all_signs(signs: str, text: str) -> None:
    for sizes, dtypes in zip((*SIZES, SIZES[0]), product(("int8", "uint8"), repeat=2), strict=True):
        x, w = operands(text, sizes, dtypes)
        exe = mlc.compile(einsum(text, "int32"), x, w)
        assert_matches(EXACT, exe(x, w), np.einsum(text, x.astype("i4"), w.astype("i4")))
        dots = sizes["k"] % 4 == 0 and not (signs == "s8s8" and dtypes == ("uint8", "uint8"))
        assert (len(exe.report()["kernels"]), "vector.contract" in exe.mlir("vector")) == (1, dots)
        if dots and SIGNS[signs] and runnable([signs], jit.host()[1]):
            assert SIGNS[signs] in exe.assembly()


@pytest.mark.parametrize("text", FORMS)
def test_bf16_by_pairs(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, monkeypatch, bf16_dot=True)
    for sizes in SIZES:
        x, w = operands(text, sizes, ("bfloat16", "bfloat16"))
        exe = mlc.compile(einsum(text, "float32"), x, w)
        want = np.einsum(text, x.astype("f8"), w.astype("f8")).astype("f4")
        assert_matches(NEAR, exe(x, w), want)
        dots = sizes["k"] * (sizes["j"] if "j" in text else 1) % 2 == 0
        assert ("vector.contract" in exe.mlir("vector")) == dots
        if dots and runnable(["bf16"], jit.host()[1]):
            assert "vdpbf16ps" in exe.assembly()


def test_every_width(target: tuple[int, int]) -> None:
    x, w = operands("mk,kn->mn", {"m": 37, "k": 52, "n": 75}, ("int8", "int8"))
    exe = mlc.compile(einsum("mk,kn->mn", "int32"), x, w)
    assert_matches(EXACT, exe(x, w), x.astype("i4") @ w.astype("i4"))


def test_rows_of_run_time(signs: str) -> None:
    exe = mlc.compile(einsum("mk,kn->mn", "int32"), mlc.spec(("m", 64), "int8"), mlc.spec((64, 48), "int8"))
    for m in (0, 1, 5, 31):
        x, w = operands("mk,kn->mn", {"m": m, "k": 64, "n": 48}, ("int8", "int8"))
        assert_matches(EXACT, exe(x, w), x.astype("i4") @ w.astype("i4"))


def test_what_follows_is_fused(signs: str) -> None:
    """A quantised layer: bias, scale and rounding on the tile, one kernel in all."""

    def layer(x: Any, w: Any, bias: Any) -> Any:
        y = mnp.einsum("mk,kn->mn", x.astype("int32"), w.astype("int32")) + bias
        return mnp.clip(mnp.round(y.astype("float32") * 0.01), -128, 127).astype("int8")

    x, w = operands("mk,kn->mn", {"m": 24, "k": 32, "n": 48}, ("uint8", "int8"))
    bias = np.arange(48, dtype="i4") * 100 - 2000
    exe = mlc.compile(layer, x, w, bias)
    y = (x.astype("i4") @ w.astype("i4") + bias).astype("f4") * np.float32(0.01)
    assert_matches(EXACT, exe(x, w, bias), np.clip(np.round(y), -128, 127).astype("i1"))
    assert len(exe.report()["kernels"]) == 1


GROUP = 32


def dequantised(x: Any, w: Any, scales: Any) -> Any:
    k, (groups, n) = w.shape[0], scales.shape
    weights = mnp.unpack(w, "int4").astype("float32").reshape(groups, k // groups, n) * scales[:, None, :]
    return x @ weights.reshape(k, n)


@pytest.mark.parametrize(("rows", "k", "n"), [(1, 128, 256), (3, 64, 34), (1, 4096, 512), (20, 96, 80)])
def test_weights_of_four_bits(rows: int, k: int, n: int) -> None:
    rng = np.random.default_rng(k)
    x, w = rng.standard_normal((rows, k), np.float32), rng.integers(0, 256, (k, n // 2), np.uint8)
    scales = rng.random((k // GROUP, n), np.float32)
    exe = mlc.compile(dequantised, x, w, scales)
    signed = np.stack([w << 4, w & 0xF0], -1).reshape(k, n).view("i1") >> 4
    want = x.astype("f8") @ (signed * np.repeat(scales, GROUP, 0).astype("f8"))
    assert_matches(NEAR, exe(x, w, scales), want.astype("f4"))
    assert len(exe.report()["kernels"]) == 1


@pytest.mark.parametrize("dtype", ["int4", "uint4"])
def test_elements_of_four_bits_are_looked_up(dtype: str, target: tuple[int, int]) -> None:
    """Every byte in every lane; by one instruction in place of shifts and a conversion, where there is one."""
    k, n = 256, 128

    def product_of(x: Any, w: Any) -> Any:
        return x @ mnp.unpack(w, dtype).astype("float32")

    w = (np.arange(k, dtype=np.uint8)[:, None] + np.arange(n // 2, dtype=np.uint8)).astype(np.uint8)
    x = np.arange(-k // 2, k // 2, dtype="f4")[None]
    exe = mlc.compile(product_of, x, w)
    if dtype == "int4":
        elements = np.stack([w << 4, w & 0xF0], -1).reshape(k, n).view("i1") >> 4
    else:
        elements = np.stack([w & 0xF, w >> 4], -1).reshape(k, n)
    assert_matches(EXACT, exe(x, w), (x @ elements.astype("f8")).astype("f4"))
    if target[0] == 512 and runnable(["permute16"], jit.host()[1]):
        assert "vpermps" in exe.assembly() or "vpermd" in exe.assembly()
        assert "vcvtdq2ps" not in exe.assembly() and "vcvtudq2ps" not in exe.assembly()


def test_casts_that_something_else_reads_are_stored() -> None:
    def both(x: Any, w: Any) -> Any:
        wide = w.astype("float32")
        return x @ wide, wide.sum(0)

    x, w = np.ones((8, 16), "f4"), np.arange(16 * 24).reshape(16, 24).astype("i1")
    exe = mlc.compile(both, x, w)
    for got, want in zip(exe(x, w), (x @ w.astype("f4"), w.astype("f4").sum(0)), strict=True):
        assert_matches(NEAR, got, want)
    assert [k["name"] for k in exe.report()["kernels"]] == ["convert_sum", "matmul"]


def test_machine_descriptions_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text('int8_dot = "s8u8"\n')
    with pytest.raises(CompileError, match='expected int8_dot to be one of "", "u8s8", "s8s8", found \'s8u8\''):
        Machine.load(path)


WRONG = """func.func @f(%A: tensor<8x16xf32>, %B: tensor<16x8xf32>) -> tensor<8x8xf32> {
  %c = loop.stage mm [i: 8, j: 8, k: 16] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %c : tensor<8x8xf32>
}"""


def test_floats_have_no_offset() -> None:
    module = parse_module(WRONG, "wrong.mlir")
    with pytest.raises(
        CompileError, match="loop-offset: expected a stage that adds products of bytes, one of them of B"
    ):
        driver.run(module, [build(s) for s in parse_pipeline("loop-offset{value=B}")], driver.Options())


@pytest.mark.parametrize(("m", "n"), [(1, 96), (3, 70), (24, 130)])
def test_constant_bytes_are_packed_in_words(signs: str, m: int, n: int) -> None:
    x, w = operands("mk,kn->mn", {"m": m, "k": 64, "n": n}, ("int8", "int8"))
    exe = mlc.compile(einsum("mk,kn->mn", "int32"), mlc.spec(x.shape, "int8"), constants={"w": w})
    assert_matches(EXACT, exe(x), x.astype("i4") @ w.astype("i4"))
    text = exe.mlir("vector")
    assert "graph.prepare" in text and "vector.contract" in text


def test_constant_bytes_and_rows_of_run_time(signs: str) -> None:
    w = operands("mk,kn->mn", {"m": 1, "k": 64, "n": 128}, ("int8", "int8"))[1]
    exe = mlc.compile(einsum("mk,kn->mn", "int32"), mlc.spec(("m", 64), "int8"), constants={"w": w})
    for m in (0, 1, 2, 5, 7, 20):
        x = drawn(np.random.default_rng(m), (m, 64), "int8")
        assert_matches(EXACT, exe(x), x.astype("i4") @ w.astype("i4"))


CONTRACTS = {
    "rows": ("i k", "k j", "i j", "f32", "f32"),
    "columns": ("k i", "j k", "i j", "f32", "f32"),
    "two": ("i k l", "l j k", "i j", "i32", "i32"),
    "batch": ("b i k", "b j k", "b i j", "f64", "f64"),
    "narrow": ("i k", "j k", "i j", "i8", "i32"),
    "halves": ("i k", "k j", "i j", "f16", "f32"),
    "scalar": ("k l", "l k", "", "i32", "i32"),
}
EXTENTS = {"b": 2, "i": 3, "j": 21, "k": 4, "l": 2}


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("name", CONTRACTS)
def test_contractions_of_any_map(name: str, width: int) -> None:
    """vector.contract as upstream has it: any projected permutations, factors that are narrower than the sum."""
    *letters, factor, total = CONTRACTS[name]
    names = sorted({n for term in letters for n in term.split()})
    shapes = [[EXTENTS[n] for n in term.split()] for term in letters]
    kinds = [vector(shape, t) for shape, t in zip(shapes, (factor, factor, total), strict=True)]
    maps = ", ".join(f"affine_map<({', '.join(names)}) -> ({', '.join(term.split())})>" for term in letters)
    words = ", ".join(f'"{"parallel" if n in letters[2].split() else "reduction"}"' for n in names)
    memory = [f"memref<{'x'.join(map(str, [*shape, t]))}>" for shape, t in zip(shapes, (factor, factor, total))]
    reads = "\n".join(
        f"%v{k} = vector.transfer_read %a{k}[{', '.join(['%c0'] * len(shape))}], %p{k} : {memory[k]}, {kinds[k]}"
        if shape
        else f"%v{k} = memref.load %a{k}[] : {memory[k]}"
        for k, shape in enumerate(shapes)
    )
    zeros = "\n".join(f"%p{k} = arith.constant {zero_of(t)} : {t}" for k, t in enumerate((factor, factor, total)))
    store = (
        f"vector.transfer_write %r, %out[{', '.join(['%c0'] * len(shapes[2]))}] : {kinds[2]}, {memory[2]}"
        if shapes[2]
        else f"memref.store %r, %out[] : {memory[2]}"
    )
    text = f"""func.func @f(%a0: {memory[0]}, %a1: {memory[1]}, %a2: {memory[2]}, %out: {memory[2]}) {{
      %c0 = arith.constant 0 : index
      {zeros}
      {reads}
      %r = vector.contract {{indexing_maps = [{maps}], iterator_types = [{words}], kind = #vector.kind<add>}}
        %v0, %v1, %v2 : {kinds[0]}, {kinds[1]} into {kinds[2]}
      {store}
      func.return
    }}"""
    f = next(op for op in parse_module(text, "contract.mlir").body.block.ops if isinstance(op, FuncOp))
    rng = np.random.default_rng(len(text))
    inputs = [np.asarray(rng.integers(-9, 9, s)).astype(DTYPES[t]) for s, t in zip(shapes, (factor, factor, total))]
    (got,) = run_kernel(f, inputs, width)
    want = np.einsum(f"{letters[0]},{letters[1]}->{letters[2]}".replace(" ", ""), *(x.astype("f8") for x in inputs[:2]))
    assert_matches(EXACT, got, (want + inputs[2]).astype(DTYPES[total]))


DTYPES = {"f32": "f4", "f64": "f8", "f16": "f2", "i8": "i1", "i32": "i4"}


def vector(shape: list[int], kind: str) -> str:
    return f"vector<{'x'.join(map(str, shape))}x{kind}>" if shape else kind


def zero_of(kind: str) -> str:
    return "0.0" if kind.startswith("f") else "0"


@pytest.mark.parametrize("layout", [("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NCHW")])
@pytest.mark.parametrize(("stride", "groups", "dtypes"), [(1, 1, "ii"), (2, 1, "ui"), (1, 2, "iu")])
def test_convolutions_of_bytes(layout: tuple[str, str, str], stride: int, groups: int, dtypes: str, signs: str) -> None:
    """Padded as bytes: zeros are zeros in every type."""
    sizes = {"N": 2, "H": 9, "W": 11, "C": 8 * groups, "O": 12 * groups, "I": 8}
    rng = np.random.default_rng([stride, groups])
    names = {"i": "int8", "u": "uint8"}
    x = drawn(rng, tuple(sizes[d] for d in layout[0]), names[dtypes[0]])
    w = drawn(rng, tuple({"H": 3, "W": 3}.get(d, sizes[d]) for d in layout[1]), names[dtypes[1]])

    def conv(x: Any, w: Any, to: str) -> Any:
        return nn.conv(x.astype(to), w.astype(to), stride, 1, 1, groups, layout=layout)

    exe = mlc.compile(lambda x, w: conv(x, w, "int32"), x, w)
    assert_matches(
        EXACT, exe(x, w), np.asarray(mlc.compile(lambda x, w: conv(x, w, "float64"), x, w)(x, w)).astype("i4")
    )
    # channels in groups are a view of what is cast, which is stored before
    assert len(exe.report()["kernels"]) == (1 if groups == 1 else 2)

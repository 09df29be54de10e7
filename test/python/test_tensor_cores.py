"""Emission for tensor cores: in NVIDIA's assembler, and on the host, where it must do what the interpreter does."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from gemm_tile import GemmTile
from launches import kernel, numbers, run
from mlc.compiler.emission import emitted, ptx_of
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import EXACT
from mlc.lowering.emit import tensor_cores
from mlc.lowering.emit.launch import DeviceCode, joined
from mlc.runtime.matching import assert_matches
from ptxas import ARCHITECTURES, assembled, find, needs_ptxas
from tensor_core_cases import DTYPES, PRODUCTS, function, product
from tensor_cores_on_host import run_emitted


def code_of(text: str) -> DeviceCode:
    return joined(list(emitted(parse_module(text), gpu=True).device.values()))


@pytest.mark.parametrize("stages", (2, 3))
def test_a_product_of_matrices(stages: int) -> None:
    """The interpreter checks that warps wait for each other, so it has more of them; on the host the fewest do."""
    tile = GemmTile(64, 64, 96, block=(32, 64, 32), warp=(16, 32), stages=stages)
    small = GemmTile(16, 32, 64, block=(16, 16, 16), warp=(16, 16), stages=stages)
    x, w, want = matrices(tile)
    assert_matches(EXACT, run(tile.kernel(), x, w), want)
    x, w, want = matrices(small)
    assert_matches(EXACT, run_emitted(small.kernel(), x, w, threads=small.threads, blocks=2), want)


def matrices(tile: GemmTile) -> tuple[Any, Any, Any]:
    """Two factors and their product."""
    x = numbers(tile.m, tile.k, dtype=ml_dtypes.bfloat16)
    w = numbers(tile.k, tile.n, dtype=ml_dtypes.bfloat16, seed=1)
    return x, w, (x.astype(np.float32) @ w.astype(np.float32)).astype(ml_dtypes.bfloat16)


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [("halves", "16x16", "f16"), ("words", "16x4", "f32"), ("bytes", "16x32", "i8"), ("before", "64x4", "f32")],
)
def test_tiles(name: str, shape: str, dtype: str) -> None:
    text = function(name)
    x = numbers(*map(int, shape.split("x")), dtype=DTYPES[dtype])
    assert_matches(EXACT, run_emitted(text, x, threads=32), run(text, x))


@pytest.mark.parametrize("count", (-3, 0, 2, 9))
def test_copies(count: int) -> None:
    text, x = function("copies"), numbers(32, 20)
    want = x.copy()
    want[:, 15] = 0
    want[:, 16 + min(4, max(0, count)) :] = 0
    assert_matches(EXACT, run_emitted(text, x, count, threads=32), want)


@needs_ptxas
@pytest.mark.parametrize("sm", ARCHITECTURES)
def test_a_product_of_matrices_stays_in_registers(sm: str) -> None:
    """64 products a step, whose sums are 128 registers of a thread; most of an address is computed before."""
    text = ptx_of(code_of(GemmTile(4096, 4096, 4096).kernel()), sm)
    (used,) = assembled(text, sm).values()
    assert used.spilled == used.stack == 0 and used.registers < 224
    assert ".local" not in text
    loop = text[text.index("cp.async.wait_group") : text.index("cvt.rn.bf16x2")]
    assert text.count("mma.sync") == 64 and text.count("ldmatrix") == 16 and text.count("cp.async.cg") == 24
    assert loop.count("add.s64") < 40 and "mov.b32" not in loop


@pytest.mark.parametrize("registers", (1, 2))
@pytest.mark.parametrize("kinds", PRODUCTS, ids="-".join)
def test_products(kinds: tuple[str, str], registers: int) -> None:
    per = {"f32": 1, "i8": 4}.get(kinds[0], 2)
    factor, total = (DTYPES[kind] for kind in kinds)
    shapes = ((32, 2 * registers, per), (32, registers, per), (32, 2, 2))
    given = [numbers(*s, dtype=d, seed=k) for k, (s, d) in enumerate(zip(shapes, (factor, factor, total), strict=True))]
    text, _ = product(*kinds, registers)
    assert_matches(EXACT, run_emitted(text, *given, threads=32), run(text, *given))


def test_instructions_of_all_types_and_shapes() -> None:
    assert len(PRODUCTS) == len(tensor_cores.PRODUCTS)
    made = [product(*kinds, registers) for kinds in PRODUCTS for registers in (1, 2)]
    texts = [text.replace("@f(", f"@f{i}(") for i, (text, _) in enumerate(made)]
    found = ptx_of(joined([code_of(text) for text in texts]), "sm_80")
    entries = found.split(".entry ")[1:]
    for (_, instruction), entry in zip(made, entries, strict=True):
        assert entry.count(f"{instruction}\n") == entry.count("mma.sync") == 1
        assert "mov.b" not in entry.replace("mov.b64", "") and "bfi" not in entry  # parts are used as they are read
    if find() is not None:
        assert len(assembled(found, "sm_80")) == len(made)


def chain(length: int) -> str:
    """A product for each place of a vector, put there one after the other."""
    kind = f"vector<{length}x2x2xf32>"
    types = "(vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>"
    lines = [f"%s0 = arith.constant dense<0.0> : {kind}"]
    lines += ["%fa = arith.constant dense<1.0> : vector<4x2xf16>", "%fb = arith.constant dense<2.0> : vector<2x2xf16>"]
    for i in range(length):
        lines += [
            f"%e{i} = vector.extract %s{i}[{i}] : vector<2x2xf32> from {kind}",
            f"%d{i} = nvgpu.mma.sync(%fa, %fb, %e{i}) {{mmaShape = [16, 8, 16]}} : {types}",
            f"%s{i + 1} = vector.insert %d{i}, %s{i} [{i}] : vector<2x2xf32> into {kind}",
        ]
    words = "{in_bounds = [true, true, true]}"
    target = f"%out[%t, %c0, %c0, %c0] {words}"
    lines.append(f"vector.transfer_write %s{length}, {target} : {kind}, memref<32x{length}x2x2xf32>")
    return kernel(f"%out: memref<32x{length}x2x2xf32>", "\n".join(lines), 32)


def test_long_chains_of_insertions() -> None:
    """The text grows with the length of the chain, and nothing is nested as deep as that."""
    short, long = (code_of(chain(n)).llvm_ir.count("\n") for n in (20, 300))
    assert long < 16 * short
    assert (run(chain(20)) == np.float32(32)).all()

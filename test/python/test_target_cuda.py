"""mlc.compile for the target cuda, without a GPU: options, levels, what is said of a program, mistakes."""

from __future__ import annotations

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches

SIDE = 256


def product(a: mlc.Array, b: mlc.Array) -> mlc.Array:
    return mnp.matmul(a, b)


def compiled(**options: object) -> mlc.Compiled:
    spec = mlc.spec((SIDE, SIDE), "bfloat16")
    return mlc.compile(product, spec, spec, target="cuda", **options)  # pyright: ignore[reportArgumentType]


def test_every_level_has_a_text() -> None:
    exe = compiled(arch="sm_80")
    assert "nd.contract" in exe.mlir("nd")
    assert "block" in exe.mlir("loop") and "warp" in exe.mlir("loop")
    assert "gpu.launch" in exe.mlir("vector") and "nvgpu.mma.sync" in exe.mlir("vector")
    assert "mlc_gpu_launch" in exe.llvm_ir() and "nvvm.mma" in exe.llvm_ir()
    assert ".target sm_80" in exe.assembly() and "mma.sync" in exe.assembly()
    assert "loop-fragment" in str(exe.report()["kernels"][0]["schedule"])


def test_architectures_without_matrix_instructions_have_none() -> None:
    text = compiled(arch="sm_70").assembly()
    assert ".target sm_70" in text and "mma" not in text and "cp.async" not in text


def test_the_environment_says_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_TARGET", "cuda")
    assert "gpu.launch" in mlc.compile(lambda x: x + 1, mlc.spec((4,))).mlir("vector")
    assert "gpu.launch" not in mlc.compile(lambda x: x + 1, mlc.spec((4,)), target="cpu").mlir("vector")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "metal"}, "target: expected cpu or cuda, found 'metal'"),
        ({"target": "cuda", "arch": "sm_1"}, "expected an architecture of sm_70"),
        ({"target": "cuda", "threads": 2}, "threads: expected none for target cuda, found 2"),
        ({"target": "cuda", "vector_bytes": 32}, "vector_bytes: expected none for target cuda, found 32"),
        ({"target": "cpu", "arch": "sm_80"}, "arch: expected one for target cuda only, found 'sm_80'"),
    ],
)
def test_mistakes_in_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        mlc.compile(lambda x: x + 1, mlc.spec((4,)), **options)  # pyright: ignore[reportArgumentType]


def test_more_memory_than_a_block_has() -> None:
    steps = "loop-tile{axis=i size=256 kind=block only=mm,round},loop-pack{value=a axes=i,k only=mm}"
    steps += ",loop-distribute{axis=i threads=256 only=pack_a,mm,round}"
    with pytest.raises(CompileError, match="expected at most 232448 bytes of memory of a block, as sm_90a has, found"):
        mlc.compile(
            product,
            mlc.spec((512, 1024), "bfloat16"),
            mlc.spec((1024, 64), "bfloat16"),
            target="cuda",
            arch="sm_90a",
            schedule=steps,
        )


def test_what_depends_on_constants_alone_is_evaluated() -> None:
    w, s = np.full((SIDE, SIDE), 2, np.float32), np.arange(SIDE, dtype=np.float32)
    exe = mlc.compile(
        lambda x, w, s: x @ (w * s + 1), mlc.spec((SIDE, SIDE)), constants={"w": w, "s": s}, target="cuda"
    )
    assert [k["name"] for k in exe.report()["kernels"]] == ["matmul"]
    (constant,) = exe.constants
    assert_matches(EXACT, np.asarray(constant).reshape(SIDE, SIDE), w * s + 1)

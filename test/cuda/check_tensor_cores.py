"""Tensor cores on a real GPU, by hand: python test/cuda/check_tensor_cores.py [--fake]

Products of all types, tiles and copies as the interpreter has them; then how fast a product of matrices is that is
written at the vector level, by tile. `--fake` runs it over the driver of the tests, which needs no GPU, on small sizes.
"""

# pyright: basic

from __future__ import annotations

import re
import statistics
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "python"), str(HERE.parent / "python")]

import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
from gemm_tile import GemmTile  # noqa: E402
from launches import numbers, run  # noqa: E402
from mlc.compiler.emission import emitted, ptx_of  # noqa: E402
from mlc.compiler.parsing import parse_module  # noqa: E402
from mlc.runtime import jit  # noqa: E402
from mlc.runtime.abi import Argument, Image, Program, Result, Slot  # noqa: E402
from mlc.runtime.cuda import device as devices  # noqa: E402
from mlc.runtime.cuda import driver, timing  # noqa: E402
from mlc.runtime.cuda.device_array import to_device  # noqa: E402
from mlc.runtime.cuda.executable import CudaExecutable  # noqa: E402
from tensor_core_cases import DTYPES, PRODUCTS, function, product  # noqa: E402

NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
BF16 = ml_dtypes.bfloat16
FAKE = "--fake" in sys.argv
Tile = tuple[tuple[int, int, int], tuple[int, int], int]
SMALL: list[Tile] = [((16, 16, 16), (16, 16), 3)]
TILES: list[Tile] = [
    ((128, 128, 32), (64, 64), 3),
    ((128, 128, 32), (64, 64), 4),
    ((128, 128, 64), (64, 64), 3),
    ((128, 128, 32), (64, 32), 4),
    ((256, 128, 32), (64, 64), 3),
    ((128, 256, 32), (64, 64), 3),
    ((128, 256, 32), (64, 64), 4),
    ((64, 128, 64), (32, 64), 3),
]
"""A block's tile, a warp's part, stages."""


def executable(text: str, inputs: list[Any]) -> CudaExecutable:
    """A program of one kernel `f` at the vector level, whose arguments are the inputs and one result."""
    module = parse_module(text)
    code = emitted(module, gpu=True)
    device_code, host = code.device["f"], code.host["f"]
    kind: Any = module.body.block.first_op.function_type.inputs.data[-1]  # pyright: ignore
    shape, name = list(kind.get_shape()), str(kind.element_type)
    sm, count = devices.current().properties.sm, len(inputs)
    arguments = [Argument(f"x{k}", NAMES[x.dtype], list(x.shape), aligned=True) for k, x in enumerate(inputs)]
    size = int(np.prod(shape)) * np.dtype(DTYPES[name]).itemsize
    image = Image("f", list(device_code.names), list(device_code.shared), sm)
    described = Program("main", arguments, [Slot(size, aligned=True)], [Result(name, shape, "slot", 0)], images=[image])
    loads = "".join(
        f"  %p{k} = getelementptr ptr, ptr %buffers, i64 {k}\n  %b{k} = load ptr, ptr %p{k}\n" for k in range(count + 1)
    )
    values = ", ".join([*(f"ptr %b{k}" for k in range(count + 1)), "ptr %arena", "ptr %context"])
    kinds = ", ".join(["ptr"] * (count + 3))
    entry = f'declare void @"mlc.f"({kinds})\ndefine i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context)'
    entry += f' {{\n{loads}  call void @"mlc.f"({values})\n  ret i32 0\n}}\n'
    ptx = ptx_of(device_code, sm).encode()
    if FAKE:
        fake(device_code, count + 1)
    return CudaExecutable(described, [jit.stored_object(host), jit.stored_object(entry), ptx])


def fake(code: Any, count: int) -> None:
    """Let the tests' driver run the kernel."""
    from cuda_fake import host
    from tensor_cores_on_host import TensorModule

    (name,) = code.names

    def launched(grid: int, threads: int, shared: int, *values: int) -> None:
        TensorModule(code).run(name, grid, threads, [host(v).to_bytes(8, "little") for v in values])

    KERNELS[name] = ("p" * count, launched)


KERNELS: dict[str, Any] = {}
failed: list[str] = []


def check(what: str, good: bool, found: Any = "") -> None:
    print(f"{what:46} {found!s:>60} {'ok' if good else 'WRONG'}", flush=True)
    if not good:
        failed.append(what)


def same(what: str, text: str, *inputs: Any) -> None:
    """Does the device compute what the interpreter does?"""
    try:
        got, want = np.asarray(executable(text, list(inputs))(*inputs)), run(text, *inputs)
        check(what, np.array_equal(got, want), "" if np.array_equal(got, want) else f"{np.sum(got != want)} elements")
    except Exception as error:
        traceback.print_exc()
        check(what, False, type(error).__name__)


def types() -> None:
    for kinds in PRODUCTS:
        for registers in (1, 2):
            per = {"f32": 1, "i8": 4}.get(kinds[0], 2)
            shapes = ((2 * registers, per), (registers, per), (2, 2))
            dtypes = (kinds[0], kinds[0], kinds[1])
            inputs = [numbers(32, *s, dtype=DTYPES[d], seed=k) for k, (s, d) in enumerate(zip(shapes, dtypes))]
            text, instruction = product(*kinds, registers)
            same(instruction.removeprefix("mma.sync.aligned."), text, *inputs)
    for name, shape, dtype in (("halves", (16, 16), "f16"), ("words", (16, 4), "f32"), ("bytes", (16, 32), "i8")):
        same(f"ldmatrix: {name}", function(name), numbers(*shape, dtype=DTYPES[dtype]))
    text = function("copies")
    for count in (0, 1, 4):
        fixed = re.sub(r", %n: index", "", text).replace("%zero =", f"%n = arith.constant {count} : index\n  %zero =")
        same(f"copies, {count} elements of 4", fixed, numbers(32, 20))
    tile = GemmTile(64, 64, 96, block=(32, 64, 32), warp=(16, 32))
    same("a small product of matrices", tile.kernel(), numbers(64, 96, dtype=BF16), numbers(96, 64, dtype=BF16, seed=1))


def speed(n: int) -> None:
    """Of n^3, in turns; right on some rows."""
    device, made, calls = devices.current(), list[str](), list[Any]()
    x, w = numbers(n, n, dtype=BF16), numbers(n, n, dtype=BF16, seed=1)
    dx, dw = to_device(x), to_device(w)
    rows = np.arange(0, n, n // 16) + np.arange(16) % (n // 16)
    want = (x[rows].astype(np.float32) @ w.astype(np.float32)).astype(BF16)
    for block, warp, stages in SMALL if FAKE else TILES:
        name = f"{n}: {'x'.join(map(str, block))} by {'x'.join(map(str, warp))}, {stages} stages"
        try:
            exe = executable(GemmTile(n, n, n, block=block, warp=warp, stages=stages).kernel(), [dx, dw])
            got = np.asarray(exe(dx, dw))[rows]
            facts = exe.modules[0].facts()[0]
            used = f"{facts['registers']} registers, {facts['local']} bytes local"
            check(name, np.array_equal(got, want), used)
            made.append(name)
            calls.append(lambda exe=exe: exe(dx, dw))
        except Exception as error:
            check(name, False, f"{type(error).__name__}: {error}".splitlines()[0][:60])
    for name, found in zip(made, timing.interleaved(device, calls, *((1, 1) if FAKE else (10, 7)))):
        print(f"{name:46} {2e-12 * n**3 / statistics.median(found):.1f} TFLOP/s")


def main() -> int:
    print(devices.current().properties.name, devices.current().properties.sm)
    types()
    speed(32 if FAKE else 4096)
    print("failed:", ", ".join(failed) or "nothing")
    return bool(failed)


if __name__ == "__main__":
    if FAKE:
        from cuda_fake import FakeDriver

        with driver.replaced(FakeDriver(KERNELS, total=1 << 32)):
            sys.exit(main())
    sys.exit(main())

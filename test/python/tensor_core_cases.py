"""Small kernels with tensor cores and asynchronous copies, as text: for tests, and for a script on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from launches import kernel

DTYPES: dict[str, Any] = {
    **{"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "i32": np.int32, "i8": np.int8}
}
LOWERED = (Path(__file__).resolve().parents[1] / "lowering/ptx_tensor_cores.mlir").read_text()


PRODUCTS = {
    ("f16", "f32"): "f32.f16.f16.f32",
    ("f16", "f16"): "f16.f16.f16.f16",
    ("bf16", "f32"): "f32.bf16.bf16.f32",
    ("f32", "f32"): "f32.tf32.tf32.f32",
    ("i8", "i32"): "s32.s8.s8.s32",
}


def product(element: str, total: str, registers: int) -> tuple[str, str]:
    """A kernel with one product, whose right factor has so many registers, and what it is in PTX."""
    per = {"f32": 1, "i8": 4}.get(element, 2)
    k = 4 * per * registers
    zero, nothing = ("0" if kind.startswith("i") else "0.0" for kind in (element, total))
    kinds = [f"{2 * registers}x{per}x{element}", f"{registers}x{per}x{element}", f"2x2x{total}"]
    a, b, c = (f"vector<{kind}>" for kind in kinds)
    reads = "".join(
        f"%f{word} = vector.transfer_read %{word}[%t, %c0, %c0], %{pad} {{in_bounds = [true, true]}} : "
        f"memref<32x{kind}>, vector<{kind}>\n"
        for word, kind, pad in zip(("x", "y", "w"), kinds, ("z", "z", "n"), strict=True)
    )
    tf32 = ", tf32Enabled" if element == "f32" else ""
    body = f"""
    %z = arith.constant {zero} : {element}
    %n = arith.constant {nothing} : {total}
    {reads}
    %d = nvgpu.mma.sync(%fx, %fy, %fw) {{mmaShape = [16, 8, {k}]{tf32}}} : ({a}, {b}, {c}) -> {c}
    vector.transfer_write %d, %out[%t, %c0, %c0] {{in_bounds = [true, true]}} : {c}, memref<32x{kinds[2]}>"""
    arguments = ", ".join(f"%{word}: memref<32x{kind}>" for word, kind in zip(("x", "y", "w"), kinds, strict=True))
    text = kernel(f"{arguments}, %out: memref<32x{kinds[2]}>", body, 32)
    return text, f"mma.sync.aligned.m16n8k{k}.row.col.{PRODUCTS[element, total]}"


def function(name: str) -> str:
    """One of the functions in the file of `FileCheck`, as `f`."""
    aliases = [line for line in LOWERED.splitlines() if line.startswith("!")]
    body = LOWERED[LOWERED.index(f"func.func @{name}(") :]
    return "\n".join([*aliases, body[: body.index("\n}\n") + 3].replace(f"@{name}(", "@f(")])

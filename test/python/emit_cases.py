"""What the tests of emission share: kernels compiled for three machines."""

from __future__ import annotations

import platform

from mlc.compiler.native import NativeKernel, compile_kernel
from mlc.compiler.parsing import parse_module
from xdsl.dialects import func

DTYPES = {"f32": "f4", "f64": "f8", "i1": "?", "i8": "i1", "i32": "i4", "i64": "i8", "index": "i8"}
# Bytes of a vector, CPU, features: the host, one with AVX2, and x86-64 or Arm without any extension
MACHINES: dict[str, tuple[int, str | None, str | None]] = {"host": (64, None, None)}
if platform.machine() in ("aarch64", "arm64"):
    MACHINES["baseline"] = (16, "generic", "")
else:
    MACHINES |= {"avx2": (32, "x86-64-v3", ""), "baseline": (16, "x86-64", "")}
AVX512 = ("skylake-avx512", "+avx512f,+avx512vl,+avx512bw,+avx512dq,+fma,+avx2", "x86_64-unknown-linux-gnu")
"""A CPU, its features and a system that are the same wherever tests run."""


def function(text: str) -> func.FuncOp:
    module = parse_module(text, "<test>")
    return next(o for o in module.ops if isinstance(o, func.FuncOp))


def native(text: str, machine: str = "host") -> NativeKernel:
    return compile_kernel(function(text), *MACHINES[machine])

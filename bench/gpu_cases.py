"""What `bench.gpu` measures: programs as mlc and as torch write them, the arrays they take, the groups they belong to.

`ours` takes arrays of mlc; `theirs` takes torch (or what has its functions) and tensors. Nothing here imports torch.
"""

# What programs are of has no types.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlc
import mlc.numpy as mnp
from mlc import nn

Function = Callable[..., Any]
WIDTH = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True)
class Case:
    """One row: `amount` bytes moved or operations done by a call, in `unit`; `arrays` are shapes, normal numbers of
    standard deviation `scales`.

    A result may err by (`ulps` |want| + `sums` rms(want)) units of its type's precision.
    """

    name: str
    ours: Function
    theirs: Function
    arrays: tuple[tuple[int, ...], ...]
    amount: float
    unit: str = "bytes"
    dtype: str = "float32"
    groups: tuple[str, ...] = ()
    ulps: float = 4
    sums: float = 4
    scales: tuple[float, ...] = ()
    peers: tuple[str, ...] = ("torch", "compile")
    """`graph`: torch in a CUDA graph."""
    energy: bool = False


M = 1 << 20


def elementwise() -> list[Case]:
    f4, f2 = 4, 2

    def case(name: str, ours: Function, theirs: Function, arrays: Any, amount: float, **more: Any) -> Case:
        return Case(f"ew_{name}", ours, theirs, tuple(arrays), amount, groups=("ew",), **more)

    square, n = (8192, 8192), 64 * M
    channel = lambda v: v[:, None, None]
    return [
        case("muladd_64M", lambda x, y: x * y + x, lambda t, x, y: x * y + x, [(n,)] * 2, 3 * f4 * n),
        case("gelu_64M", nn.gelu, gelu, [(n,)], 2 * f4 * n, sums=8, energy=True),
        case("gelu_bf16_128M", nn.gelu, gelu, [(2 * n,)], 4 * f2 * n, dtype="bfloat16", ulps=1, sums=0.05),
        case("inc_16M", lambda x: x + 1, lambda t, x: x + 1, [(16 * M,)], 2 * f4 * 16 * M),
        case("bf16_from_f32_64M", lambda x: x.astype("bfloat16"), lambda t, x: x.to(t.bfloat16), [(n,)], 6 * n),
        case("relu_row_8192", lambda x, b: nn.relu(x + b), lambda t, x, b: t.relu(x + b), [square, (8192,)], 8 * n),
        case("mul_column_8192", lambda x, b: x * b, lambda t, x, b: x * b, [square, (8192, 1)], 8 * n),
        case(
            "outer_64x1024x1024",
            lambda x, y: x * y + x,
            lambda t, x, y: x * y + x,
            [(64, 1, 1024), (1, 1024, 1024)],
            f4 * n,
        ),
        case(
            "channels_32x64x128x256",
            lambda x, s, b: x * channel(s) + channel(b),
            lambda t, x, s, b: x * channel(s) + channel(b),
            [(32, 64, 128, 256), (64,), (64,)],
            8 * n,
        ),
        case(
            "rank5_8x16x32x64x256",
            lambda x, y: mnp.tanh(x * y),
            lambda t, x, y: t.tanh(x * y),
            [(8, 16, 32, 64, 256), (16, 1, 64, 1)],
            8 * n,
        ),
        Case("move_transpose_8192", lambda x: -x.T, lambda t, x: (-x.T).contiguous(), (square,), 8 * n),
        Case("move_add_transposed_8192", lambda x, y: x + y.T, lambda t, x, y: x + y.T, (square, square), 12 * n),
    ]


def gelu(t: Any, x: Any) -> Any:
    return t.nn.functional.gelu(x, approximate="tanh")


def row_cases() -> list[Case]:
    """256 MiB each, rows of 1 K to 32 K."""
    found: list[Case] = []

    def add(kind: str, n: int, dtype: str, ours: Function, theirs: Function, **more: Any) -> None:
        m = (256 * M) // WIDTH[dtype] // n
        writes = more.pop("writes", m * n)
        shapes = [(m, n), *[(n,)] * more.pop("parameters", 0)]
        groups = ("rows", "softmax" if kind == "softmax" else "others")
        short = f"{kind}_{m}x{n}" + ("_bf16" if dtype == "bfloat16" else "")
        amount = WIDTH[dtype] * (m * n + writes)
        if dtype == "bfloat16":  # rounded once, from sums in f32
            more |= {"ulps": 1, "sums": 0.05}
        found.append(Case(short, ours, theirs, tuple(shapes), amount, dtype=dtype, groups=groups, **more))

    for dtype, sizes in (("float32", (1024, 1000, 4096, 8192, 32768)), ("bfloat16", (1024, 8192, 32768))):
        for n in sizes:
            energy = (dtype, n) == ("float32", 8192)
            add("softmax", n, dtype, nn.softmax, lambda t, x: t.softmax(x, -1), energy=energy, ulps=16)
    for dtype, sizes in (("float32", (1024, 4096, 8192, 32768)), ("bfloat16", (4096, 32768))):
        for n in sizes:
            energy = (dtype, n) == ("float32", 8192)
            add(
                "layer_norm",
                n,
                dtype,
                nn.layer_norm,
                lambda t, x, g, b: t.nn.functional.layer_norm(x, (x.shape[1],), g, b, 1e-5),
                parameters=2,
                sums=16,
                energy=energy,
            )
    for dtype, sizes in (("float32", (1024, 8192, 32768)), ("bfloat16", (8192,))):
        for n in sizes:
            add(
                "rms_norm",
                n,
                dtype,
                nn.rms_norm,
                lambda t, x, g: t.nn.functional.rms_norm(x, (x.shape[1],), g, 1e-6),
                parameters=1,
                sums=16,
            )
    for dtype, sizes in (("float32", (1024, 8192, 32768)), ("bfloat16", (8192,))):
        for n in sizes:
            m = (256 * M) // WIDTH[dtype] // n
            add("row_sum", n, dtype, lambda x: mnp.sum(x, axis=1), lambda t, x: x.sum(1), writes=m, sums=32)
            add("col_sum", n, dtype, lambda x: mnp.sum(x, axis=0), lambda t, x: x.sum(0), writes=n, sums=32)
    add("row_max", 8192, "float32", lambda x: mnp.max(x, axis=1), lambda t, x: x.amax(1), writes=8192, sums=0)
    add("col_max", 8192, "float32", lambda x: mnp.max(x, axis=0), lambda t, x: x.amax(0), writes=8192, sums=0)
    # of squares, so that no sum is near zero
    every, theirs = lambda x: mnp.sum(x * x), lambda t, x: (x * x).sum()
    found.append(Case("sum_64M", every, theirs, ((64 * M,),), 256 * M, groups=("rows", "others"), ulps=64))
    return found


LAYOUTS: dict[str, tuple[bool, bool]] = {
    "NN": (False, False),
    "NT": (False, True),
    "TN": (True, False),
    "TT": (True, True),
}


def product(n: int, layout: str, dtype: str) -> Case:
    """Of n x n; a T is an operand that is stored the other way round."""
    left, right = LAYOUTS[layout]
    turned = lambda a, b: (a.T if left else a, b.T if right else b)
    low = dtype == "bfloat16"
    name = f"matmul_{'bf16' if low else 'f32'}_{n}_{layout}"
    return Case(
        name,
        lambda a, b: mnp.matmul(*turned(a, b)),
        lambda t, a, b: t.matmul(*turned(a, b)),
        ((n, n), (n, n)),
        2 * n**3,
        "flops",
        dtype,
        ("matmul", "mm_bf16" if low else "mm_f32"),
        ulps=1 if low else 8,
        sums=0.05 if low else 4 * math.sqrt(n),
        peers=("torch",),
        energy=(dtype, n, layout) == ("bfloat16", 4096, "NN"),
    )


def repeated(step: Function, count: int) -> Function:
    """step(x, w) again and again."""

    def f(x: Any, *others: Any) -> Any:
        for _ in range(count):
            x = step(x, *others)
        return x

    return f


def in_graphs() -> list[Case]:
    """Products one after another, x = x @ w, each in a CUDA graph of its own library."""
    found: list[Case] = []
    for m, n, count in ((512, 512, 16), (128, 8192, 8)):
        ours, theirs = (repeated(lambda x, w: x @ w, count) for _ in range(2))
        found.append(
            Case(
                f"graph_{m}x{n}x{n}_bf16",
                ours,
                lambda t, x, w, theirs=theirs: theirs(x, w),
                ((m, n), (n, n)),
                2 * m * n * n * count,
                "flops",
                "bfloat16",
                ("matmul", "mm_graph"),
                sums=16,
                scales=(1, 1 / math.sqrt(n)),
                peers=("graph",),
            )
        )
    return found


def steps(count: int) -> Case:
    """As many kernels of one step on 1024 elements, one after another, behind a copy."""

    def theirs(t: Any, x: Any) -> Any:
        x = x.clone()
        for _ in range(count):
            x = t.add(x, x, alpha=-0.5)
        return x

    return Case(
        f"small_steps_{count}",
        lambda x: mlc.fori_loop(0, count, lambda k, x: x - 0.5 * x, x),
        theirs,
        ((1024,),),
        count + 1,
        "kernels",
        groups=("small", "steps"),
        ulps=count,
        peers=("graph",),
    )


def softmaxes(count: int) -> Case:
    """As many kernels as softmaxes; the turn between them cannot be fused."""
    ours = repeated(lambda x: nn.softmax(x.T), count)
    return Case(
        f"small_softmax_{count}",
        ours,
        lambda t, x: repeated(lambda x: t.softmax(x.T, -1), count)(x),
        ((64, 64),),
        count,
        "kernels",
        groups=("small",),
        ulps=16 * count,
        peers=("graph",),
    )


SMALL = (5, 20)


def cases() -> list[Case]:
    products = [product(n, layout, "bfloat16") for n in (2048, 4096, 8192) for layout in LAYOUTS]
    products.append(product(4096, "NN", "float32"))
    return [
        *elementwise(),
        *row_cases(),
        *products,
        *in_graphs(),
        *(make(n) for make in (steps, softmaxes) for n in SMALL),
    ]


@dataclass(frozen=True)
class Summary:
    """Over the rows of a group: a mean or the least (the largest, where less is better) of one of their numbers."""

    name: str
    group: str
    number: str
    """`share` of the best copy in %, `us` per kernel, or the ratio to a peer by its name."""
    mean: bool = False


SUMMARIES = (
    Summary("ew_share_minimum", "ew", "share"),
    Summary("ew_over_compile_mean", "ew", "compile", mean=True),
    Summary("rows_share_minimum", "rows", "share"),
    Summary("rows_share_mean", "rows", "share", mean=True),
    Summary("softmax_over_compile_mean", "softmax", "compile", mean=True),
    Summary("others_over_compile_mean", "others", "compile", mean=True),
    Summary("rows_over_compile_minimum", "rows", "compile"),
    Summary("bf16_over_cublas_mean", "mm_bf16", "torch", mean=True),
    Summary("bf16_over_cublas_minimum", "mm_bf16", "torch"),
    Summary("f32_over_cublas_minimum", "mm_f32", "torch"),
    Summary("graph_over_cublas_minimum", "mm_graph", "graph"),
    Summary("kernel_us_maximum", "steps", "us"),
)
EXTRA = (
    "host_us_maximum",
    "bound_host_us_maximum",
    "bound_kernel_us_maximum",
    "compile_cold_median",
    "compile_cached_median",
    "copy_GB/s",
)
"""Rows that are no cases' and no summaries'."""

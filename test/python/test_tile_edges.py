"""Contractions of every size around the edges of their register tiles, into memory with guards around it.

A program whose sizes are given at run time serves many shapes: those below twice the largest tile of its schedule. Its
results lie between bytes that must stay as they are, and hold NaN or -1 before. Small whole numbers are summed exactly
in every order, so they are compared exactly, with a NaN and an infinity among them; drawn numbers within the bound of
a sum. Here are a few shapes of some programs; MLC_TEST_FULL=1 runs all of all, and static sizes besides.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from conftest import TARGETS
from mlc import nn
from mlc.compiler.machine import Machine
from mlc.dialects.nd.op import Tolerance
from mlc.dialects.nd.types import finfo
from mlc.runtime.matching import assert_matches
from native_cases import GUARD, guarded
from sampling import FULL, sample

Np = np.ndarray[Any, Any]
Sizes = dict[str, int]
DTYPES = ("float32", "bfloat16", "int8")
SHAPES = 4
"""Of a program."""
FIXED = 12 if FULL else 1
"""Shapes of a program that are also compiled for."""


@dataclass(frozen=True)
class Form:
    """A contraction of two arrays: m and n are the sizes that tiles cut."""

    operands: tuple[str, str]
    """A letter or a size of one digit for each dimension."""
    build: Callable[[Any, Any], Any]
    reference: Callable[[Np, Np], Np]


def windows(x: Np, kernel: int, stride: int, padding: int, dilation: int, axes: tuple[int, ...]) -> Np:
    """Each window of padded axes, its elements in new last axes; none where a padded axis is shorter than one."""
    span = dilation * (kernel - 1) + 1
    counts = [max(0, x.shape[a] + 2 * padding - span + 1) for a in axes]
    behind = {a: padding + (n == 0) * span for a, n in zip(axes, counts)}
    x = np.pad(x, [(padding, behind[a]) if a in axes else (0, 0) for a in range(x.ndim)])
    found = np.lib.stride_tricks.sliding_window_view(x, (span,) * len(axes), axes)
    steps = [slice(None)] * x.ndim
    for a, n in zip(axes, counts):
        steps[a] = slice(0, n, stride)
    return found[(*steps, *[slice(None, None, dilation)] * len(axes))]


def einsum(operands: tuple[str, str], result: str) -> Form:
    text = f"{operands[0]},{operands[1]}->{result}"
    return Form(operands, lambda x, y: mnp.einsum(text, x, y), lambda x, y: np.einsum(text, x, y))


FIRST, LAST = ("NCHW", "OIHW", "NCHW"), {"padding": 2, "dilation": 2}
FORMS = {
    "nn": Form(("mk", "kn"), lambda x, y: x @ y, np.matmul),
    "nt": Form(("mk", "nk"), lambda x, y: x @ y.T, lambda x, y: x @ y.T),
    "tn": Form(("km", "kn"), lambda x, y: x.T @ y, lambda x, y: x.T @ y),
    "tt": Form(("km", "nk"), lambda x, y: x.T @ y.T, lambda x, y: x.T @ y.T),
    "batched": Form(("bmk", "bkn"), lambda x, y: x @ y, np.matmul),
    "batched_last": einsum(("mkb", "nkb"), "bmn"),
    "two_sums": einsum(("kmb", "bnk"), "mn"),
    "matvec": Form(("mn", "n"), lambda x, y: x @ y, np.matmul),
    "vecmat": Form(("m", "mn"), lambda x, y: x @ y, np.matmul),
    "conv1": Form(
        ("bnk", "3km"),
        lambda x, w: nn.conv(x, w, padding=1),
        lambda x, w: np.einsum("bnkv,vkm->bnm", windows(x, 3, 1, 1, 1, (1,)), w),
    ),
    "conv2_stride2": Form(
        ("1bnk", "33km"),
        lambda x, w: nn.conv(x, w, stride=2, padding=1),
        lambda x, w: np.einsum("ahwkuv,uvkm->ahwm", windows(x, 3, 2, 1, 1, (1, 2)), w),
    ),
    "conv2_dilated_first": Form(
        ("1kbn", "mk33"),
        lambda x, w: nn.conv(x, w, padding=2, dilation=2, layout=FIRST),
        lambda x, w: np.einsum("akhwuv,mkuv->amhw", windows(x, 3, 1, 2, 2, (2, 3)), w),
    ),
}
CASES = [(form, dtype, target) for form in FORMS for dtype in DTYPES for target in TARGETS]
CHOSEN = sample(CASES, 40, "tiles")


def compiled(form: Form, dtype: str, sizes: Sizes | None = None) -> Any:
    """For sizes at run time, or these."""
    shapes = [[int(c) if c.isdigit() else sizes[c] if sizes else c for c in term] for term in form.operands]

    def program(x: Any, y: Any) -> Any:
        return form.build(x.astype("int32"), y.astype("int32")) if dtype == "int8" else form.build(x, y)

    return mlc.compile(program, *(mlc.spec(tuple(s), dtype) for s in shapes))


def longest_tile(exe: Any) -> int:
    steps = " ".join(str(kernel["schedule"]) for kernel in exe.report()["kernels"])
    return max((int(n) for n in re.findall(r"loop-tile\{[^}]*size=(\d+)(?![^}]*kind)", steps)), default=1)


def shapes(tile: int, r: random.Random) -> Iterator[Sizes]:
    """All of m and n up to twice the tile, or some: anywhere, at the edges, and without rows, columns or terms."""
    most = min(2 * tile + 1, 160)

    def drawn() -> int:
        near = r.choice([tile, 2 * tile, tile // 2]) + r.randint(-2, 2)
        return min(max(r.choice([near, near, r.randint(0, most)]), 0), most)

    pairs = itertools.product(range(most + 1), repeat=2) if FULL else ((drawn(), drawn()) for _ in range(SHAPES))
    for m, n in pairs:
        sizes = {"m": m, "n": n, "k": r.choice([0, 1, 2, 3, 5, 8, 16, 17]), "b": r.choice([0, 1, 1, 2, 2, 3])}
        few = not FULL and r.random() < 0.9
        yield {c: max(size, 1) for c, size in sizes.items()} if few else sizes


def arrays(form: Form, dtype: str, sizes: Sizes, exact: bool, r: random.Random) -> list[Np]:
    """Operands in guarded memory: a read behind their end finds NaN."""
    rng = np.random.default_rng(r.randrange(1 << 30))
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    found: list[Np] = []
    for term in form.operands:
        shape = [int(c) if c.isdigit() else sizes[c] for c in term]
        x, _ = guarded(shape, kind)
        if dtype == "int8":
            x[...] = rng.choice([-128, 127], shape) if exact else rng.integers(-128, 128, shape)
        else:
            x[...] = rng.integers(-4, 5, shape) if exact else rng.standard_normal(shape)
        found.append(x)
    if exact and dtype != "int8" and found[0].size:
        for value in r.sample([np.nan, np.inf], r.randint(0, 2)):
            found[0].reshape(-1)[r.randrange(found[0].size)] = value
    return found


def check(exe: Any, form: Form, dtype: str, sizes: Sizes, exact: bool, r: random.Random) -> None:
    xs = arrays(form, dtype, sizes, exact, r)
    before = [x.tobytes() for x in xs]
    wide = [x.astype(np.float64) for x in xs]
    kind = np.dtype(np.int32) if dtype == "int8" else xs[0].dtype
    with np.errstate(all="ignore"):
        reference = form.reference(*wide)
        want = reference.astype(kind)
        scale = float(form.reference(*map(np.abs, wide)).max(initial=0))
    out, whole = guarded(want.shape, kind)
    exe(*xs, out=out)
    assert [x.tobytes() for x in xs] == before, "an argument was written"
    assert (whole[:GUARD] == 0xFF).all() and (whole[len(whole) - GUARD :] == 0xFF).all(), "wrote outside of the result"
    if exact or dtype == "int8":
        # the sign of a sum of zeros is not asked for
        got, want = (a if dtype == "int8" else a + kind.type(0) for a in (out, want))
        assert_matches(Tolerance(), got, want)
    else:
        terms = form.reference(*map(np.ones_like, wide)).max(initial=0)
        sums = 4 * math.sqrt(terms) * 2**-23 / float(finfo(kind).eps)
        assert_matches(Tolerance(ulp=1, sums=sums, scale=scale), out, want)


@pytest.mark.parametrize(
    ("name", "dtype", "target"), CHOSEN, ids=[f"{f}-{d}-{t[0]}x{t[1]}" for f, d, t in CHOSEN], indirect=["target"]
)
def test_shapes_around_tiles(name: str, dtype: str, target: tuple[int, int]) -> None:
    form, r = FORMS[name], random.Random(f"{name} {dtype} {target}")
    exe = compiled(form, dtype)
    for at, sizes in enumerate(shapes(longest_tile(exe), r)):
        try:
            check(exe, form, dtype, sizes, at % 2 == 0, r)
            if at < FIXED:
                check(compiled(form, dtype, sizes), form, dtype, sizes, at % 2 == 0, r)
        except AssertionError as error:
            raise AssertionError(f"{name} {dtype} of sizes {sizes}: {error}") from error


@pytest.mark.parametrize("size", ["m", "n", "k"])
def test_sizes_of_zero_that_are_known(size: str, target: tuple[int, int]) -> None:
    form, sizes, r = FORMS["nn"], {"m": 8, "n": 8, "k": 8, size: 0}, random.Random(size)
    check(compiled(form, "float32", sizes), form, "float32", sizes, True, r)


@pytest.mark.parametrize("name", ["nn", "tn", "nt", "tt", "batched", "conv2_stride2"])
def test_copies_of_what_caches_do_not_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both operands packed, for tiles of all ends: on a machine whose caches hold nothing."""
    form, r = FORMS[name], random.Random(name)
    description = tmp_path / "small.toml"
    small = dataclasses.replace(Machine.host(), l1_bytes=1 << 11, l2_bytes=1 << 13, l3_bytes=1 << 15)
    description.write_text(small.text())
    monkeypatch.setenv("MLC_MACHINE", str(description))
    copies = ""
    for at in range(24 if FULL else 4):
        bits = r.choice(["128", "256", "512"])
        monkeypatch.setenv("MLC_VECTOR_BITS", bits)
        sizes = {"m": r.choice([48, 64, r.randint(33, 99)]), "n": r.randint(33, 150), "k": r.randint(17, 60), "b": 2}
        exe = compiled(form, "float32", sizes)
        steps = " ".join(str(kernel["schedule"]) for kernel in exe.report()["kernels"])
        copies += " ".join(re.findall(r"loop-pack\{value=\w+", steps))
        try:
            check(exe, form, "float32", sizes, at % 2 == 0, r)
        except AssertionError as error:
            raise AssertionError(f"{name} of sizes {sizes}, vectors of {bits} bits: {error}") from error
    assert "value=y" in copies and ("value=x" in copies or name not in ("tn", "tt"))

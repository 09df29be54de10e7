"""Lines that take turns are woven in registers, and factors that lie apart are copied together."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc import nn
from mlc.compiler.transforms.loop.rows import WAYS
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches

FIRST = ("NCHW", "OIHW", "NCHW")


def gradient(x: tuple[int, ...], stride: int, padding: int) -> Any:
    """Of a convolution by its input."""

    def program(w: Any, g: Any) -> Any:
        def conv(x: Any) -> Any:
            return nn.conv(x, w, stride, padding, layout=FIRST)

        return mlc.vjp(conv, mnp.zeros(x))[1](g)[0]

    return program


def reference(x: tuple[int, ...], w: Any, g: Any, stride: int, padding: int) -> Any:
    rows, columns = (n + 2 * padding for n in x[2:])
    found = np.zeros((*x[:2], rows, columns), np.float32)
    for i, j in np.ndindex(w.shape[2:]):
        at = (slice(k, k + stride * (n - 1) + 1, stride) for k, n in zip((i, j), g.shape[2:]))
        found[(slice(None), slice(None), *at)] += np.einsum("nohw,oc->nchw", g, w[:, :, i, j])
    return found[:, :, padding : rows - padding, padding : columns - padding]


@pytest.mark.parametrize("stride", [2, 3, 4, 5])
@pytest.mark.parametrize("size", [(9, 40), (24, 33), (31, 150)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_phases_of_a_transposed_convolution(stride: int, size: tuple[int, int], kernel: int) -> None:
    rng = np.random.default_rng(stride)
    x, padding = (1, 5, *size), kernel // 2
    places = tuple((n + 2 * padding - kernel) // stride + 1 for n in size)
    w = rng.integers(-3, 4, (6, 5, kernel, kernel)).astype(np.float32)
    g = rng.integers(-3, 4, (1, 6, *places)).astype(np.float32)
    exe = mlc.compile(gradient(x, stride, padding), w, g)
    assert_matches(EXACT, exe(w, g) + np.float32(0), reference(x, w, g, stride, padding) + np.float32(0))
    woven = any(s.startswith("loop-reorder") for s in exe.report()["kernels"][-1]["schedule"])
    assert woven == (stride in WAYS and size[1] >= 2 * stride), exe.report()["kernels"]


@pytest.mark.parametrize(
    ("text", "shapes", "copied"),
    [
        ("kmp,kpn->pmn", ((256, 64, 8), (256, 8, 640)), True),  # factors are eight apart
        ("mk,kn->mn", ((512, 512), (512, 512)), False),  # each row reads along its line
        ("km,kn->mn", ((256, 256), (256, 256)), False),  # the rows lie together
        ("kmp,kpn->pmn", ((16, 9, 8), (16, 8, 640)), False),  # all of it is in the first cache
    ],
)
def test_rows_that_lie_apart_are_copied(
    text: str, shapes: tuple[tuple[int, ...], ...], copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLC_VECTOR_BITS", "512")
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-3, 4, s).astype(np.float32) for s in shapes)

    def program(x: Any, y: Any) -> Any:
        return mnp.einsum(text, x, y)

    exe = mlc.compile(program, x, y)
    (kernel,) = exe.report()["kernels"]
    assert any("pack" in s and "value=x" in s for s in kernel["schedule"]) == copied, kernel["schedule"]
    want = np.einsum(text, x, y, optimize=True)
    assert_matches(EXACT, exe(x, y) + np.float32(0), want + np.float32(0))


@pytest.mark.parametrize(
    ("text", "shapes", "whole"),
    [
        ("mkb,nkb->bmn", ((9, 40, 4), (79, 40, 4)), True),  # neighbours of the lanes' operand are of other matrices
        ("bmk,bnk->bmn", ((4, 9, 40), (4, 79, 40)), False),  # each matrix by itself
    ],
)
def test_lanes_that_alternate_with_other_matrices_are_copied_at_once(
    text: str, shapes: tuple[tuple[int, ...], ...], whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLC_VECTOR_BITS", "512")
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-3, 4, s).astype(np.float32) for s in shapes)

    def program(x: Any, y: Any) -> Any:
        return mnp.einsum(text, x, y)

    exe = mlc.compile(program, x, y)
    (kernel,) = exe.report()["kernels"]
    order = [s.partition("{")[0] for s in kernel["schedule"]]
    assert (order.index("loop-pack") < order.index("loop-nest")) == whole, kernel["schedule"]
    assert_matches(EXACT, exe(x, y) + np.float32(0), np.einsum(text, x, y) + np.float32(0))

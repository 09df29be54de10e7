"""Contraction problems: shapes and data, what they must give, and mlc's program for each.

A problem is an einsum of two arrays, a convolution or one of its two gradients (channels first), a block of two
products with bias and gelu between, or a product with weights of four bits. With `constant` everything but the first
array is known when it is compiled. References are computed in float64.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ml_dtypes
import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
from mlc.runtime.matching import Tolerance, assert_matches

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
GROUP = 32
"""Rows of four-bit weights that have a scale in common."""
BLOCK = 128 * GROUP
"""Rows of large weights that are converted at once."""


@dataclass(frozen=True)
class Problem:
    """`kind`: einsum, conv, conv_input, conv_weight (the gradients of conv), mlp, four_bit.

    `shapes` are those of the operands; of a gradient, those of the convolution's input and weight.
    """

    kind: str
    shapes: tuple[Shape, ...]
    text: str = ""
    dtype: str = "float32"
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    constant: bool = False
    erf: bool = False
    """Of an mlp: the exact gelu, else its tanh form."""

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Of an einsum's letters."""
        given, _ = self.text.split("->")
        return {a: n for term, shape in zip(given.split(","), self.shapes) for a, n in zip(term, shape, strict=True)}

    @property
    def places(self) -> Shape:
        """The spatial sizes of a convolution's result."""
        spatial = zip(self.shapes[0][2:], self.shapes[1][2:], strict=True)
        return tuple((n + 2 * self.padding - self.dilation * (k - 1) - 1) // self.stride + 1 for n, k in spatial)

    @property
    def result(self) -> Shape:
        """The shape of a convolution's result."""
        return (self.shapes[0][0], self.shapes[1][0], *self.places)

    @cached_property
    def flops(self) -> float:
        """Two for each product of the sum as written; additions of a bias and gelu are not counted."""
        if self.kind == "einsum":
            return 2.0 * math.prod(self.sizes.values())
        if self.kind == "mlp":
            return 2.0 * self.shapes[0][0] * (math.prod(self.shapes[1]) + math.prod(self.shapes[3]))
        if self.kind == "four_bit":
            return 2.0 * math.prod(self.shapes[0]) * self.shapes[1][1]
        return 2.0 * math.prod(self.places) * self.shapes[0][0] * math.prod(self.shapes[1])

    @cached_property
    def weight_bytes(self) -> float:
        """Of the second operand."""
        if self.kind == "four_bit":
            return math.prod(self.shapes[1]) / 2
        return float(math.prod(self.shapes[1]) * np.dtype(numpy_type(self.dtype)).itemsize)

    @property
    def bytes_moved(self) -> float:
        """Of operands and result, each once."""
        size = np.dtype(numpy_type(self.dtype)).itemsize
        if self.kind == "four_bit":
            return self.weight_bytes * (1 + 8 / GROUP) + 4.0 * (self.shapes[0][1] + self.shapes[1][1])
        given = float(sum(math.prod(s) for s in self.shapes))
        if self.kind == "einsum":
            result = math.prod(self.sizes[i] for i in self.text.split("->")[1])
            return given * size + result * self.result_type.itemsize
        if self.kind == "mlp":
            return (given + math.prod(self.shapes[0])) * size
        return (given + math.prod(self.result)) * size

    @property
    def terms(self) -> int:
        """How many products are added for one element, at most."""
        if self.kind == "einsum":
            return math.prod(n for a, n in self.sizes.items() if a not in self.text.split("->")[1])
        if self.kind in ("mlp", "four_bit"):
            return max(max(s) for s in self.shapes)
        if self.kind == "conv_weight":
            return self.shapes[0][0] * math.prod(self.places)
        return math.prod(self.shapes[1]) // (1 if self.kind == "conv_input" else self.shapes[1][0])

    def arrays(self, seed: int = 0) -> list[Array]:
        """Operands: normal numbers, or all numbers of int8."""
        rng = np.random.default_rng(seed)
        if self.kind == "four_bit":
            x, w = self.shapes
            scales = rng.random((w[0] // GROUP, w[1]), np.float32)
            return [
                rng.standard_normal(x, np.float32),
                rng.integers(0, 256, (w[0], w[1] // 2), np.uint8),
                (scales + 0.5) / 8,
            ]
        shapes = self.shapes
        if self.kind in ("conv_input", "conv_weight"):
            shapes = (shapes[1] if self.kind == "conv_input" else shapes[0], self.result)
        if self.dtype == "int8":
            return [rng.integers(-128, 128, s, np.int8) for s in shapes]
        scales = [1 / math.sqrt(s[0]) if self.kind == "mlp" and k else 1 for k, s in enumerate(shapes)]
        drawn = (rng.standard_normal(s, np.float32) * np.float32(c) for s, c in zip(shapes, scales))
        return [x.astype(numpy_type(self.dtype)) for x in drawn]

    def reference(self, arrays: Sequence[Array]) -> Array:
        """The result, computed in float64 and rounded once."""
        if self.kind == "four_bit":
            x, w, scales = arrays
            scale = lambda k: np.repeat(scales[k.start // GROUP : k.stop // GROUP], GROUP, 0)
            return in_blocks(lambda k: signed(w[k]) * scale(k), x).astype(np.float32)
        if self.kind == "einsum" and self.text == "mk,kn->mn" and self.weight_bytes > 64 << 20:
            return in_blocks(lambda k: arrays[1][k], arrays[0]).astype(self.result_type)
        wide = [a.astype(np.float64) for a in arrays]
        if self.kind == "einsum":
            found = product(self.text, *wide)
        elif self.kind == "mlp":
            x, w1, b1, w2, b2 = wide
            found = gelu(x @ w1 + b1, self.erf) @ w2 + b2
        else:
            found = taps(self, *wide)
        return found.astype(self.result_type)

    @property
    def result_type(self) -> Any:
        return np.dtype(np.int32) if self.dtype == "int8" else numpy_type(self.dtype)

    def check(self, got: Any, want: Array) -> None:
        """AssertionError where `got` is not `want`."""
        if self.dtype == "int8":
            assert_matches(Tolerance(), got, want)
        elif self.dtype == "bfloat16":
            assert_matches(Tolerance(ulp=2, sums=1), got, want)
        else:
            assert_matches(Tolerance(ulp=64, sums=4 * math.sqrt(self.terms)), got, want)


def numpy_type(dtype: str) -> Any:
    return np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)


def signed(packed: Array) -> Array:
    """Two elements of four bits in each byte, the lower first, as int8."""
    halves = np.stack([packed << 4, packed & 0xF0], -1).reshape(*packed.shape[:-1], -1)
    return halves.view(np.int8) >> 4


def gelu(x: Array, erf: bool) -> Array:
    """x * (1 + erf(x / sqrt 2)) / 2, or x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2"""
    if erf:
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def in_blocks(rows: Callable[[slice], Array], x: Array) -> Array:
    """x @ w in float64 without all of w in float64."""
    blocks = (slice(k, k + BLOCK) for k in range(0, x.shape[1], BLOCK))
    return np.sum([x[:, k].astype(np.float64) @ rows(k).astype(np.float64) for k in blocks], 0)


def product(text: str, x: Array, y: Array) -> Array:
    """An einsum as one (batched) matrix product, so that BLAS computes it; integers exactly in float64."""
    (a, b), out = text.split("->")[0].split(","), text.split("->")[1]
    batch = [i for i in a if i in b and i in out]
    rows, columns = [i for i in a if i not in b], [i for i in b if i not in a]
    inner = [i for i in a if i in b and i not in out]
    n = {i: s for t, z in ((a, x), (b, y)) for i, s in zip(t, z.shape)}
    count = lambda letters: math.prod(n[i] for i in letters)
    left = x.transpose([a.index(i) for i in (*batch, *rows, *inner)]).astype(np.float64, copy=False)
    right = y.transpose([b.index(i) for i in (*batch, *inner, *columns)]).astype(np.float64, copy=False)
    left = left.reshape(count(batch), count(rows), count(inner))
    right = right.reshape(count(batch), count(inner), count(columns))
    order = [*batch, *rows, *columns]
    return (left @ right).reshape([n[i] for i in order]).transpose([order.index(i) for i in out])


def taps(p: Problem, x: Array, y: Array) -> Array:
    """A convolution or a gradient of one, as a sum of matrix products over the kernel's elements."""
    (n, c, *spatial), (o, each, *kernel), g = p.shapes[0], p.shapes[1], p.groups
    padded = [s + 2 * p.padding for s in spatial]
    if p.kind == "conv_input":
        image, w, grad = np.zeros((n, c, *padded)), x, y
    else:
        image = np.pad(x, [(0, 0), (0, 0), *[(p.padding, p.padding)] * len(spatial)])
        w, grad = (y, np.zeros((n, o, *p.places))) if p.kind == "conv" else (np.zeros(p.shapes[1]), y)
    places, result = math.prod(p.places), grad.reshape(n, g, o // g, -1)
    for tap in itertools.product(*map(range, kernel)):
        starts = [t * p.dilation for t in tap]
        window = tuple(slice(t, t + (m - 1) * p.stride + 1, p.stride) for t, m in zip(starts, p.places))
        seen = image[(slice(None), slice(None), *window)]
        weight = w[(slice(None), slice(None), *tap)].reshape(g, o // g, each)
        if p.kind == "conv":
            result += weight @ seen.reshape(n, g, each, places)
        elif p.kind == "conv_input":
            seen += (weight.swapaxes(1, 2) @ result).reshape(seen.shape)
        else:
            found = (result @ seen.reshape(n, g, each, places).swapaxes(2, 3)).sum(0)
            w[(slice(None), slice(None), *tap)] = found.reshape(o, each)
    inside = tuple(slice(p.padding, p.padding + s) for s in spatial)
    return {"conv": grad, "conv_input": image[(slice(None), slice(None), *inside)], "conv_weight": w}[p.kind]


def program(p: Problem) -> Callable[..., Any]:
    """The problem in mlc's array language, a function of its arrays."""
    if p.kind == "einsum" and p.dtype == "int8":
        return lambda x, w: mnp.einsum(p.text, x.astype("int32"), w.astype("int32"))
    if p.kind == "einsum":
        return lambda x, w: mnp.einsum(p.text, x, w)
    if p.kind == "mlp":
        active = (lambda y: 0.5 * y * (1 + nn.erf(y * math.sqrt(0.5)))) if p.erf else nn.gelu
        return lambda x, w1, b1, w2, b2: active(x @ w1 + b1) @ w2 + b2
    if p.kind == "four_bit":

        def four_bit(x: Any, w: Any, scales: Any) -> Any:
            (k, _), (groups, n) = p.shapes[1], scales.shape
            weights = mnp.unpack(w, "int4").astype("float32").reshape(groups, GROUP, n) * scales[:, None, :]
            return x @ weights.reshape(k, n)

        return four_bit
    spatial = "DHW"[-len(p.places) :]
    layout = (f"NC{spatial}", f"OI{spatial}", f"NC{spatial}")

    def conv(x: Any, w: Any) -> Any:
        return nn.conv(x, w, p.stride, p.padding, p.dilation, p.groups, layout=layout)

    if p.kind == "conv":
        return conv
    if p.kind == "conv_input":
        return lambda w, g: mlc.vjp(lambda x: conv(x, w), mnp.zeros(p.shapes[0]))[1](g)[0]
    return lambda x, g: mlc.vjp(lambda w: conv(x, w), mnp.zeros(p.shapes[1]))[1](g)[0]


def compiled(p: Problem, arrays: Sequence[Array], threads: int = 1, symbolic: bool = False, **options: Any) -> Any:
    """mlc's executable. `symbolic`: the sizes of an einsum are given at run time."""
    fn = program(p)
    specs = [mlc.spec(a.shape, str(a.dtype)) for a in arrays]
    if symbolic:
        specs = [mlc.spec(tuple(term), str(a.dtype)) for term, a in zip(p.text.split("->")[0].split(","), arrays)]
    if p.constant:
        names = fn.__code__.co_varnames[1 : fn.__code__.co_argcount]
        options["constants"] = dict(zip(names, arrays[1:], strict=True))
        specs = specs[:1]
    return mlc.compile(fn, *specs, threads=threads, **options)


def given(p: Problem, arrays: Sequence[Array]) -> list[Array]:
    """The arrays that an executable of the problem takes."""
    return list(arrays[:1] if p.constant else arrays)

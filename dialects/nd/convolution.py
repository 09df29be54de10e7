"""Convolutions of any rank as contractions: one index map holds strides, dilations, padding and groups.

    conv             n, 2*s+k-1, c  times  k, c, o       gives n, s, o: stride 2, padding 1
    conv_transpose   n, (p-k+1)/2, c  times  k, c, o     gives n, p, o: the transpose of the map above for its input
    groups           the channels of both operands and of the result get one more letter, a batch letter

No kernel is reversed (as networks count it). Gradients are the transposes of the map (`DimMap.transposed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from . import movement
from .array import Array
from .contraction import contract
from .dimmap import DimMap, Dims, Index, bare
from .dims import Dim, Shape, Sym, show
from .products import alike
from .promotion import fail

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Layout:
    """Letters of the dimensions: N and C of input and result, I and O of the kernel, the rest spatial."""

    x: str
    w: str
    y: str

    @property
    def spatial(self) -> str:
        """In the order of the input."""
        return "".join(c for c in self.x if c not in "NC")


def layout_of(layout: Any, rank: int) -> Layout:
    """Of an input of this rank. `"NCHW"`: the kernel is OIHW; `"NHWC"`, the default: HWIO; or all three texts."""
    if rank < 2:
        raise fail(f"expected an input of at least two dimensions (batch and channels), found {rank}")
    if layout is None:
        inner = "DHW"[5 - rank :] if rank <= 5 else "".join(chr(ord("a") + k) for k in range(rank - 2))
        layout = f"N{inner}C"
    if isinstance(layout, str):
        inner = "".join(c for c in layout if c not in "NC")
        layout = (layout, f"OI{inner}" if layout[:2] == "NC" else f"{inner}IO", layout)
    texts = each(layout, 0)
    if len(texts) != 3 or not all(isinstance(t, str) for t in texts):
        raise fail(f'expected a layout such as "NHWC" or ("NHWC", "HWIO", "NHWC"), found {layout!r}')
    found = Layout(*texts)
    for text, letters in ((found.x, "NC"), (found.w, "IO"), (found.y, "NC")):
        if sorted(text) != sorted(found.spatial + letters):
            raise fail(
                f'expected {letters[0]}, {letters[1]} and one letter for each of "{found.spatial}", found "{text}"'
            )
    if len(found.x) != rank or len(set(found.x)) != rank:
        raise fail(f'expected a layout of {rank} different letters, found "{found.x}"')
    return found


def each(given: Any, rank: int) -> list[Any]:
    """One value for all dimensions, or one for each."""
    return list(cast(Any, given)) if isinstance(given, Sequence) else [given] * rank


def per_dimension(what: str, given: Any, rank: int, least: int = 1) -> list[int]:
    """One number for all spatial dimensions, or one for each."""
    values = each(given, rank)
    if len(values) != rank or not all(isinstance(v, int) and v >= least for v in values):
        raise fail(f"expected {what} of at least {least} for each of {rank} spatial dimensions, found {given!r}")
    return values


def dilated(n: Dim, by: int) -> Dim:
    """The size with by - 1 places between neighbours."""
    return n if by == 1 or n == 0 else (n + -1) * by + 1


def window_count(n: Dim, k: Dim, stride: int, low: int, high: int, dilation: int, base: int) -> Dim:
    """How many windows fit; of sizes known at run time only, one fits at least."""
    left = dilated(n, base) + (low + high) + dilated(k, dilation) * -1
    return 0 if isinstance(left, int) and left < 0 else left // stride + 1


def paddings(
    padding: Any, sizes: Sequence[Dim], kernel: Sequence[Dim], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Places before and behind each (dilated) spatial dimension: `same` gives ceil(n / stride) windows."""
    rank = len(sizes)
    if padding == "valid":
        return [(0, 0)] * rank
    if padding == "same":
        out: list[tuple[int, int]] = []
        for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
            whole = dilated(k, d)
            total = whole + -1 if s == 1 else ((n + (s - 1)) // s + -1) * s + whole + n * -1
            if not isinstance(total, int):
                raise fail(f'expected stride 1 or padding as numbers where a size is symbolic, found "same" for {n}')
            total = max(total, 0)
            out.append((total // 2, total - total // 2))
        return out
    pairs = [pair_of(p) for p in each(padding, rank)]
    if len(pairs) != rank or None in pairs:
        raise fail(
            f'expected "same", "valid", a number or a pair (before, behind) for each of {rank} dimensions as padding, '
            f"found {padding!r}"
        )
    return [p for p in pairs if p is not None]


def pair_of(p: Any) -> tuple[int, int] | None:
    if isinstance(p, int):
        return p, p
    values = each(p, 0)
    return (values[0], values[1]) if len(values) == 2 and all(isinstance(v, int) for v in values) else None


def conv(
    x: Array,
    w: Array,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    base: Sequence[int] | None = None,
    groups: int = 1,
    layout: Layout | None = None,
) -> Array:
    """x [n, *spatial, c] and w [*kernel, c / groups, o] give [n, *spatial, o]; `base` dilates x, `dilation` w."""
    at = layout or layout_of(None, x.ndim)
    base = base or [1] * len(at.spatial)
    xs, ws = sizes_of(x, at.x), sizes_of(w, at.w)
    check_groups(ws["O"], groups, "output channels of the kernel")
    if ws["I"] * groups != xs["C"]:
        raise fail(f"expected a kernel of {xs['C']} / {groups} input channels for {x.type}, found {w.type}")
    index: dict[str, Index] = {}
    out: dict[str, Dim] = {"N": xs["N"], "C": ws["O"]}
    for c, st, (low, high), di, b in zip(at.spatial, stride, padding, dilation, base, strict=True):
        plain = (ws[c], st, low, high, b) == (1, 1, 0, 0, 1)
        index[c] = bare(f"s{c}") if plain else Index(((f"s{c}", st), (f"k{c}", di)), -low, b)
        out[c] = window_count(xs[c], ws[c], st, low, high, di, b)
    return grouped(x, w, at, index, out, groups, "O")


def conv_transpose(
    x: Array,
    w: Array,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    extra: Sequence[int],
    groups: int,
    layout: Layout,
) -> Array:
    """Each element of x [n, *spatial, c] puts w [*kernel, c, o / groups] times itself at stride * its place.

    `padding` is cut off, `extra` places are added behind.
    """
    xs, ws = sizes_of(x, layout.x), sizes_of(w, layout.w)
    check_groups(xs["C"], groups, "channels of the input")
    if ws["I"] != xs["C"]:
        raise fail(f"expected a kernel of {xs['C']} input channels for {x.type}, found {w.type}")
    index: dict[str, Index] = {}
    out: dict[str, Dim] = {"N": xs["N"], "C": ws["O"] * groups}
    for c, st, (low, high), di, more in zip(layout.spatial, stride, padding, dilation, extra, strict=True):
        index[c] = Index(((f"s{c}", 1), (f"k{c}", -di)), low, st)
        whole = dilated(xs[c], st) + dilated(ws[c], di) + (more - 1 - low - high)
        out[c] = 0 if xs[c] == 0 else max(whole, 0) if isinstance(whole, int) else whole
    return grouped(x, w, layout, index, out, groups, "I")


def sizes_of(x: Array, letters: str) -> dict[str, Dim]:
    if x.ndim != len(letters):
        raise fail(f"expected {len(letters)} dimensions ({letters}), found {x.type}")
    return dict(zip(letters, x.shape, strict=True))


def check_groups(channels: Dim, groups: int, what: str) -> None:
    if groups < 1 or (groups > 1 and (not isinstance(channels, int) or channels % groups)):
        raise fail(f"expected {what} that {groups} groups divide, found {channels}")


def grouped(
    x: Array, w: Array, at: Layout, index: dict[str, Index], out: dict[str, Dim], groups: int, split: str
) -> Array:
    """The contraction; of groups, the channels of x, of the kernel's `split` dimension and of the result in two."""
    group = (bare("g"),) if groups > 1 else ()
    parts: dict[str, Dims] = {"N": (bare("n"),), "C": (*group, bare("c")), **{c: (i,) for c, i in index.items()}}
    kernel: dict[str, Dims] = {"I": (bare("c"),), "O": (bare("o"),), **{c: (bare(f"k{c}"),) for c in at.spatial}}
    kernel[split] = (*group, *kernel[split])
    result: dict[str, Dims] = {"N": (bare("n"),), "C": (*group, bare("o"))}
    result |= {c: (bare(f"s{c}"),) for c in at.spatial}
    shape = divided(at.y, [out[c] for c in at.y], "C", groups)
    m = DimMap(
        (
            tuple(i for c in at.x for i in parts[c]),
            tuple(i for c in at.w for i in kernel[c]),
        ),
        tuple(i for c in at.y for i in result[c]),
    )
    if groups > 1:
        x = movement.reshape(x, divided(at.x, x.shape, "C", groups))
        w = movement.reshape(w, divided(at.w, w.shape, split, groups))
    y = contract([x, w], m, shape)
    return movement.reshape(y, tuple(out[c] for c in at.y)) if groups > 1 else y


def divided(letters: str, shape: Sequence[Dim], letter: str, groups: int) -> Shape:
    """The shape with one dimension as groups and what is in each."""
    if groups == 1:
        return tuple(shape)
    out: list[Dim] = []
    for c, d in zip(letters, shape, strict=True):
        out += [groups, d // groups] if c == letter else [d]
    return tuple(out)


# What `mlc.nn` calls.


def convolve(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    input_dilation: Any = 1,
    layout: Any = None,
    bias: Any = None,
) -> Array:
    """`conv` with numbers for all dimensions at once, and paddings by name."""
    x, w = alike([x, w])
    at = layout_of(layout, x.ndim)
    r = len(at.spatial)
    st, di, ba = (
        per_dimension(what, v, r)
        for what, v in (("stride", stride), ("dilation", dilation), ("input_dilation", input_dilation))
    )
    xs, ws = sizes_of(x, at.x), sizes_of(w, at.w)
    sizes = [dilated(xs[c], b) for c, b in zip(at.spatial, ba, strict=True)]
    pairs = paddings(padding, sizes, [ws[c] for c in at.spatial], st, di)
    return biased(conv(x, w, st, pairs, di, ba, groups, at), bias, at)


def convolve_transpose(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    output_padding: Any = 0,
    layout: Any = None,
    bias: Any = None,
) -> Array:
    """`conv_transpose` likewise; `same` gives n * stride places."""
    x, w = alike([x, w])
    at = layout_of(layout, x.ndim)
    r = len(at.spatial)
    st, di = per_dimension("stride", stride, r), per_dimension("dilation", dilation, r)
    extra = per_dimension("output_padding", output_padding, r, 0)
    ws = sizes_of(w, at.w)
    kernel = [ws[c] for c in at.spatial]
    if padding == "same":
        wholes = [dilated(k, d) for k, d in zip(kernel, di, strict=True)]
        if any(isinstance(k, Sym) for k in wholes):
            raise fail(f'expected a kernel of known sizes for padding "same", found {show(kernel)}')
        total = [int(cast(int, k)) - s for k, s in zip(wholes, st, strict=True)]
        pairs = [(max(t, 0) // 2, max(t, 0) - max(t, 0) // 2) for t in total]
        extra = [e + max(-t, 0) for e, t in zip(extra, total, strict=True)]
    else:
        pairs = paddings(padding, kernel, kernel, st, di)
    return biased(conv_transpose(x, w, st, pairs, di, extra, groups, at), bias, at)


def biased(y: Array, bias: Any, at: Layout) -> Array:
    if bias is None:
        return y
    (bias, _) = alike([bias, y])
    if bias.ndim != 1:
        raise fail(f"expected a bias of one dimension, the channels, found {bias.type}")
    return y + movement.reshape(bias, tuple(bias.shape[0] if c == "C" else 1 for c in at.y))

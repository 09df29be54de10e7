"""Which programs are measured that are no contraction alone, in which groups, and what their rows are called.

A case gives rows `NAME` (the best peer's time by ours) and `NAME_share` (its bound by our time, in %): the bound is
what moving its bytes takes at the level of the caches where they lie, or its functions, or its products, whatever is
more. `SUMMARIES` are rows over whole groups.
"""

# J and T are the modules of JAX and torch.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from .contraction_cases import Summary, shape
from .function_problems import Function
from .programs import HEADS, attention, convolution, gelu, jax_norm, layer_norm, softmax, suite


@dataclass(frozen=True)
class Case:
    name: str
    groups: tuple[str, ...]
    program: Function
    peers: bool = True
    versus: tuple[str, ...] = ()
    """Peers with a row `NAME_over_PEER` of their own."""
    share: bool = True
    """Whether there is a row `NAME_share`."""

    def rows(self) -> list[str]:
        """The names of the rows."""
        over = [f"{self.name}_over_{peer}" for peer in self.versus]
        return [*([self.name] if self.peers else []), *([f"{self.name}_share"] if self.share else []), *over]


K, M = 1 << 10, 1 << 20
SIZES = {"1K": K, "4K": 4 * K, "16K": 16 * K, "64K": 64 * K, "256K": 256 * K, "1M": M, "4M": 4 * M, "16M": 16 * M}


def same(fn: Any) -> dict[str, Any]:
    """A function of operators alone, which is the same in all languages."""
    return {"jax": lambda J: fn, "torch": lambda T: fn, "numpy": lambda N: fn}


def elementwise() -> Iterator[Case]:
    for name, n in SIZES.items():
        groups = ("ew", "ew_16M") if name == "16M" else ("ew",)
        yield Case(f"ew_{name}", groups, Function(((n,),) * 4, **same(lambda a, b, c, d: d + (a + b) * c)))
    for name, n in (("64K", 64 * K), ("1M", M)):
        rows = (n // 1024, 1024)
        yield Case(
            f"ew_bias_relu_{name}",
            ("ew",),
            Function((rows, (1024,)), lambda J: lambda x, b: J.nn.relu(x + b), lambda T: lambda x, b: T.relu(x + b)),
        )
        yield Case(
            f"ew_leaky_{name}",
            ("ew",),
            Function(
                ((n,),),
                lambda J: lambda x: J.numpy.where(x > 0, x, 0.1 * x),
                lambda T: lambda x: T.nn.functional.leaky_relu(x, 0.1),
            ),
        )
        yield Case(
            f"ew_clip_{name}",
            ("ew",),
            Function(
                ((n,), (n,)),
                lambda J: lambda x, y: J.numpy.clip(x * 0.25 + y, 0, 1),
                lambda T: lambda x, y: T.clamp(x * 0.25 + y, 0, 1),
            ),
        )
    yield Case("ew_transposed_1M", ("ew_moved",), Function(((1024, 1024),) * 2, **same(lambda x, y: x.T + y)))


def active() -> Iterator[Case]:
    for sizes in ((512, 1024), (4096, 1024), (6144, 512), (64, 8192), (128, 128), (4096, 64), (16384, 16)):
        group = "softmax_long" if sizes[-1] >= 512 else "softmax_short"
        yield Case(f"softmax_{shape(sizes)}", ("active", group), softmax(*sizes))
    for name in ("64K", "1M", "4M"):
        yield Case(f"gelu_{name}", ("active", "gelu"), gelu(SIZES[name]))


def rms_norm(J: Any) -> Any:
    return lambda x, scale: x * J.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale


def norms() -> Iterator[Case]:
    for sizes in ((128, 768), (512, 768), (4096, 768), (1024, 64)):
        line = sizes[-1:]
        yield Case(f"layer_norm_{shape(sizes)}", ("norms",), layer_norm(*sizes))
        function = Function(
            (sizes, line),
            rms_norm,
            lambda T: lambda x, g: T.nn.functional.rms_norm(x, x.shape[-1:], g, 1e-5),
            terms=line[0],
        )
        yield Case(f"rms_norm_{shape(sizes)}", ("norms",), function)


AXES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "last": ((1024, 1024), (1,)),
    "first": ((1024, 1024), (0,)),
    "middle": ((32, 256, 128), (1,)),
    "outer": ((32, 256, 128), (0, 2)),
    "short": ((16384, 16), (1,)),
    "cached": ((128, 128), (1,)),
}


def reductions() -> Iterator[Case]:
    for where, (sizes, axes) in AXES.items():
        terms = prod(sizes[a] for a in axes)
        for name, jax, torch in (
            ("sum", lambda J, a: lambda x: x.sum(a), lambda T, a: lambda x: x.sum(a)),
            ("max", lambda J, a: lambda x: x.max(a), lambda T, a: lambda x: x.amax(a)),
            ("var", lambda J, a: lambda x: x.var(a), lambda T, a: lambda x: x.var(a, correction=0)),
        ):
            function = Function(
                (sizes,),
                lambda J, jax=jax, axes=axes: jax(J, axes),
                lambda T, torch=torch, axes=axes: torch(T, axes),
                terms=terms,
            )
            yield Case(f"{name}_{where}", ("norms",), function)
        if len(axes) == 1:
            (axis,) = axes
            function = Function(
                (sizes,),
                lambda J, axis=axis: lambda x: x.argmax(axis),
                lambda T, axis=axis: lambda x: x.argmax(axis),
            )
            yield Case(f"argmax_{where}", ("norms",), function)


def moved() -> Iterator[Case]:
    """What has no bar of its own."""
    for where, axis in (("last", 1), ("first", 0)):
        function = Function(
            ((1024, 1024),),
            lambda J, axis=axis: lambda x: J.numpy.cumsum(x, axis),
            lambda T, axis=axis: lambda x: T.cumsum(x, axis),
            terms=1024,
        )
        yield Case(f"cumsum_{where}", ("moved",), function)
    pool = Function(
        ((1, 64, 112, 112),),
        lambda J: lambda x: J.lax.reduce_window(x, -J.numpy.inf, J.lax.max, (1, 1, 3, 3), (1, 1, 2, 2), "VALID"),
        lambda T: lambda x: T.nn.functional.max_pool2d(x, 3, 2),
    )
    yield Case("max_pool_64x112", ("moved",), pool)
    rows = Function(
        ((30000, 768), (512, "index 30000")),
        lambda J: lambda w, i: J.numpy.take(w, i, 0, mode="clip"),
        lambda T: lambda w, i: T.nn.functional.embedding(i, w),
    )
    yield Case("embedding_512x768", ("moved",), rows)


def attentions() -> Iterator[Case]:
    for length in (128, 512, 1024, 2048, 4096):
        for causal in (False, True):
            name = "causal" if causal else "attention"
            function = attention(HEADS, length, 64, causal)
            yield Case(f"{name}_{HEADS}x{length}x64", ("attention", f"attention_{name}"), function)


SIMPLE = ("stablehlo-to-nd", "inline", "symbol-dce", "canonicalize{numerics=fast}")
"""What brings a program to the form in which convolutions are found."""


def fast() -> Iterator[Case]:
    """At the level `fast`: convolutions as the cost model wants them, and by tiles of 4 x 4 and 2 x 2."""
    for channels, size in ((64, 56), (128, 28), (256, 14)):
        function = replace(convolution(channels, size, 3), numerics="fast", constant=True)
        name = f"conv3x3_{channels}x{size}_fast"
        yield Case(name, ("fast",), function, share=False)
        for tile in (4, 2):
            forced = replace(function, passes=(*SIMPLE, f"winograd{{tile={tile}}}"))
            yield Case(f"{name}_{tile}", (f"fast_{tile}",), forced, share=False)
    block = replace(suite()["resblock_64x56"], numerics="fast")
    yield Case("suite_resblock_64x56_fast", ("block_fast",), block, share=False)


def programs() -> Iterator[Case]:
    """The suite."""
    for name, function in suite().items():
        groups = ["suite"]
        groups += ["suite_work"] if name not in ("ew_4K", "tiny_8x16") else []
        groups += ["training"] if function.trains else []
        groups += ["tiny"] if name == "tiny_8x16" else []
        block = name.startswith(("resblock", "transformer"))
        groups += [name.partition("_")[0]] if block else []
        yield Case(f"suite_{name}", tuple(groups), function, versus=("inductor",) if block else (), share=False)


def unseen(seed: int) -> Iterator[Case]:
    """Programs whose sizes a seed draws."""
    some = random.Random(seed).randint
    name = lambda what: f"unseen_{what}_seed{seed}"
    groups = ("unseen",)
    b, n, k = some(8, 48), some(60, 400), some(40, 200)
    yield Case(name("softmax_middle"), groups, softmax(b, n, k, axis=1), peers=False)
    rows, width, out = some(64, 256), some(200, 900), some(128, 512)

    def projected(J: Any) -> Any:
        normalised = jax_norm(J)
        return lambda x, g, b, w: normalised(x, g, b) @ w

    yield Case(
        name("normalise_project"),
        groups,
        Function(
            ((rows, width), (width,), (width,), (width, out)),
            projected,
            lambda T: lambda x, g, b, w: T.nn.functional.layer_norm(x, x.shape[-1:], g, b) @ w,
            flops=2.0 * rows * width * out,
            terms=width,
        ),
        peers=False,
    )
    b, n, k = some(4, 24), some(100, 600), some(40, 300)
    yield Case(
        name("cumsum_strided"),
        groups,
        Function(
            ((b, n, k),),
            lambda J: lambda x: J.numpy.cumsum(x, 1),
            lambda T: lambda x: T.cumsum(x, 1),
            terms=n,
        ),
        peers=False,
    )
    b, n, k = some(40, 120), some(60, 200), some(100, 600)
    yield Case(
        name("argmax_broadcasts"),
        groups,
        Function(
            ((b, k), (n, k)),
            lambda J: lambda x, y: (x[:, None, :] + y[None, :, :]).argmax(2),
            lambda T: lambda x, y: (x[:, None, :] + y[None, :, :]).argmax(2),
            flops=6.0 * b * n * k,  # an addition, a comparison, a choice: each as long as a multiply-add
        ),
        peers=False,
    )
    b, n, k = some(8, 40), some(60, 300), some(40, 300)
    yield Case(
        name("masked_mean"),
        groups,
        Function(
            ((b, n, k), (b, n, k, "mask")),
            lambda J: lambda x, m: J.numpy.where(m, x, 0).sum((1, 2)) / m.sum((1, 2)),
            lambda T: lambda x, m: T.where(m, x, 0).sum((1, 2)) / m.sum((1, 2)),
            terms=n * k,
        ),
        peers=False,
    )


def cases(seeds: tuple[int, ...]) -> list[Case]:
    """All of them."""
    found = [*elementwise(), *active(), *norms(), *reductions(), *moved(), *attentions(), *fast(), *programs()]
    return [*found, *(case for seed in seeds for case in unseen(seed))]


SUMMARIES = (
    Summary("ew_share_minimum", "ew", "_share"),
    Summary("ew_mean", "ew", "", mean=True),
    Summary("ew_minimum", "ew", ""),
    Summary("softmax_long_share_minimum", "softmax_long", "_share"),
    Summary("softmax_short_share_minimum", "softmax_short", "_share"),
    Summary("gelu_share_minimum", "gelu", "_share"),
    Summary("active_mean", "active", "", mean=True),
    Summary("norms_share_minimum", "norms", "_share"),
    Summary("norms_mean", "norms", "", mean=True),
    Summary("norms_minimum", "norms", ""),
    Summary("attention_share_minimum", "attention_attention", "_share"),
    Summary("causal_share_minimum", "attention_causal", "_share"),
    Summary("attention_mean", "attention", "", mean=True),
    Summary("attention_minimum", "attention", ""),
    Summary("fast_4_minimum", "fast_4", ""),
    Summary("fast_2_minimum", "fast_2", ""),
    Summary("training_mean", "training", "", mean=True),
    Summary("suite_mean", "suite", "", mean=True),
    Summary("suite_work_mean", "suite_work", "", mean=True),
    Summary("suite_minimum", "suite", ""),
    Summary("unseen_share_minimum", "unseen", "_share"),
)


def row_names() -> list[str]:
    """Every row that a complete run prints."""
    return [*(name for case in cases((0, 1, 2)) for name in case.rows()), *(s.name for s in SUMMARIES)]

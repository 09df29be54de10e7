"""Which contractions are measured, in which groups, and what their rows are called.

A case `mm_1024x1024x1024` (M, N, K) gives rows `NAME` (the best peer's time by ours), `NAME_peak` (its share of what
the core can do), and `NAME_over_...` for every other program that is timed beside it. `SUMMARIES` names rows over whole
groups: geometric means and minima.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .problems import GROUP, Problem


@dataclass(frozen=True)
class Program:
    """mlc's program for a problem."""

    problem: Problem
    symbolic: bool = False
    threads: int = 0
    """0: as many as the run has."""


@dataclass(frozen=True)
class Case:
    name: str
    groups: tuple[str, ...]
    program: Program
    beside: tuple[tuple[str, Program], ...] = ()
    """Further programs of mlc by name: the row `NAME_over_LABEL` says how much more this one computes in a second."""
    percent: bool = False
    """Whether rows about those are in %."""
    peers: bool = True
    versus: tuple[str, ...] = ()
    """Peers with a row `NAME_over_PEER` of their own."""
    reads: bool = False
    """Memory is the limit: `NAME_bandwidth` instead of `NAME_peak`."""
    threads: int = 1
    """The least threads a run must have for this case."""
    tuned: bool = False
    """By the schedules that `mlc-tune` has recorded; all others are the cost model's."""

    @property
    def limit(self) -> str:
        return f"{self.name}_{'bandwidth' if self.reads else 'peak'}"

    def rows(self) -> list[str]:
        """The names of the rows."""
        over = [f"{self.name}_over_{label}" for label in (*dict(self.beside), *self.versus)]
        return [*([self.name] if self.peers else []), self.limit, *over]


@dataclass(frozen=True)
class Summary:
    """One number of the rows NAME + `suffix` of a group's cases; `least_us`: of those that take as long alone."""

    name: str
    group: str
    suffix: str
    mean: bool = False
    least_us: float = 0


Sizes = tuple[int, int, int]
CUBES = (128, 256, 512, 1024, 2048)
LAYERS: tuple[Sizes, ...] = ((128, 768, 768), (128, 3072, 768), (512, 768, 3072), (512, 3072, 768))
REGULAR: tuple[Sizes, ...] = (*((n, n, n) for n in CUBES), *LAYERS)
SKINNY: tuple[Sizes, ...] = ((1, 3072, 768), (8, 768, 768), (16, 3072, 768), (32, 768, 3072), (32, 3072, 768))
ODD: tuple[tuple[Sizes, Sizes], ...] = (
    ((509, 1021, 253), (512, 1024, 256)),
    ((257, 257, 257), (256, 256, 256)),
    ((211, 211, 211), (208, 208, 208)),
    ((513, 511, 509), (512, 512, 512)),
    ((1021, 1021, 1021), (1024, 1024, 1024)),
    ((1025, 769, 771), (1024, 768, 768)),
    ((31, 31, 31), (32, 32, 32)),
    ((33, 33, 33), (32, 32, 32)),
    ((65, 65, 65), (64, 64, 64)),
    ((97, 97, 97), (96, 96, 96)),
    ((127, 127, 127), (128, 128, 128)),
    ((129, 129, 129), (128, 128, 128)),
    ((50, 10, 784), (48, 16, 784)),
    ((17, 63, 101), (16, 64, 96)),
)
LOW: tuple[Sizes, ...] = ((256, 256, 256), (1024, 1024, 1024), (128, 768, 768), (512, 768, 3072))


def shape(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def matmul(sizes: Sizes, dtype: str = "float32", constant: bool = False, text: str = "mk,kn->mn") -> Problem:
    n = dict(zip("mnk", sizes, strict=True))
    given = text.split("->")[0].split(",")
    return Problem("einsum", tuple(tuple(n[i] for i in term) for term in given), text, dtype, constant=constant)


def products() -> Iterator[Case]:
    for sizes in REGULAR:
        yield Case(f"mm_{shape(sizes)}", ("matmul",), Program(matmul(sizes)))
        yield Case(f"tuned_{shape(sizes)}", ("tuned",), Program(matmul(sizes)), peers=False, tuned=True)
    for name, text in (("tn", "km,kn->mn"), ("nt", "mk,nk->mn"), ("tt", "km,nk->mn")):
        yield Case(f"mm_512x512x512_{name}", ("matmul",), Program(matmul((512, 512, 512), text=text)))
    for name, text, x, y in (
        ("batched_8x256x256x256", "bmk,bkn->bmn", (8, 256, 256), (8, 256, 256)),
        ("batched_12x512x512x128_nt", "bmk,bnk->bmn", (12, 512, 128), (12, 512, 128)),
    ):
        yield Case(name, ("matmul",), Program(Problem("einsum", (x, y), text)))
    for name, text, x, y in (
        ("scores_12x512x512x64", "bhqd,bhkd->bhqk", (1, 12, 512, 64), (1, 12, 512, 64)),
        ("heads_512x768x12x64", "md,dhe->hme", (512, 768), (768, 12, 64)),
        ("outer_1024x1024", "m,n->mn", (1024,), (1024,)),
    ):
        yield Case(name, ("forms",), Program(Problem("einsum", (x, y), text)))
    for sizes in (*REGULAR, *SKINNY):
        groups = ("constant", "skinny") if sizes[0] <= 32 else ("constant",)
        yield Case(f"mm_{shape(sizes)}_const", groups, Program(matmul(sizes, constant=True)))
    for sizes, near in ODD:
        group = "odd_large" if min(sizes) >= 200 else "odd_small"
        beside = (("neighbour", Program(matmul(near))),)
        yield Case(f"mm_{shape(sizes)}", (group,), Program(matmul(sizes)), beside, percent=True)


def reads(size: int) -> Iterator[Case]:
    """Matrix times vector, with so many bytes of weights of every type."""
    columns = 8192
    rows = lambda bits: size * 8 // bits // columns // GROUP * GROUP
    f32 = Program(matmul((1, columns, rows(32))))
    yield Case("matvec_float32", ("matvec",), f32, reads=True)
    for dtype, bits in (("bfloat16", 16), ("int8", 8)):
        program = Program(matmul((1, columns, rows(bits)), dtype))
        yield Case(f"matvec_{dtype}", ("matvec",), program, (("float32", f32),), reads=True)
    packed = Problem("four_bit", ((1, rows(4)), (rows(4), columns)))
    yield Case("matvec_int4", ("matvec",), Program(packed), (("float32", f32),), reads=True)


def low_precision() -> Iterator[Case]:
    for short, dtype in (("bf16", "bfloat16"), ("int8", "int8")):
        for sizes in LOW:
            program, f32 = (Program(matmul(sizes, t, constant=True)) for t in (dtype, "float32"))
            yield Case(f"{short}_{shape(sizes)}", ("low", short), program, (("float32", f32),))


def conv(channels: int, size: int, out: int, kernel: int, **how: int) -> Problem:
    """Two dimensions, one image, padded so that a result has the input's size by the stride."""
    each = channels // how.get("groups", 1)
    padding = how.get("dilation", 1) * (kernel // 2)
    shapes = ((1, channels, size, size), (out, each, kernel, kernel))
    return Problem("conv", shapes, padding=padding, **how)


def convolutions() -> Iterator[Case]:
    direct = {
        "conv3x3_64x56": conv(64, 56, 64, 3),
        "conv3x3_128x28": conv(128, 28, 128, 3),
        "conv3x3_256x14": conv(256, 14, 256, 3),
        "conv5x5_32x56": conv(32, 56, 32, 5),
        "conv5x5_64x56": conv(64, 56, 64, 5),
        "conv7x7s2_3x224": conv(3, 224, 64, 7, stride=2),
    }
    other = {
        "conv1x1_64x56_256": conv(64, 56, 256, 1),
        "conv1x1s2_256x56_512": conv(256, 56, 512, 1, stride=2),
        "conv3x3s2_128x56": conv(128, 56, 128, 3, stride=2),
        "conv3x3d2_64x56": conv(64, 56, 64, 3, dilation=2),
        "conv3x3g4_128x28": conv(128, 28, 128, 3, groups=4),
    }
    for name, p in direct.items():
        yield Case(name, ("conv", "conv_direct"), Program(p))
    for name, p in other.items():
        yield Case(name, ("conv", "conv_other"), Program(p))
    for name, p in ({"conv3x3_64x56": direct["conv3x3_64x56"]} | other).items():
        for gradient in ("input", "weight"):
            yield Case(f"{name}_{gradient}", ("conv", "conv_other"), Program(replace(p, kind=f"conv_{gradient}")))
    for name in ("conv3x3_64x56", "conv1x1_64x56_256"):
        p = replace((direct | other)[name], constant=True)
        yield Case(f"{name}_const", ("conv_constant",), Program(p))
    for name, p in (
        ("depthwise3x3_128x56", conv(128, 56, 128, 3, groups=128)),
        ("conv1d9_64x4096", Problem("conv", ((1, 64, 4096), (64, 64, 9)), padding=4)),
        ("conv3d3_32x16", Problem("conv", ((1, 32, 16, 16, 16), (32, 32, 3, 3, 3)), padding=1)),
    ):
        yield Case(name, ("conv_free",), Program(p))


def blocks() -> Iterator[Case]:
    for m in (128, 512):
        for form in ("erf", "tanh"):
            shapes = ((m, 768), (768, 3072), (3072,), (3072, 768), (768,))
            p = Problem("mlp", shapes, constant=True, erf=form == "erf")
            yield Case(f"mlp_{m}x768x3072_{form}", ("mlp",), Program(p), versus=("onnxruntime", "inductor"))


def run_time() -> Iterator[Case]:
    """Sizes given at run time against the same ones known when compiling."""
    tall: tuple[Sizes, ...] = ((64, 64, 64), (33, 256, 512), (128, 768, 768), (512, 512, 512), (1024, 1024, 1024))
    few: tuple[Sizes, ...] = tuple((m, 768, 768) for m in range(1, 6))
    for group, every in (("dynamic", tall), ("dynamic_few", few)):
        for sizes in every:
            p = matmul(sizes)
            program, static = Program(p, symbolic=True), (("static", Program(p)),)
            yield Case(f"dynamic_{shape(sizes)}", (group,), program, static, percent=True, peers=False)


def two_threads() -> Iterator[Case]:
    problems = {shape((n,) * 3): matmul((n, n, n)) for n in (112, 128, 160, 192, 256, 512, 1024)}
    problems |= {"128x768x768": matmul((128, 768, 768)), "conv3x3_64x56": conv(64, 56, 64, 3)}
    for name, p in problems.items():
        one = (("one_thread", Program(p, threads=1)),)
        yield Case(f"threads_{name}", ("threads",), Program(p, threads=2), one, peers=False, threads=2)


def cases(read_bytes: int) -> list[Case]:
    """All of them; so many bytes are the weights of a matrix times a vector."""
    found = [*products(), *reads(read_bytes), *low_precision(), *convolutions(), *blocks(), *run_time(), *two_threads()]
    assert len({c.name for c in found}) == len(found)
    return found


SUMMARIES = (
    Summary("matmul_peak_mean", "matmul", "_peak", mean=True),
    Summary("matmul_peak_minimum", "matmul", "_peak"),
    Summary("matmul_mean", "matmul", "", mean=True),
    Summary("matmul_minimum", "matmul", ""),
    Summary("tuned_peak_mean", "tuned", "_peak", mean=True),
    Summary("constant_mean", "constant", "", mean=True),
    Summary("constant_minimum", "constant", ""),
    Summary("skinny_mean", "skinny", "", mean=True),
    Summary("skinny_minimum", "skinny", ""),
    Summary("odd_large_over_neighbour_minimum", "odd_large", "_over_neighbour"),
    Summary("odd_large_minimum", "odd_large", ""),
    Summary("odd_small_minimum", "odd_small", ""),
    Summary("matvec_minimum", "matvec", ""),
    Summary("matvec_bandwidth_minimum", "matvec", "_bandwidth"),
    Summary("conv_direct_peak_minimum", "conv_direct", "_peak"),
    Summary("conv_other_peak_minimum", "conv_other", "_peak"),
    Summary("conv_mean", "conv", "", mean=True),
    Summary("conv_minimum", "conv", ""),
    Summary("bf16_over_float32_minimum", "bf16", "_over_float32"),
    Summary("int8_over_float32_minimum", "int8", "_over_float32"),
    Summary("low_mean", "low", "", mean=True),
    Summary("mlp_over_onnxruntime_minimum", "mlp", "_over_onnxruntime"),
    Summary("mlp_over_inductor_minimum", "mlp", "_over_inductor"),
    Summary("dynamic_over_static_minimum", "dynamic", "_over_static"),
    Summary("dynamic_few_over_static_minimum", "dynamic_few", "_over_static"),
    Summary("threads_from_100us_minimum", "threads", "_over_one_thread", least_us=100),
    Summary("threads_from_20us_minimum", "threads", "_over_one_thread", least_us=20),
)
COMPILE_ROWS = ("compile_cold", "compile_cached")


def row_names() -> list[str]:
    """Every row that a complete run prints."""
    found = [name for case in cases(1 << 27) for name in case.rows()]
    return [*found, *(s.name for s in SUMMARIES), *COMPILE_ROWS]

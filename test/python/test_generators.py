"""Bit generators: published vectors, XLA's bits, states, and what stands for the distributions of `stablehlo.rng`."""

from __future__ import annotations

import jax_oracle
import mlc
import numpy as np
import pytest
from mlc.dialects.nd import philox
from mlc.dialects.nd.generators import distribution, generate
from mlc.dialects.nd.op import EXACT
from mlc.dialects.nd.promotion import as_dtype
from mlc.runtime.matching import assert_matches

VECTORS = [
    ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 4, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0xA4093822, 0x299F31D0),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
"""Key, counter and random words of Philox, from the known answers of Random123."""
SHAPES = [(), (3, 5), (4, 6), (7, 1, 3), (2, 0)]


@pytest.mark.parametrize("count", [1, 37])
def test_known_answers_of_philox(count):
    args = [np.array([[*v[0], *v[1]] for v in VECTORS] * count, np.uint32).T]
    words = mlc.jit(lambda x: tuple(philox.word(n, [x[0], x[1]], [x[k] for k in range(2, 6)]) for n in philox.NAMES))
    for k, got in enumerate(words(*args)):
        assert_matches(EXACT, got, np.array([v[2][k] for v in VECTORS] * count, np.uint32))


def xla(algorithm, words, dtype):
    """All shapes in one program."""
    state, kind = f"tensor<{words}xui64>", dtype.replace("int", "i")
    types = ["tensor<" + "".join(f"{d}x" for d in shape) + kind + ">" for shape in SHAPES]
    both = "".join(f", %o{k}, %s{k}" for k in range(len(SHAPES))).removeprefix(", ")
    results = ", ".join(f"{t}, {state}" for t in types)
    draws = "\n".join(
        f"%s{k}, %o{k} = stablehlo.rng_bit_generator %a, algorithm = {algorithm.upper()} : ({state}) -> ({state}, {t})"
        for k, t in enumerate(types)
    )
    return (
        f"module @m {{ func.func public @main(%a: {state}) -> ({results}) {{ {draws}\n return {both} : {results} }} }}"
    )


@pytest.mark.parametrize(
    ("algorithm", "words", "dtype"),
    [
        *((a, 2, d) for a in ("three_fry", "philox") for d in ("uint8", "uint16", "uint32", "uint64")),
        ("philox", 3, "uint32"),
        ("default", 2, "uint32"),
    ],
)
def test_bits_and_states_are_those_of_xla(algorithm, words, dtype):
    state = np.array([0xFEDCBA9876543210, 0xFFFFFFFFFFFFFFFE, 7][:words], np.uint64)
    draw = lambda s: [generate(algorithm, s, shape, as_dtype(dtype))[::-1] for shape in SHAPES]
    got = [y for both in mlc.jit(draw)(state) for y in both]
    for y, want in zip(got, jax_oracle.run(xla(algorithm, words, dtype), [state]), strict=True):
        assert_matches(EXACT, y, want)


def test_the_number_of_a_published_example():
    state, bits = mlc.jit(lambda s: generate("three_fry", s, (), as_dtype("uint64")))(np.array([3, 3], np.uint64))
    assert state.tolist() == [3, 4] and int(bits) == 3349939604322698703


def test_vmap_over_states_is_stacking():
    states = np.arange(6, dtype=np.uint64).reshape(3, 2)
    draw = lambda s: generate("philox", s, (5,), as_dtype("uint32"))
    for got, *want in zip(mlc.jit(mlc.vmap(draw))(states), *[mlc.jit(draw)(s) for s in states], strict=True):
        assert_matches(EXACT, got, np.stack(want))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_distributions(dtype):
    a, b = np.asarray(-2).astype(as_numpy(dtype)), np.asarray(3).astype(as_numpy(dtype))
    program = mlc.jit(lambda a, b: tuple(distribution(k, a, b, (20_000,), 1) for k in ("uniform", "normal")))
    uniform, normal = (y.astype(np.float64) for y in program(a, b))
    assert uniform.min() >= -2 and uniform.max() < 3 and abs(uniform.mean() - 0.5) < 0.05
    assert np.isfinite(normal).all() and abs(normal.mean() + 2) < 0.1 and abs(normal.std() - 3) < 0.1


def test_whole_numbers_and_ordinals():
    draw = lambda n: lambda a, b: distribution("uniform", a, b, (5_000,), n)
    a, b = np.asarray(-3, np.int32), np.asarray(4, np.int32)
    x, y = mlc.jit(draw(1))(a, b), mlc.jit(draw(2))(a, b)
    assert x.dtype == np.int32 and sorted(set(x.tolist())) == list(range(-3, 4)) and (x != y).any()


@pytest.mark.parametrize(
    ("state", "algorithm", "message"),
    [
        (np.zeros(3, np.uint64), "three_fry", "expected a state of two words, uint64, found"),
        (np.zeros(2, np.uint32), "philox", "expected a state of two or three words"),
        (np.zeros(2, np.uint64), "mersenne", "expected one of three_fry, philox, default"),
    ],
)
def test_refused(state, algorithm, message):
    with pytest.raises(mlc.CompileError, match=message):
        mlc.jit(lambda s: generate(algorithm, s, (4,), as_dtype("uint32")))(state)


def as_numpy(dtype):
    from mlc.dialects.nd.types import NUMPY

    return NUMPY[as_dtype(dtype)]

"""Names, promotion and arithmetic of element types in the array language."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import ml_dtypes
import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import EXACT
from mlc.dialects.nd.promotion import common_dtype
from mlc.dialects.nd.types import BY_NAME, COMPUTED, NAMES, NUMPY, STORAGE
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches

FAMILIES = [
    ["int8", "int16", "int32", "int64"],
    ["uint8", "uint16", "uint32", "uint64"],
    ["float16", "float32", "float64"],
]


def test_names() -> None:
    for name, dtype in BY_NAME.items():
        named = getattr(mnp, "bool_" if name == "bool" else name)
        assert np.dtype(named) == NUMPY[dtype]
        for given in (name, named, np.dtype(named), dtype):
            assert mlc.spec(3, given).type.element_type == dtype
    with pytest.raises(AttributeError, match="float7"):
        getattr(mnp, "float7")  # noqa: B009


def test_programs_of_own_types_load_no_others() -> None:
    code = "import sys, numpy as np, mlc, mlc.numpy; mlc.jit(lambda x: x + 1)(np.ones(3, np.float16)); "
    code += "print('ml_dtypes' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f[0])
def test_the_wider_of_a_kind(family: list[str]) -> None:
    for i, x in enumerate(family):
        for j, y in enumerate(family):
            assert mnp.promote_types(x, y) == np.dtype(family[max(i, j)])


def test_promotion_is_the_array_apis() -> None:
    """As NumPy's among integers that one type holds; narrow floats and integers beside floats by rules of their own."""
    for x in FAMILIES[0]:
        for y in FAMILIES[1]:
            if y == "uint64":
                with pytest.raises(mlc.CompileError, match="expected integers that one type holds"):
                    mnp.promote_types(x, y)
            else:
                assert mnp.promote_types(x, y) == np.promote_types(x, y) == mnp.promote_types(y, x)
    assert mnp.promote_types("bfloat16", "float16") == np.float32
    assert mnp.promote_types("bfloat16", "float32") == np.float32
    assert mnp.promote_types("int64", "float16") == np.float16
    assert mnp.promote_types("bool", "uint8") == np.uint8
    with pytest.raises(mlc.CompileError, match="convert i4 first"):
        mnp.promote_types("int4", "int8")


def test_kinds_and_casts() -> None:
    assert mnp.can_cast("int8", "int16") and mnp.can_cast("uint8", np.int16) and mnp.can_cast("bfloat16", "float32")
    assert not any(mnp.can_cast(*t) for t in [("int16", "int8"), ("uint8", "int8"), ("uint64", "int64")])
    assert mnp.can_cast("int4", "int4") and not mnp.can_cast("int4", "int8")
    assert mnp.can_cast(np.ones(2, np.float16), "float32")
    assert mnp.isdtype("bfloat16", "real floating") and mnp.isdtype(mnp.float8_e5m2, "real floating")
    assert mnp.isdtype("uint8", "unsigned integer") and mnp.isdtype("uint4", ("bool", "integral"))
    assert not mnp.isdtype("bool", "numeric") and mnp.isdtype(np.int8, "int8") and mnp.isdtype(bool, "bool")


def test_promotion_commutes_and_holds_both() -> None:
    for x in COMPUTED:
        assert common_dtype(x, x) == x
        for y in COMPUTED:
            try:
                assert common_dtype(x, y) == common_dtype(y, x)
            except mlc.CompileError:
                assert "uint64" in (NAMES[x], NAMES[y])


def test_numbers_are_weak() -> None:
    for name in (*(name for family in FAMILIES for name in family), "bfloat16"):
        x = np.ones(2, getattr(ml_dtypes, name, name))
        float_ = "float" in name
        one, half = mlc.jit(lambda v: (v + 1, v * 0.5))(x)
        assert one.dtype == x.dtype
        assert half.dtype == (x.dtype if float_ else np.float32)
        assert mnp.result_type(x, 1) == one.dtype
        assert mnp.result_type(name, 0.5) == half.dtype
    assert (mnp.result_type(True), mnp.result_type(1), mnp.result_type(1.0)) == (np.bool_, np.int64, np.float32)
    for wrong in (300, -1):
        with pytest.raises(mlc.CompileError, match="expected a number that ui8 holds"):
            mlc.jit(lambda v, n=wrong: v + n)(np.ones(2, np.uint8))


def test_number_arguments_adopt_the_types_beside_them() -> None:
    beside = mlc.jit(lambda v, n: v + n)
    for name in (*(name for family in FAMILIES for name in family), "bfloat16"):
        x = np.ones(2, getattr(ml_dtypes, name, name))
        assert beside(x, 2).dtype == x.dtype
        assert beside(x, 0.5).dtype == (x.dtype if "float" in name else np.float32)
    both = mlc.jit(lambda x, y, n: n)
    bf16, f16, f64 = (np.ones(2, t) for t in (ml_dtypes.bfloat16, np.float16, np.float64))
    i8, u8, u64 = (np.ones(2, t) for t in ("int8", "uint8", "uint64"))
    assert [both(bf16, y, 0.1).dtype for y in (bf16, f16, f64, u8)] == [bf16.dtype, np.float32, f64.dtype, bf16.dtype]
    assert [both(i8, y, 1).dtype for y in (i8, u8, u64, f64)] == [i8.dtype, np.int16, np.int64, i8.dtype]
    for wrong in (300, -1):
        with pytest.raises(mlc.CompileError, match=f"expected a number that uint8 holds, found {wrong}"):
            beside(u8, wrong)


def test_facts() -> None:
    assert mnp.finfo("float16").max == np.finfo(np.float16).max
    assert float(mnp.finfo(mnp.bfloat16).eps) == 2.0**-7
    assert float(mnp.finfo("float8_e4m3fn").max) == 448
    assert (mnp.iinfo("uint16").max, mnp.iinfo("int4").min) == (65535, -8)
    for wrong in (lambda: mnp.finfo("int8"), lambda: mnp.iinfo("float16"), lambda: mnp.iinfo("bool")):
        with pytest.raises(mlc.CompileError, match=r"expected an? (float|integer) type"):
            wrong()


ARITHMETIC: dict[str, Any] = {
    "add": lambda x: x + x,
    "sub": lambda x: x - x,
    "mul": lambda x: x * x,
    "neg": lambda x: -x,
    "abs": abs,
    "true_divide": lambda x: x / x,
    "floor_divide": lambda x: x // x,
    "mod": lambda x: x % x,
    "power": lambda x: x**2,
    "shift": lambda x: x << x,
    "matmul": lambda x: x @ x,
    "maximum": lambda x: mnp.maximum(x, x),
    "max": mnp.max,
    "cummax": mnp.cummax,
    "sign": mnp.sign,
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_truth_values_have_no_arithmetic(name: str) -> None:
    with pytest.raises(mlc.CompileError, match=r"found tensor<3xi1>.*convert") as error:
        mlc.jit(ARITHMETIC[name])(np.array([True, False, True]))
    assert "test_dtypes.py" in str(error.value) or name in ("abs", "max", "cummax", "sign")


def test_truth_values_are_counted() -> None:
    x = np.array([True, False, True])
    total, product, mean, running, more = mlc.jit(lambda v: (v.sum(), v.prod(), v.mean(), mnp.cumsum(v), v + 1))(x)
    assert (total, product, total.dtype) == (2, 0, np.int64)
    assert mean == np.float32(2) / np.float32(3)
    assert running.tolist() == [1, 1, 2]
    assert (more.dtype, more.tolist()) == (np.int64, [2, 1, 2])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32"])
def test_integers_wrap(dtype: str) -> None:
    high = np.iinfo(dtype).max
    x = np.array([high, high, 3], dtype)
    sums = lambda v: (v.sum(dtype=dtype), v.prod(dtype=dtype), v.sum(), v.prod())
    got = mlc.jit(lambda v: (v + 1, v * v, -v, *sums(v)))(x)
    with np.errstate(over="ignore"):
        want = (x + x.dtype.type(1), x * x, -x, x.sum(dtype=dtype), x.prod(dtype=dtype), x.sum(), x.prod())
    for g, w in zip(got, want, strict=True):
        assert_matches(EXACT, g, np.asarray(w))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_floats_are_rounded_once(dtype: str) -> None:
    """4096 ones: a sum in the narrow type would stay at 2048 or 256."""
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    x = np.full(4096, 1.0, kind)
    total, dot, rows = mlc.jit(lambda v: (v.sum(), v @ v, mnp.reshape(v, (64, 64)).mean(1)))(x)
    assert (float(total), float(dot)) == (4096, 4096)
    assert rows.dtype == kind
    assert (rows.astype(np.float32) == 1).all()


def test_a_sum_is_rounded_to_even_at_its_end() -> None:
    """2051 lies between 2050 and 2052; 2048 + 1 in f16 is 2048."""
    assert float(mlc.jit(lambda v: v.sum())(np.array([2048, 1, 1, 1], np.float16))) == 2052


@pytest.mark.parametrize("name", STORAGE, ids=str)
def test_storage_types_move_and_refuse_arithmetic(name: Any) -> None:
    x = np.array([[0, 1, 2], [3, 1, 0]]).astype(NUMPY[name])
    moved, chosen = mlc.jit(lambda v: (mnp.flip(v.T, 0), mnp.where(np.array([True, False, True]), v, v[:, ::-1])))(x)
    assert moved.dtype == chosen.dtype == x.dtype
    assert_matches(EXACT, moved.astype(np.float32), x.T[::-1].astype(np.float32))
    want = np.where([True, False, True], x.astype(np.float32), x[:, ::-1].astype(np.float32))
    assert_matches(EXACT, chosen.astype(np.float32), want)
    with pytest.raises(mlc.CompileError, match="expected elements of a number"):
        mlc.jit(lambda v: v + v)(x)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_extrema_without_a_sign_at_every_level(dtype: str) -> None:
    """The types below the tensor level have no sign: it is the combiner's."""
    high = np.iinfo(dtype).max
    x = np.random.default_rng(0).integers(0, high, (5, 70), dtype, endpoint=True)
    x[0, 3], x[4, 69] = high, 0
    exe = mlc.compile(lambda v: (v.max(1), v.min(1), v.max(), v.min(0)), mlc.spec((5, 70), dtype))
    want = (x.max(1), x.min(1), x.max(), x.min(0))
    for level in ("nd", "loop", "vector"):
        got = Interpreter(parse_module(exe.mlir(level), level)).call("lambda", x)
        for g, w in zip(got, want, strict=True):
            assert_matches(EXACT, np.asarray(g).view(dtype), w)
    for g, w in zip(exe(x), want, strict=True):
        assert_matches(EXACT, g, w)


@pytest.mark.parametrize("dtype", ["int4", "uint4", "float4_e2m1fn"])
def test_two_elements_of_four_bits_are_a_byte(dtype: str) -> None:
    raw = np.arange(256).astype(np.uint8).reshape(8, 32)
    y = mlc.jit(lambda x: mnp.unpack(x, dtype))(raw)
    low = y.view(np.uint8)
    assert y.dtype == NUMPY[BY_NAME[dtype]]
    assert_matches(EXACT, low[:, ::2], raw & 15)
    assert_matches(EXACT, low[:, 1::2], raw >> 4)
    assert_matches(EXACT, mlc.jit(mnp.pack)(y), raw)
    x = np.arange(5, dtype=np.float32)
    assert_matches(EXACT, mlc.jit(lambda x: mnp.bitcast(x, "uint32"))(x), x.view(np.uint32))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_floats_have_the_same_bits_at_every_level(dtype: str) -> None:
    """Elementwise ops, extrema and conversions, also to types that are only stored, which are bytes below."""
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    x, y = (np.random.default_rng(k).standard_normal((5, 70)).astype(kind) for k in (0, 1))
    x[0, :4] = [np.nan, np.inf, -0.0, 6e-8]
    targets = ("float8_e4m3fn", "float8_e5m2", "float4_e2m1fn", "int4", "uint8", "float64")

    def several(v: Any, w: Any) -> Any:
        return v + w, v * w, mnp.sqrt(abs(v)), v.max(1), mnp.where(v > w, v, w), *(mnp.astype(v, t) for t in targets)

    exe = mlc.compile(several, mlc.spec((5, 70), dtype), mlc.spec((5, 70), dtype))
    native = exe(x, y)
    for level in ("nd", "loop", "vector"):
        for k, (g, n) in enumerate(
            zip(Interpreter(parse_module(exe.mlir(level), level)).call("several", x, y), native)
        ):
            g, n = (np.where(v != v, np.nan, v.astype(float)) for v in (np.asarray(g).view(n.dtype), n))
            np.testing.assert_array_equal(g, n, f"{level}, result {k}")
            np.testing.assert_array_equal(np.signbit(g), np.signbit(n), f"{level}, result {k}")

"""Over the registry: every `nd` op has each part of its life, or an exemption word, and each part is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.bits import REAL
from mlc.dialects.nd.checkpoint import Checkpoint
from mlc.dialects.nd.composite import Composite, has_tangent
from mlc.dialects.nd.control import CONTROL, Yield
from mlc.dialects.nd.dims import Sym, evaluate, symbol
from mlc.dialects.nd.effects import EFFECTS
from mlc.dialects.nd.elementwise import Elementwise
from mlc.dialects.nd.mapped import Mapped
from mlc.dialects.nd.op import OPS, Array, Linear, NdOp, Tolerance, building, insert, sizes
from mlc.dialects.nd.types import (
    ANALYTIC,
    ANY,
    COMPLEX,
    COMPUTED,
    FIELD,
    FLOAT,
    INTEGER,
    LOGICAL,
    NUMERIC,
    NUMPY,
    c64,
    c128,
    i4,
    is_complex,
    is_float,
    shape_of,
    tensor,
    ui4,
    ui8,
    ui32,
)
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from op_cases import CASES, Case, dtypes_of, run_block, sampled_dtypes, specials, values
from xdsl.dialects.builtin import ModuleOp, f4E2M1FN, f32, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

NEAR = Tolerance(ulp=64, sums=64, scale=1)
SLOPE = Tolerance(sums=1, scale=1, eps=1e-6)
"""Of differences of f64."""

EVERY = [pytest.param(c, d, id=f"{c.op} {c.label} {d} {c.shapes}") for c in CASES for d in sampled_dtypes(c, 4)]
SMOOTH = [
    pytest.param(c, id=f"{c.op} {c.label} {c.shapes}")
    for c in CASES
    if OPS[c.op].LINEAR is not Linear.NEVER
    and f64 in dtypes_of(c)
    and c.op != "complex"
    and not (c.op == "convert" and c.label != "f64")
]


def operands(op: NdOp) -> list[Any]:
    return [v.type for v in op.operands]


# Completeness.


@pytest.mark.parametrize("name", OPS)
def test_every_op_has_each_part(name: str) -> None:
    cls = OPS[name]
    assert cls.__doc__ or issubclass(cls, Elementwise) or name == "reduce"
    assert cls.reference is not NdOp.reference
    assert cls.dim_map.__func__ is not NdOp.dim_map.__func__
    assert cls.batch is not NdOp.batch
    assert cls.DTYPES and cls.FLOPS >= 0
    if issubclass(cls, Composite):
        assert cls.decompose is not Composite.decompose
    elif cls.LINEAR is Linear.NO:
        assert cls.jvp is not NdOp.jvp or cls.tangent not in (NdOp.tangent,)
        if cls.tangent is Elementwise.tangent and cls.jvp is NdOp.jvp:
            assert cls.derivative is not Elementwise.derivative
    if cls.LINEAR in (Linear.JOINT, Linear.EACH):
        assert cls.transpose is not NdOp.transpose
    if cls.TOLERANCE.sums:
        assert cls.magnitude is not NdOp.magnitude
    assert any(c.op == name for c in CASES)


EXEMPT: dict[tuple[Attribute, ...], str] = {
    FIELD: "truth values have no arithmetic",
    ANALYTIC: "a function of real and complex numbers: integers are converted first",
    COMPLEX: "parts of a complex number",
    (f32, f64, c64, c128): "the types of linear algebra and transforms",
    (*COMPUTED, *COMPLEX): "what is only stored has no order and no arithmetic",
    REAL: "a complex number is two, and has no bits of its own",
    ANY: "moves, stores or converts elements of every type",
    COMPUTED: "what is only stored has no order and no arithmetic",
    NUMERIC: "truth values have no arithmetic",
    LOGICAL: "floats have no bits of their own to work on: nd.bitcast",
    FLOAT: "a function of real numbers: integers are converted first",
    INTEGER: "of whole numbers: counts, shifts, labels",
    (ui8,): "bytes that hold two elements",
    (i4, ui4, f4E2M1FN): "elements of which a byte holds two",
    (ui32,): "the generator's words",
    (f32, f64): "systems of equations need the digits: narrower floats are converted first",
}
"""Why an op takes no other element types than these."""


@pytest.mark.parametrize("name", OPS)
def test_every_op_takes_all_element_types_or_says_why_not(name: str) -> None:
    assert tuple(OPS[name].DTYPES) in EXEMPT
    taken = {d for c in CASES if c.op == name for d in dtypes_of(c)}
    assert taken == set(OPS[name].DTYPES), f"element types of nd.{name} without a case"


def test_one_mlir_file_for_every_op() -> None:
    folder = Path(__file__).parents[1] / "dialects" / "nd"
    others = [c.name.removeprefix("nd.") for c in (*CONTROL, Checkpoint, *EFFECTS) if c is not Yield]
    assert sorted(p.stem for p in folder.glob("*.mlir")) == sorted([*OPS, *others])


# Definition, inference, reference.


def module_of(case: Case, dtype: Any) -> ModuleOp:
    """A module whose main is the one op."""
    op = case.trace(dtype)
    types = operands(op)
    block = Block(arg_types=types)
    new = op.clone(dict(zip(op.operands, block.args, strict=True)))
    block.add_ops([new, ReturnOp(new.results[0])])
    return ModuleOp([FuncOp("main", (types, [op.type]), Region(block))])


@pytest.mark.parametrize(("case", "dtype"), EVERY)
def test_print_parse_run(case: Case, dtype: Any) -> None:
    module = module_of(case, dtype)
    module.verify()
    parsed = parse_module(str(module), "test.mlir")
    parsed.verify()
    assert str(parsed) == str(module)
    op = case.trace(dtype)
    for inputs in (case.regular(values(operands(op))), specials(operands(op))):
        (got,) = Interpreter(parsed).call("main", *inputs)
        with np.errstate(all="ignore"):
            want = np.asarray(op.reference(*inputs))
        assert want.dtype == NUMPY[op.type.element_type] and want.shape == op.type.get_shape()
        assert_matches(op, got, want, inputs=inputs)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.op} {c.label} {c.shapes}")
def test_facts_from_the_dimension_map(case: Case) -> None:
    op = case.trace(dtypes_of(case)[0])
    shapes = [shape_of(t) for t in operands(op)]
    cost, elements = op.cost(), sum(int(np.prod(s)) for s in [*shapes, shape_of(op.type)])
    assert cost.accesses == elements
    assert isinstance(cost.flops, int) and cost.flops >= 0 and (cost.flops == 0 or op.FLOPS > 0)
    assert op.statement().startswith("out[")
    assert set(op.dims.shardable()) == set(op.dims.names())
    assert op.dims.canonical().canonical() == op.dims.canonical()


@pytest.mark.parametrize(("case", "dtype"), EVERY)
def test_wrong_result_type_is_refused(case: Case, dtype: Any) -> None:
    op = case.trace(dtype)
    if "shape" in op.properties and op.name != "nd.contract":
        return  # the property is the type: there is nothing to contradict
    op.results[0]._type = tensor((99, 98, 97), dtype)  # pyright: ignore
    with pytest.raises(Exception, match="expected"):
        op.verify()


@pytest.mark.parametrize(("case", "dtype"), [p for p in EVERY if issubclass(OPS[p.values[0].op], Composite)])
def test_decomposition_agrees(case: Case, dtype: Any) -> None:
    op = case.trace(dtype)
    block = Block(arg_types=operands(op))
    with building(block):
        assert isinstance(op, Composite)
        out = op.expand(*map(Array, block.args))
    assert out.type == op.type
    inputs = case.regular(values(operands(op)))
    with np.errstate(all="ignore"):
        assert_matches(op, run_block(block, inputs)[out.value], op.reference(*inputs), inputs=inputs)


# Derivatives, against finite differences and each other.


def pushforward(op: NdOp, args: Sequence[Array], tangents: Sequence[Array | None]) -> tuple[Array, Array | None]:
    """The op and its tangent at the current place; composites without a rule through their decomposition."""
    if not has_tangent(op):
        assert isinstance(op, Composite)
        inner = Block(arg_types=[a.type for a in args])
        with building(inner):
            out = op.expand(*map(Array, inner.args))
        env: dict[SSAValue, Array] = dict(zip(inner.args, args, strict=True))
        tan: dict[SSAValue, Array | None] = dict(zip(inner.args, tangents, strict=True))
        for o in inner.ops:
            assert isinstance(o, NdOp)
            y, t = pushforward(o, [env[v] for v in o.operands], [tan.get(v) for v in o.operands])
            env[o.results[0]], tan[o.results[0]] = y, t
        return env[out.value], tan[out.value]
    new = op.clone({v: a.value for v, a in zip(op.operands, args, strict=True)})
    insert(new)
    active = any(t is not None for t in tangents)
    return Array(new.results[0]), new.jvp(tangents)[0] if active else None


def jvp_values(op: NdOp, inputs: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The tangent of the op's result, by its rule."""
    types = operands(op)
    block = Block(arg_types=[*types, *(t for t in types if is_float(t))])
    args = [Array(a) for a in block.args[: len(types)]]
    given = iter(block.args[len(types) :])
    with building(block):
        _, t = pushforward(op, args, [Array(next(given)) if is_float(v) else None for v in types])
    env = run_block(block, [*inputs, *(t for t in tangents if t is not None)])
    return env[t.value] if t is not None else np.zeros(op.type.get_shape())


def directions(op: NdOp, seed: int) -> list[Any]:
    drawn = values(operands(op), seed)
    return [x if is_float(t) else None for x, t in zip(drawn, operands(op), strict=True)]


@pytest.mark.parametrize("case", SMOOTH)
def test_derivative_against_finite_differences(case: Case) -> None:
    op = case.trace(f64)
    inputs = case.draw(operands(op), 1)
    tangents = directions(op, 2)
    got = jvp_values(op, inputs, tangents)
    step = 1e-6

    def at(s: float) -> Any:
        return op.reference(*(x if t is None else x + s * t for x, t in zip(inputs, tangents, strict=True)))

    with np.errstate(all="ignore"):
        kind = complex if is_complex(op.type) else float
        want = (np.asarray(at(step), kind) - np.asarray(at(-step), kind)) / (2 * step)
    assert_matches(SLOPE, got, want)


@pytest.mark.parametrize("case", SMOOTH)
def test_one_tangent_at_a_time(case: Case) -> None:
    """A rule may get None for a zero tangent: the parts add up to the whole."""
    op = case.trace(f64)
    types = operands(op)
    if sum(map(is_float, types)) < 2:
        return
    inputs, tangents = case.draw(types, 1), directions(op, 2)
    total = jvp_values(op, inputs, tangents)
    parts = []
    for k, t in enumerate(types):
        if not is_float(t):
            continue
        block = Block(arg_types=[*types, t])
        with building(block):
            given = [Array(block.args[-1]) if j == k else None for j in range(len(types))]
            _, d = pushforward(op, [Array(a) for a in block.args[:-1]], given)
        parts.append(run_block(block, [*inputs, tangents[k]])[d.value] if d is not None else 0)
    assert_matches(NEAR, sum(parts), total)


@pytest.mark.parametrize("case", SMOOTH)
def test_transpose_is_the_adjoint(case: Case) -> None:
    """<ct, op(t)> = <transpose(ct), t>, for each operand in which the op is linear alone, and for all at once.

    Of complex numbers the real part counts: a cotangent is a linear map to real numbers.
    """
    op = case.trace(f64)
    types = operands(op)
    flags_of: list[list[bool]] = []
    floats = [is_float(t) for t in types]
    if op.LINEAR is Linear.JOINT:
        flags_of = [floats, *([j == k for j in range(len(types))] for k in range(len(types)) if floats[k])]
    elif op.LINEAR is Linear.EACH:
        flags_of = [[j == k for j in range(len(types))] for k in range(len(types))]
    elif case.op == "scatter" and case.label.startswith(("set", "add")):
        flags_of = [[j in some for j in range(len(types))] for some in ((0, 1), (0,), (1,))]
    elif case.op == "div":
        flags_of = [[True, False]]
    elif case.op == "reduce" and case.label.startswith("sum"):
        flags_of = [[True]]
    inputs, ct = case.draw(types, 3), values([op.type], 4)[0]
    if case.op == "mean" and case.label == "empty":
        return  # the mean of nothing is NaN
    for flags in flags_of:
        block = Block(arg_types=[*types, op.type])
        with building(block):
            new = op.clone(dict(zip(op.operands, block.args, strict=False)))
            insert(new)
            cts = new.transpose(Array(block.args[-1]), flags)
        env = run_block(block, [*inputs, ct])
        zeroed = [x if f or not is_float(t) else np.zeros_like(x) for x, f, t in zip(inputs, flags, types, strict=True)]
        linear = zeroed if op.LINEAR is Linear.JOINT or case.op == "scatter" else inputs
        with np.errstate(all="ignore"):
            left = np.sum(ct * op.reference(*linear))
        right = sum(np.sum(env[c.value] * x) for c, x, f in zip(cts, inputs, flags, strict=True) if f and c is not None)
        assert [c.type for c, f in zip(cts, flags, strict=True) if f and c is not None] == [
            t for c, t, f in zip(cts, types, flags, strict=True) if f and c is not None
        ]
        assert_matches(NEAR, np.real(left), np.real(right))


def test_product_with_zeros() -> None:
    from mlc.dialects.nd import functions as F

    for x in ([2.0, 0.0, 3.0, 4.0, 5.0], [0.0, 0.0, 3.0, 1.0, 2.0], [1.0, 2.0, 3.0]):
        block = Block(arg_types=[tensor((len(x),), f64)] * 2)
        with building(block):
            _, t = pushforward(_product(Array(block.args[0]), F), [Array(block.args[0])], [Array(block.args[1])])
        for k in range(len(x)):
            others = np.prod([v for j, v in enumerate(x) if j != k])
            assert t is not None and run_block(block, [np.array(x), np.eye(len(x))[k]])[t.value] == others


def _product(x: Array, F: Any) -> NdOp:
    owner = F.prod(x).value.owner
    assert isinstance(owner, NdOp)
    return owner


def test_pow_does_not_compute_what_it_does_not_need() -> None:
    case = next(c for c in CASES if c.op == "pow")
    for active, unwanted in (([True, False], "nd.log"), ([False, True], "nd.sub")):
        op = case.trace(f64)
        block = Block(arg_types=[*operands(op), op.type])
        with building(block):
            given = [Array(block.args[-1]) if a else None for a in active]
            pushforward(op, [Array(a) for a in block.args[:-1]], given)
        assert unwanted not in [o.name for o in block.ops]


# Batching.


@pytest.mark.parametrize(("case", "dtype"), EVERY)
def test_batching_is_stacking(case: Case, dtype: Any) -> None:
    op = case.trace(dtype)
    types, n = operands(op), len(op.operands)
    for bits in range(1, 2**n):
        flags = [bool(bits >> k & 1) for k in range(n)]
        batched = [tensor((3, *shape_of(t)), t.element_type) if f else t for t, f in zip(types, flags, strict=True)]
        block = Block(arg_types=batched)
        with building(block):
            out = op.batch([Array(a) for a in block.args], flags, 3)
        for o in block.ops:
            o.verify()
        assert out.type == tensor((3, *shape_of(op.type)), op.type.element_type)
        inputs = case.regular(values(batched, 5))
        got = run_block(block, inputs)[out.value]
        with np.errstate(all="ignore"):
            rows = [[x[i] if f else x for x, f in zip(inputs, flags, strict=True)] for i in range(3)]
            want = np.stack([np.asarray(op.reference(*row)) for row in rows])
        for i in range(3):
            assert_matches(op, got[i], want[i], inputs=rows[i])


# Symbolic dimensions.


SYMBOLIC = [c for c in CASES if c.shapes and all(s and issubclass(OPS[c.op], Elementwise | Mapped) for s in c.shapes)]


@pytest.mark.parametrize("case", SYMBOLIC, ids=lambda c: f"{c.op} {c.label} {c.shapes}")
def test_symbolic_sizes_infer_and_run(case: Case) -> None:
    """Each size of the case becomes a symbol: the result's symbolic shape evaluates to the static one."""
    dtype = dtypes_of(case)[0]
    static = case.trace(dtype)
    if "shape" in static.properties:
        return
    names = {n: symbol(f"n{n}") for s in case.shapes for n in s}
    types = [
        tensor(tuple(names[n] for n in s), t.element_type) for s, t in zip(case.shapes, case.types(dtype), strict=True)
    ]
    block = Block(arg_types=types)
    with building(block):
        out = case.build(*map(Array, block.args))
    env = {f"n{n}": n for n in names}
    assert tuple(evaluate(d, env) for d in out.shape) == shape_of(static.type)
    assert all(isinstance(d, Sym) for d in out.shape)
    inputs = values(case.types(dtype))
    got = run_block(block, inputs, env)[out.value]
    with np.errstate(all="ignore"), sizes(env):
        assert_matches(static, got, np.asarray(static.reference(*inputs)), inputs=inputs)

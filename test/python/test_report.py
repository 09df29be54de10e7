"""The report: operations, accesses and bytes before and after fusion; strides and offsets."""

from __future__ import annotations

from typing import Any

from graph_cases import GRAPH, apply, program
from mlc.compiler.report import format_report, report
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.movement import Slice
from mlc.dialects.nd.op import Array
from mlc.dialects.nd.types import tensor
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StridedLayoutAttr, f32, f64
from xdsl.dialects.func import FuncOp

N = tensor((256,), f32)


def muladd(a: Array, b: Array, c: Array, d: Array) -> Array:
    return d + (a + b) * c


def of(types: list[Any], build: Any, names: tuple[str, ...] = ()) -> dict[str, Any]:
    return report(apply(program(types, build, names), *GRAPH))


def test_intensity_before_and_after_fusion() -> None:
    found = of([N] * 4, muladd)
    (kernel,) = found["kernels"]
    assert (kernel["ops"], kernel["accesses"], kernel["bytes"]) == (3 * 256, 5 * 256, 20 * 256)
    assert kernel["per_access"] == 3 / 5 and kernel["per_byte"] == 3 / 20
    assert [op["per_access"] for op in kernel["alone"]] == [1 / 3] * 3
    assert [op["per_byte"] for op in kernel["alone"]] == [1 / 12] * 3
    text = format_report(found)
    assert "1/3 per access, 1/12 per byte" in text and "3/5 per access, 3/20 per byte" in text


def test_doubles_have_twice_the_bytes() -> None:
    (kernel,) = of([tensor((256,), f64)] * 4, muladd)["kernels"]
    assert kernel["per_byte"] == 3 / 40


def test_layouts() -> None:
    types = [tensor((1, 2, 3, 4), f32), tensor((6, 5), f32)]

    def build(x: Array, c: Array) -> list[Array]:
        turned = F.transpose(x, [3, 2, 1, 0])
        return [turned, F.exp(x[:, :, 1:]), F.exp(turned), F.exp(c)]

    module = program(types, build, ("x", "c"))
    main = next(op for op in module.body.block.ops if isinstance(op, FuncOp))
    column = DictionaryAttr({"mlc.layout": StridedLayoutAttr([1, 6])})
    main.properties["arg_attrs"] = ArrayAttr([DictionaryAttr({}), column])
    found = report(apply(module, *GRAPH))
    assert [a["strides"] for a in found["arguments"]] == [[24, 12, 4, 1], [1, 6]]
    assert found["results"][0]["strides"] == [1, 4, 12, 24] and found["results"][0]["of"] == "x"
    layouts = {(tuple(a["strides"]), a["offset"]) for k in found["kernels"] for a in k["arguments"]}
    assert layouts == {((24, 12, 4, 1), 4), ((1, 4, 12, 24), 0), ((1, 6), 0)}
    assert "view %" in format_report(found) and "strides [1, 4, 12, 24] offset 0" in format_report(found)


def test_calls_copies_and_arena() -> None:
    x = tensor((16, 16), f32)
    found = of([x, x], lambda x, w: F.reshape((x @ w @ w @ w).T, (256,)))
    calls = {k["name"]: k["calls"] for k in found["kernels"]}
    assert calls == {"matmul": 3, "copy": 1} and found["copies"] == 1
    assert found["arena_bytes"] == 2048 == found["live_bytes_max"]
    assert sum(k["calls"] * k["ops"] for k in found["kernels"]) == found["after"]["ops"]


def test_symbolic_sizes_are_text() -> None:
    b = symbol("b")
    (kernel,) = of([tensor((b, 4), f32)] * 2, lambda x, y: x + y)["kernels"]
    assert kernel["bytes"] == "48*b" and kernel["per_access"] == 1 / 3


def test_a_program_without_kernels() -> None:
    found = of([tensor((4, 8), f32)], lambda x: x.T)
    assert found["kernels"] == [] and found["after"]["bytes"] == 0 and found["arena_bytes"] == 0


def test_a_slice_costs_what_it_takes() -> None:
    """Also where its map has the operand's own names, from 0 with step 1."""
    module = program([tensor((8,), f32)], lambda x: x[0:3])
    (taken,) = (op for op in module.walk() if isinstance(op, Slice))
    assert taken.cost().accesses == 8 + 3

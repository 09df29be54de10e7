"""Contraction problems as ONNX models, for the peers that read them; constant operands are initialisers."""

# onnx has no types.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .problems import GROUP, Array, Problem, signed

OPSET = 20
"""The first with Gelu."""


def supports(p: Problem) -> bool:
    """ONNX has no operator for the gradient of a convolution's weights."""
    return p.kind != "conv_weight"


def as_product(text: str) -> tuple[list[int], list[int]] | None:
    """The transposes after which an einsum is one (batched) matrix product; None where it is none."""
    (a, b), out = text.split("->")[0].split(","), text.split("->")[1]
    batch = [i for i in out if i in a and i in b]
    rows, columns = [i for i in a if i not in b], [i for i in b if i not in a]
    inner = [i for i in a if i in b and i not in out]
    if not len(rows) == len(columns) == len(inner) == 1 or [*batch, *rows, *columns] != list(out):
        return None
    return [a.index(i) for i in (*batch, *rows, *inner)], [b.index(i) for i in (*batch, *inner, *columns)]


def model(p: Problem, arrays: Sequence[Array]) -> bytes:
    """The serialised model of the arrays of `operands`; its inputs are those that are not constant, in order."""
    from onnx import helper, numpy_helper

    names = [f"x{k}" for k in range(len(arrays))]
    tensor = lambda name, a: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
    known = range(1, len(arrays)) if p.constant else range(0)
    graph = helper.make_graph(
        nodes(p, names, arrays),
        "problem",
        [tensor(n, a) for k, (n, a) in enumerate(zip(names, arrays)) if k not in known],
        [helper.make_tensor_value_info("y", result_type(p), None)],
        [
            *(numpy_helper.from_array(np.ascontiguousarray(arrays[k]), names[k]) for k in known),
            *([numpy_helper.from_array(np.array(128, np.uint8), "zero")] if p.dtype == "int8" else []),
        ],
    )
    domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=10).SerializeToString()


def result_type(p: Problem) -> int:
    from onnx import TensorProto

    return {"float32": TensorProto.FLOAT, "bfloat16": TensorProto.BFLOAT16, "int8": TensorProto.INT32}[p.dtype]


def nodes(p: Problem, names: Sequence[str], arrays: Sequence[Array]) -> list[Any]:
    from onnx.helper import make_node

    if p.kind == "einsum":
        return products(p, names)
    if p.kind == "mlp":
        form = "none" if p.erf else "tanh"
        x, w1, b1, w2, b2 = names
        first = [make_node("Gemm", [x, w1, b1], ["h"]), make_node("Gelu", ["h"], ["a"], approximate=form)]
        return [*first, make_node("Gemm", ["a", w2, b2], ["y"])]
    if p.kind == "four_bit":
        (k, n), how = p.shapes[1], {"bits": 4, "block_size": GROUP, "accuracy_level": 1}
        return [make_node("MatMulNBits", names, ["y"], domain="com.microsoft", K=k, N=n, **how)]
    rank = len(p.places)
    pads = [p.padding] * (2 * rank)
    how = {"strides": [p.stride] * rank, "dilations": [p.dilation] * rank, "pads": pads, "group": p.groups}
    if p.kind == "conv":
        return [make_node("Conv", names, ["y"], **how)]
    reach = [(n - 1) * p.stride + p.dilation * (k - 1) + 1 for n, k in zip(p.places, p.shapes[1][2:])]
    more = [s + 2 * p.padding - n for s, n in zip(p.shapes[0][2:], reach)]
    return [make_node("ConvTranspose", [names[1], names[0]], ["y"], output_padding=more, **how)]


def products(p: Problem, names: Sequence[str]) -> list[Any]:
    from onnx.helper import make_node

    if p.dtype == "int8":
        return [make_node("MatMulInteger", [*names, "zero"], ["y"])]
    orders = as_product(p.text)
    if orders is None:
        return [make_node("Einsum", names, ["y"], equation=p.text)]
    plain = [order == sorted(order) for order in orders]
    if not all(plain) and all(len(order) == 2 for order in orders):
        return [make_node("Gemm", names, ["y"], transA=int(not plain[0]), transB=int(not plain[1]))]
    out = [make_node("Transpose", [n], [f"{n}t"], perm=o) for n, o, same in zip(names, orders, plain) if not same]
    return [*out, make_node("MatMul", [n if same else f"{n}t" for n, same in zip(names, plain)], ["y"])]


def operands(p: Problem, arrays: Sequence[Array]) -> list[Array]:
    """What the model takes: bytes without a sign on the left, which VNNI wants, 128 more than their value.

    Four-bit weights as MatMulNBits has them: by column, then by group, two in a byte, 8 more than their value.
    """
    if p.dtype == "int8":
        return [arrays[0].view(np.uint8) ^ np.uint8(128), *arrays[1:]]
    if p.kind != "four_bit":
        return list(arrays)
    x, w, scales = arrays
    pairs = np.empty((w.shape[1] * 2, w.shape[0] // 2), np.uint8)
    for k in range(0, len(w), GROUP):
        columns = signed(w[k : k + GROUP]).T.view(np.uint8) + np.uint8(8)
        pairs[:, k // 2 : (k + GROUP) // 2] = columns[:, 0::2] | columns[:, 1::2] << 4
    return [x, pairs.reshape(len(pairs), -1, GROUP // 2), np.ascontiguousarray(scales.T).reshape(-1)]

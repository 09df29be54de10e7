"""The StableHLO text of a transformer, written the way JAX writes it: decoder layers with rotary embedding, the heads
one by one, a gated feed-forward block, and a loss over a vocabulary. The same sizes give the same bytes.

    python -m bench.transformer_text --layers 48 > transformer.mlir
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    name: str
    shape: Shape
    kind: str = "f32"

    @property
    def type(self) -> str:
        return "tensor<" + "".join(f"{n}x" for n in self.shape) + self.kind + ">"


@dataclass(frozen=True)
class Sizes:
    layers: int = 48
    heads: int = 20
    depth: int = 32
    """Of a head."""
    batch: int = 2
    length: int = 64
    hidden: int = 1728
    vocabulary: int = 1000

    @property
    def width(self) -> int:
        return self.heads * self.depth


@dataclass
class Writer:
    """The body of a function: a line per op."""

    lines: list[str] = field(default_factory=list[str])
    values: int = 0
    constants: int = 0

    def op(self, text: str, shape: Shape, types: str | None = None, kind: str = "f32") -> Value:
        out = Value(f"%{self.values}", shape, kind)
        self.values += 1
        self.lines.append(f"    {out.name} = {text} : {types if types is not None else out.type}")
        return out

    def constant(self, value: str, kind: str = "f32") -> Value:
        name = "%cst" if kind == "f32" else "%c"
        out = Value(name + (f"_{self.constants}" if self.constants else ""), (), kind)
        self.constants += 1
        self.lines.append(f"    {out.name} = stablehlo.constant dense<{value}> : {out.type}")
        return out

    def pointwise(self, name: str, *operands: Value) -> Value:
        text = f"stablehlo.{name} {', '.join(v.name for v in operands)}"
        return self.op(text, operands[0].shape, kind=operands[0].kind)

    def broadcast(self, x: Value, shape: Shape, dims: Sequence[int]) -> Value:
        to = Value("", shape, x.kind).type
        text = f"stablehlo.broadcast_in_dim {x.name}, dims = [{', '.join(map(str, dims))}]"
        return self.op(text, shape, f"({x.type}) -> {to}", x.kind)

    def fill(self, value: str, shape: Shape, kind: str = "f32") -> Value:
        return self.broadcast(self.constant(value, kind), shape, [])

    def reduce(self, how: str, x: Value, init: str) -> Value:
        """Over the last axis."""
        start, axis = self.constant(init), len(x.shape) - 1
        out = Value("", x.shape[:-1]).type
        text = f"stablehlo.reduce({x.name} init: {start.name}) applies stablehlo.{how} across dimensions = [{axis}]"
        return self.op(text, x.shape[:-1], f"({x.type}, {start.type}) -> {out}")

    def over_last(self, x: Value, shape: Shape) -> Value:
        """Values per row, repeated along the last axis, in the two steps in which JAX writes it."""
        axes = range(len(x.shape))
        column = self.broadcast(x, (*x.shape, 1), axes)
        return self.broadcast(column, shape, range(len(shape)))

    def along_last(self, x: Value, shape: Shape) -> Value:
        """A vector of the last axis, repeated over the others."""
        row = self.broadcast(x, (*(1,) * (len(shape) - 1), shape[-1]), [len(shape) - 1])
        return self.broadcast(row, shape, range(len(shape)))

    def slice(self, x: Value, bounds: Sequence[tuple[int, int]]) -> Value:
        shape = tuple(b - a for a, b in bounds)
        text = f"stablehlo.slice {x.name} [{', '.join(f'{a}:{b}' for a, b in bounds)}]"
        return self.op(text, shape, f"({x.type}) -> {Value('', shape).type}")

    def reshape(self, x: Value, shape: Shape) -> Value:
        return self.op(f"stablehlo.reshape {x.name}", shape, f"({x.type}) -> {Value('', shape, x.kind).type}", x.kind)

    def concatenate(self, parts: Sequence[Value], axis: int) -> Value:
        first = parts[0].shape
        shape = (*first[:axis], sum(p.shape[axis] for p in parts), *first[axis + 1 :])
        types = f"({', '.join(p.type for p in parts)}) -> {Value('', shape).type}"
        return self.op(f"stablehlo.concatenate {', '.join(p.name for p in parts)}, dim = {axis}", shape, types)

    def dot(self, x: Value, y: Value, contract: tuple[int, int], shape: Shape, batch: str = "") -> Value:
        dims = f"{batch}contracting_dims = [{contract[0]}] x [{contract[1]}], precision = [DEFAULT, DEFAULT]"
        types = f"({x.type}, {y.type}) -> {Value('', shape).type}"
        return self.op(f"stablehlo.dot_general {x.name}, {y.name}, {dims}", shape, types)

    def call(self, name: str, operands: Sequence[Value], shape: Shape) -> Value:
        types = f"({', '.join(v.type for v in operands)}) -> {Value('', shape).type}"
        return self.op(f"call @{name}({', '.join(v.name for v in operands)})", shape, types)


PARAMETERS = ("scale1", "q", "k", "v", "o", "scale2", "gate", "up", "down")


def parameter_shapes(s: Sizes) -> dict[str, Shape]:
    """Of a layer."""
    square = (s.width, s.width)
    return {
        "scale1": (s.width,),
        **dict.fromkeys("qkvo", square),
        "scale2": (s.width,),
        "gate": (s.width, s.hidden),
        "up": (s.width, s.hidden),
        "down": (s.hidden, s.width),
    }


def norm(w: Writer, x: Value, scale: Value) -> Value:
    """x / sqrt(mean(x^2) + eps) * scale"""
    total = w.reduce("add", w.pointwise("multiply", x, x), "0.000000e+00")
    column = w.broadcast(total, (*total.shape, 1), range(len(total.shape)))
    mean = w.pointwise("divide", column, w.fill(f"{x.shape[-1]:e}", column.shape))
    root = w.pointwise("rsqrt", w.pointwise("add", mean, w.fill("9.99999997E-7", column.shape)))
    scaled = w.pointwise("multiply", x, w.broadcast(root, x.shape, range(len(x.shape))))
    return w.pointwise("multiply", scaled, w.along_last(scale, x.shape))


def rotate(w: Writer, x: Value, cos: Value, sin: Value) -> Value:
    """Rotary embedding of one head."""
    b, n, d = x.shape
    low = w.slice(x, [(0, b), (0, n), (0, d // 2)])
    high = w.slice(x, [(0, b), (0, n), (d // 2, d)])
    turned = w.concatenate([w.pointwise("negate", high), low], 2)
    parts = [w.broadcast(w.reshape(t, (1, n, d)), x.shape, [0, 1, 2]) for t in (cos, sin)]
    return w.pointwise("add", w.pointwise("multiply", x, parts[0]), w.pointwise("multiply", turned, parts[1]))


def head(w: Writer, s: Sizes, q: Value, k: Value, v: Value, cos: Value, sin: Value) -> Value:
    """Causal attention of one head."""
    rows: Shape = (s.batch, s.length, s.length)
    q, k = rotate(w, q, cos, sin), rotate(w, k, cos, sin)
    scores = w.dot(q, k, (2, 2), rows, "batching_dims = [0] x [0], ")
    scores = w.pointwise("multiply", scores, w.fill(f"{s.depth**-0.5:.8e}", rows))
    i = w.op("stablehlo.iota dim = 0", rows[1:], kind="i32")
    j = w.op("stablehlo.iota dim = 1", rows[1:], kind="i32")
    pair = f"({i.type}, {j.type}) -> {Value('', rows[1:], 'i1').type}"
    mask = w.op(f"stablehlo.compare  GE, {i.name}, {j.name},  SIGNED", rows[1:], pair, "i1")
    mask = w.broadcast(w.broadcast(mask, (1, *rows[1:]), [1, 2]), rows, [0, 1, 2])
    scores = w.call("_where", [mask, scores, w.constant("-1.000000e+30")], rows)
    most = w.reduce("maximum", scores, "0xFF800000")
    most = w.pointwise("maximum", w.fill("0xFF800000", most.shape), most)
    powers = w.pointwise("exponential", w.pointwise("subtract", scores, w.over_last(most, rows)))
    total = w.over_last(w.reduce("add", powers, "0.000000e+00"), rows)
    return w.dot(w.pointwise("divide", powers, total), v, (2, 1), q.shape, "batching_dims = [0] x [0], ")


def layer(w: Writer, s: Sizes, x: Value, p: dict[str, Value], cos: Value, sin: Value) -> Value:
    y = norm(w, x, p["scale1"])
    q, k, v = (w.dot(y, p[n], (2, 0), x.shape) for n in "qkv")
    heads: list[Value] = []
    for h in range(s.heads):
        bounds = [(0, s.batch), (0, s.length), (h * s.depth, (h + 1) * s.depth)]
        heads.append(head(w, s, *(w.slice(t, bounds) for t in (q, k, v)), cos, sin))
    x = w.pointwise("add", x, w.dot(w.concatenate(heads, 2), p["o"], (2, 0), x.shape))
    y = norm(w, x, p["scale2"])
    wide = (*x.shape[:2], s.hidden)
    gate = w.call("silu", [w.dot(y, p["gate"], (2, 0), wide)], wide)
    y = w.pointwise("multiply", gate, w.dot(y, p["up"], (2, 0), wide))
    return w.pointwise("add", x, w.dot(y, p["down"], (2, 0), x.shape))


def loss(w: Writer, s: Sizes, x: Value, scale: Value, table: Value, target: Value) -> Value:
    """Mean negative log-likelihood of one-hot targets."""
    rows: Shape = (s.batch, s.length, s.vocabulary)
    logits = w.dot(norm(w, x, scale), table, (2, 0), rows)
    shifted = w.pointwise("subtract", logits, w.over_last(w.reduce("maximum", logits, "0xFF800000"), rows))
    total = w.reduce("add", w.pointwise("exponential", shifted), "0.000000e+00")
    log = w.over_last(w.pointwise("log", total), rows)
    found = w.pointwise("multiply", w.pointwise("subtract", shifted, log), target)
    flat = w.reshape(found, (s.batch * s.length * s.vocabulary,))
    return w.pointwise("negate", w.reduce("add", flat, "0.000000e+00"))


def where(s: Sizes) -> list[str]:
    rows = f"{s.batch}x{s.length}x{s.length}"
    return [
        f"  func.func private @_where(%arg0: tensor<{rows}xi1>, %arg1: tensor<{rows}xf32>, %arg2: tensor<f32>)"
        f" -> tensor<{rows}xf32> {{",
        f"    %0 = stablehlo.broadcast_in_dim %arg2, dims = [] : (tensor<f32>) -> tensor<{rows}xf32>",
        f"    %1 = stablehlo.select %arg0, %arg1, %0 : tensor<{rows}xi1>, tensor<{rows}xf32>",
        f"    return %1 : tensor<{rows}xf32>",
        "  }",
    ]


def silu(s: Sizes) -> list[str]:
    x = f"tensor<{s.batch}x{s.length}x{s.hidden}xf32>"
    w = Writer()
    given = Value("%arg0", (s.batch, s.length, s.hidden))
    out = w.pointwise("multiply", given, w.pointwise("logistic", given))
    return [f"  func.func private @silu(%arg0: {x}) -> {x} {{", *w.lines, f"    return {out.name} : {x}", "  }"]


def text(s: Sizes) -> str:
    """The module: parameters first, layer by layer, then embedded tokens, tables of the rotation, and targets."""
    shapes = [shape for _ in range(s.layers) for shape in parameter_shapes(s).values()]
    shapes += [(s.width,), (s.width, s.vocabulary), (s.batch, s.length, s.width)]
    shapes += [(s.length, s.depth), (s.length, s.depth), (s.batch, s.length, s.vocabulary)]
    given = [Value(f"%arg{k}", shape) for k, shape in enumerate(shapes)]
    w = Writer()
    scale, table, x, cos, sin, target = given[-6:]
    for k in range(s.layers):
        first = k * len(PARAMETERS)
        x = layer(w, s, x, dict(zip(PARAMETERS, given[first:], strict=False)), cos, sin)
    out = loss(w, s, x, scale, table, target)
    arguments = ", ".join(f"{v.name}: {v.type}" for v in given)
    return "\n".join(
        [
            "module @jit_loss attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {",
            f'  func.func public @main({arguments}) -> (tensor<f32> {{jax.result_info = "result"}}) {{',
            *w.lines,
            f"    return {out.name} : tensor<f32>",
            "  }",
            *where(s),
            *silu(s),
            "}\n",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=Sizes.layers)
    parser.add_argument("--heads", type=int, default=Sizes.heads)
    options = parser.parse_args()
    print(text(Sizes(layers=options.layers, heads=options.heads)), end="")

"""The suite's programs as functions for JAX, which wrote their .mlir files, and for torch, with their shapes."""

# J and T are the modules of JAX and torch.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math
from typing import Any

from .function_problems import Function, Make

M = 1 << 20
HEADS = 12
EPSILON = 1e-5


def product(rows: int, inner: int, columns: int) -> Function:
    flops = 2.0 * rows * inner * columns
    same: Make = lambda _: lambda a, b: a @ b
    return Function(((rows, inner), (inner, columns)), same, same, same, flops=flops, terms=inner)


def convolution(channels: int, size: int, kernel: int) -> Function:
    shapes = ((1, channels, size, size), (channels, channels, kernel, kernel))
    flops = 2.0 * channels * channels * (size * kernel) ** 2
    return Function(shapes, jax_conv, torch_conv, flops=flops, terms=channels * kernel**2, magnitude=2, images=True)


def jax_conv(J: Any) -> Any:
    def conv(x: Any, w: Any) -> Any:
        k = w.shape[2] // 2
        return J.lax.conv_general_dilated(x, w, (1, 1), [(k, k), (k, k)])

    return conv


def torch_conv(T: Any) -> Any:
    return lambda x, w: T.nn.functional.conv2d(x, w, padding=w.shape[2] // 2)


def jax_norm(J: Any) -> Any:
    def normalised(x: Any, scale: Any, bias: Any) -> Any:
        m = x.mean(-1, keepdims=True)
        v = ((x - m) ** 2).mean(-1, keepdims=True)
        return (x - m) * J.lax.rsqrt(v + EPSILON) * scale + bias

    return normalised


def jax_attention(J: Any, causal: bool = False) -> Any:
    def attended(q: Any, k: Any, v: Any) -> Any:
        s = J.numpy.einsum("bhqd,bhkd->bhqk", q, k) * (1.0 / math.sqrt(q.shape[-1]))
        if causal:
            n = q.shape[2]
            s = J.numpy.where(J.numpy.tril(J.numpy.ones((n, n), bool)), s, -J.numpy.inf)
        return J.numpy.einsum("bhqk,bhkd->bhqd", J.nn.softmax(s, -1), v)

    return attended


def torch_attention(T: Any, causal: bool = False) -> Any:
    return lambda q, k, v: T.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def attention(heads: int, length: int, features: int, causal: bool = False) -> Function:
    """Of a causal mask the operations that it leaves."""
    return Function(
        ((1, heads, length, features),) * 3,
        lambda J: jax_attention(J, causal),
        lambda T: torch_attention(T, causal),
        flops=4.0 * heads * length * length * features / (2 if causal else 1),
        terms=length,
    )


def softmax(*sizes: int, axis: int = -1) -> Function:
    return Function(
        (sizes,),
        lambda J: lambda x: J.nn.softmax(x, axis),
        lambda T: lambda x: T.softmax(x, axis),
        math={"exp": 1},
        terms=sizes[axis],
    )


def gelu(size: int) -> Function:
    return Function(
        ((size,),),
        lambda J: lambda x: J.nn.gelu(x, approximate=True),
        lambda T: lambda x: T.nn.functional.gelu(x, approximate="tanh"),
        math={"tanh": 1},
    )


def layer_norm(rows: int, line: int) -> Function:
    torch: Make = lambda T: lambda x, g, b: T.nn.functional.layer_norm(x, x.shape[-1:], g, b)
    return Function(((rows, line), (line,), (line,)), jax_norm, torch, terms=line)


def jax_residual(J: Any) -> Any:
    """Variances are squared, so that random inputs are valid."""
    conv = jax_conv(J)

    def norm(x: Any, *given: Any) -> Any:
        s, b, m, v = (t[None, :, None, None] for t in given)
        return (x - m) * J.lax.rsqrt(v + EPSILON) * s + b

    def block(x: Any, w1: Any, w2: Any, s1: Any, b1: Any, m1: Any, v1: Any, *second: Any) -> Any:
        s2, b2, m2, v2 = second
        y = J.nn.relu(norm(conv(x, w1), s1, b1, m1, v1 * v1))
        return J.nn.relu(norm(conv(y, w2), s2, b2, m2, v2 * v2) + x)

    return block


def torch_residual(T: Any) -> Any:
    conv, F = torch_conv(T), T.nn.functional

    def norm(x: Any, s: Any, b: Any, m: Any, v: Any) -> Any:
        return F.batch_norm(x, m, v, s, b, False, 0.0, EPSILON)

    def block(x: Any, w1: Any, w2: Any, s1: Any, b1: Any, m1: Any, v1: Any, *second: Any) -> Any:
        s2, b2, m2, v2 = second
        y = F.relu(norm(conv(x, w1), s1, b1, m1, v1 * v1))
        return F.relu(norm(conv(y, w2), s2, b2, m2, v2 * v2) + x)

    return block


def jax_transformer(J: Any) -> Any:
    normalised, attended = jax_norm(J), jax_attention(J)

    def block(x: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any, *norms: Any) -> Any:
        g1, b1, g2, b2 = norms
        n = x.shape[0]
        y = normalised(x, g1, b1)
        q, k, v = ((y @ w).reshape(n, HEADS, -1).transpose(1, 0, 2)[None] for w in (wq, wk, wv))
        x = x + attended(q, k, v)[0].transpose(1, 0, 2).reshape(n, -1) @ wo
        return x + J.nn.gelu(normalised(x, g2, b2) @ w1, approximate=True) @ w2

    return block


def torch_transformer(T: Any) -> Any:
    F, attended = T.nn.functional, torch_attention(T)

    def block(x: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any, *norms: Any) -> Any:
        g1, b1, g2, b2 = norms
        n, line = x.shape
        y = F.layer_norm(x, (line,), g1, b1)
        q, k, v = ((y @ w).reshape(n, HEADS, -1).transpose(0, 1)[None] for w in (wq, wk, wv))
        x = x + attended(q, k, v)[0].transpose(0, 1).reshape(n, -1) @ wo
        return x + F.gelu(F.layer_norm(x, (line,), g2, b2) @ w1, approximate="tanh") @ w2

    return block


def jax_training(J: Any) -> Any:
    def loss(p: Any, x: Any, t: Any) -> Any:
        w1, b1, w2, b2 = p
        z = J.nn.relu(x @ w1 + b1) @ w2 + b2
        return -J.numpy.mean(J.numpy.sum(t * J.nn.log_softmax(z), -1))

    def step(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, t: Any) -> Any:
        p = (w1, b1, w2, b2)
        found, gradients = J.value_and_grad(loss)(p, x, t)
        return (found, *(a - 0.1 * d for a, d in zip(p, gradients)))

    return step


def torch_training(T: Any) -> Any:
    def step(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, t: Any) -> Any:
        p = [a.detach().requires_grad_() for a in (w1, b1, w2, b2)]
        z = T.relu(x @ p[0] + p[1]) @ p[2] + p[3]
        found = -(t * T.nn.functional.log_softmax(z, -1)).sum(-1).mean()
        gradients = T.autograd.grad(found, p)
        return (found.detach(), *[(a - 0.1 * d).detach() for a, d in zip(p, gradients)])

    return step


def jax_squares(J: Any) -> Any:
    def step(w1: Any, w2: Any, x: Any, y: Any) -> Any:
        loss = lambda w1, w2: J.numpy.mean((J.nn.relu(x @ w1) @ w2 - y) ** 2)
        first, second = J.grad(loss, (0, 1))(w1, w2)
        return w1 - 0.01 * first, w2 - 0.01 * second

    return step


def torch_squares(T: Any) -> Any:
    def step(w1: Any, w2: Any, x: Any, y: Any) -> Any:
        a, b = (w.detach().requires_grad_() for w in (w1, w2))
        first, second = T.autograd.grad(((T.relu(x @ a) @ b - y) ** 2).mean(), (a, b))
        return (a - 0.01 * first).detach(), (b - 0.01 * second).detach()

    return step


def suite() -> dict[str, Function]:
    """By the names of the files in bench/suite/programs."""
    add: Make = lambda _: lambda a, b, c, d: d + (a + b) * c
    line, wide = (768,), (768, 3072)
    square = (768, 768)
    residual = ((1, 64, 56, 56), *[(64, 64, 3, 3)] * 2, *[(64,)] * 8)
    transformer = ((128, 768), *[square] * 4, wide, wide[::-1], *[line] * 4)
    training = ((784, 512), (512,), (512, 10), (10,), (128, 784), (128, 10))
    return {
        "ew_16M": Function(((16 * M,),) * 4, add, add, add),
        "ew_4K": Function(((4096,),) * 4, add, add, add),
        "mm_256": product(256, 256, 256),
        "mm_1024": product(1024, 1024, 1024),
        "mm_2048": product(2048, 2048, 2048),
        "mm_1x4096x4096": product(1, 4096, 4096),
        "mm_32x768x3072": product(32, 768, 3072),
        "mm_odd_509x1021x253": product(509, 1021, 253),
        "conv3x3_64x56": convolution(64, 56, 3),
        "conv5x5_32x56": convolution(32, 56, 5),
        "softmax_4096x1024": softmax(4096, 1024),
        "layernorm_4096x768": layer_norm(4096, 768),
        "gelu_4M": gelu(4 * M),
        "attention_12x512x64": attention(HEADS, 512, 64),
        "resblock_64x56": Function(
            residual,
            jax_residual,
            torch_residual,
            flops=4.0 * 64 * 64 * 9 * 56 * 56,
            terms=1 << 13,
            magnitude=1e3,
            images=True,
        ),
        "transformer_128x768": Function(
            transformer, jax_transformer, torch_transformer, flops=1.8e9, terms=3072, magnitude=8
        ),
        "train_mlp_128x784x512": Function(
            training, jax_training, torch_training, flops=2e8, terms=784, magnitude=4, trains=True
        ),
        "seed_mse_64x256": Function(
            ((256, 256), (256, 32), (64, 256), (64, 32)),
            jax_squares,
            torch_squares,
            flops=2e7,
            terms=256,
            magnitude=4,
            trains=True,
        ),
        "tiny_8x16": Function(
            ((8, 16), (16, 16), (16, 4)),
            lambda J: lambda x, v, w: J.numpy.tanh(x @ v) @ w,
            lambda T: lambda x, v, w: T.tanh(x @ v) @ w,
            flops=5120.0,
            terms=16,
        ),
    }

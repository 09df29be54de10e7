"""`mlc.nn`: what networks are written with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.errors import CompileError
from ...dialects.nd import functions as F
from ...dialects.nd.array import Array, Axis
from ...dialects.nd.op import here
from ...dialects.nd.promotion import as_dtype, asarray, one_axis
from . import locations as _locations  # names the user's frame in errors

assert _locations


def relu(x: Any) -> Array:
    """`max(x, 0)`; NaN stays NaN."""
    return F.relu(asarray(x))


def gelu(x: Any) -> Array:
    """The tanh form: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel, 2016)."""
    return F.gelu(asarray(x))


def sigmoid(x: Any) -> Array:
    """`1 / (1 + exp(-x))`."""
    return F.sigmoid(x)


def log_sigmoid(x: Any) -> Array:
    """`log(sigmoid(x))`, without underflow."""
    return -softplus(-F.floats(x))


def silu(x: Any) -> Array:
    """`x * sigmoid(x)`, also known as swish."""
    return F.silu(x)


swish = silu


def softplus(x: Any) -> Array:
    """`log(1 + exp(x))`, without overflow."""
    return F.logaddexp(F.floats(x), 0.0)


def mish(x: Any) -> Array:
    """`x * tanh(softplus(x))` (Misra, 2019)."""
    x = F.floats(x)
    return x * F.tanh(softplus(x))


def elu(x: Any, alpha: Any = 1.0) -> Array:
    """`x` above 0, `alpha * (exp(x) - 1)` below (Clevert et al., 2015)."""
    x = F.floats(x)
    return F.where(x > 0, x, alpha * F.expm1(F.where(x > 0, 0.0, x)))  # exp(x) of a large x has no gradient to mask


def selu(x: Any) -> Array:
    """`elu` scaled so that activations keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def leaky_relu(x: Any, slope: Any = 0.01) -> Array:
    """`x` from 0 on, `slope * x` below."""
    x = F.floats(x)
    return F.where(x >= 0, x, slope * x)


def relu6(x: Any) -> Array:
    """`min(max(x, 0), 6)`."""
    return F.clip(asarray(x), 0, 6)


def hard_sigmoid(x: Any) -> Array:
    """`relu6(x + 3) / 6`, which is near sigmoid."""
    return relu6(F.floats(x) + 3) / 6


def hard_swish(x: Any) -> Array:
    """`x * hard_sigmoid(x)` (Howard et al., 2019)."""
    x = F.floats(x)
    return x * hard_sigmoid(x)


def glu(x: Any, axis: int = -1) -> Array:
    """`a * sigmoid(b)` of the two halves along an axis (Dauphin et al., 2016)."""
    x = F.floats(x)
    at = one_axis(axis, x.ndim)
    size = x.shape[at]
    if not isinstance(size, int) or size % 2:
        raise CompileError(f"glu: expected an even size along axis {axis}, found {size}", here())
    halves = [F.index(x, (slice(None),) * at + (slice(*s),)) for s in ((0, size // 2), (size // 2, size))]
    return halves[0] * F.sigmoid(halves[1])


def softmax(x: Any, axis: int = -1) -> Array:
    return F.softmax(asarray(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Array:
    return F.log_softmax(asarray(x), axis)


def one_hot(labels: Any, classes: int, dtype: Any = "float32") -> Array:
    """`[..., classes]`: 1 at each integer label, which must be in range."""
    return F.one_hot(asarray(labels), classes, as_dtype(dtype))


def embedding(indices: Any, table: Any) -> Array:
    """`[..., d]`: the rows of a table `[n, d]` at integer indices `[...]`; an index outside takes the nearest row."""
    return F.take(table, indices, 0)


def linear(x: Any, weight: Any, bias: Any = None) -> Array:
    """`x @ weight + bias`, for weight `[in, out]`, bias `[out]`."""
    y = F.matmul(asarray(x), asarray(weight))
    return y if bias is None else y + asarray(bias)


def cross_entropy(logits: Any, targets: Any) -> Array:
    """`[...]` of logits `[..., n]` and targets: integer labels `[...]` in range, or probabilities `[..., n]`."""
    return F.cross_entropy(asarray(logits), asarray(targets))


def mse(x: Any, y: Any, axis: Axis = None) -> Array:
    """The mean square difference."""
    return F.mse(asarray(x), asarray(y), axis)


def dense(rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Parameters of `linear`: He initialisation (He et al., 2015), zero bias, float32."""
    weight = (rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)
    return {"weight": weight, "bias": np.zeros(outputs, np.float32)}

"""`mlc.nn`: what networks are written with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.nd import functions as F
from ...dialects.nd.array import Array, Axis
from ...dialects.nd.promotion import as_dtype, asarray
from . import locations as _locations  # names the user's frame in errors

assert _locations


def relu(x: Any) -> Array:
    """`max(x, 0)`; NaN stays NaN."""
    return F.relu(asarray(x))


def gelu(x: Any) -> Array:
    """The tanh form: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel, 2016)."""
    return F.gelu(asarray(x))


def softmax(x: Any, axis: int = -1) -> Array:
    return F.softmax(asarray(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Array:
    return F.log_softmax(asarray(x), axis)


def one_hot(labels: Any, classes: int, dtype: Any = "float32") -> Array:
    """`[..., classes]`: 1 at each integer label, which must be in range."""
    return F.one_hot(asarray(labels), classes, as_dtype(dtype))


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

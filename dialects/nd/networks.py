"""Functions of the array language that networks are made of: activations, distributions over classes, losses."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import f32

from . import dimmap
from .activation import GeluErf
from .array import Array, Axis
from .composite import CrossEntropy, Gelu, LogSoftmax, Mse, Relu, Softmax
from .dimmap import DimMap
from .dims import Dim, show
from .indexing import one_hot_as
from .mapped import text
from .op import bind
from .promotion import as_dtype, asarray, axes_of, fail, floats, numeric, one_axis, promote
from .shaping import swapaxes
from .types import INTEGER


def relu(x: Any) -> Array:
    return bind(Relu, numeric(asarray(x)))


def gelu(x: Any, approximate: bool = True) -> Array:
    return bind(Gelu if approximate else GeluErf, floats(x))


def softmax(x: Any, axis: int = -1) -> Array:
    return _along(Softmax, floats(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Array:
    return _along(LogSoftmax, floats(x), axis)


def _along(cls: type[Softmax] | type[LogSoftmax], x: Array, axis: int) -> Array:
    if not x.ndim:
        raise fail(f"expected at least one dimension, found {x.type}")
    at = one_axis(axis, x.ndim)
    return swapaxes(bind(cls, swapaxes(x, at, -1)), at, -1)


def one_hot(labels: Any, classes: Dim, dtype: Any = f32) -> Array:
    """Rows of 0 with a 1 at the label's place; labels must be in 0..classes-1."""
    x = asarray(labels)
    return one_hot_as(x, (*x.shape, classes), as_dtype(dtype))


def cross_entropy(logits: Any, targets: Any) -> Array:
    """One loss for each row; targets are weights like the logits, or integer labels in range."""
    x, t = floats(logits), asarray(targets)
    if t.dtype in INTEGER and x.ndim:
        if t.shape != x.shape[:-1]:
            raise fail(f"expected labels of shape {show(x.shape[:-1])} for logits {x.type}, found {show(t.shape)}")
        t = one_hot_as(t, x.shape, x.dtype)
    x, t = promote(x, floats(t))
    return bind(CrossEntropy, x, t)


def mse(x: Any, y: Any, axis: Axis = None) -> Array:
    """The mean of (x - y)^2."""
    x, y = promote(floats(x), y)
    axes = axes_of(x, axis)
    n = dimmap.names(x.ndim)
    return bind(Mse, x, y, map=text(DimMap((n, n), tuple(i for k, i in enumerate(n) if k not in axes))))

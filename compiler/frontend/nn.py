"""`mlc.nn`: what networks are written with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.errors import CompileError
from ...dialects.nd import convolution, pooling
from ...dialects.nd import functions as F
from ...dialects.nd.array import Array, Axis
from ...dialects.nd.op import here
from ...dialects.nd.promotion import as_dtype, asarray, one_axis
from . import locations as _locations  # names the user's frame in errors

assert _locations


def relu(x: Any) -> Array:
    """`max(x, 0)`; NaN stays NaN."""
    return F.relu(asarray(x))


def gelu(x: Any, approximate: bool = True) -> Array:
    """The tanh form: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel, 2016).

    Not approximate: `x/2 * (1 + erf(x / sqrt(2)))`.
    """
    return F.gelu(asarray(x), approximate)


def erf(x: Any) -> Array:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return F.erf(asarray(x))


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


def conv(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    input_dilation: Any = 1,
    layout: Any = None,
    bias: Any = None,
) -> Array:
    """Convolution of any rank: x `[n, *spatial, c]` and w `[*kernel, c / groups, o]` give `[n, *spatial, o]`.

    Numbers stand for all spatial dimensions or for each. `padding`: "valid", "same" (ceil(n / stride) results), a
    number, or pairs (before, behind), which may be negative. `dilation` spreads the kernel, `input_dilation` the
    input. `layout`: "NHWC" (the default, of any rank), "NCHW" with kernels OIHW, or three texts for x, w and result.
    `groups=c` is a depthwise convolution. The kernel is not reversed.
    """
    return convolution.convolve(x, w, stride, padding, dilation, groups, input_dilation, layout, bias)


def conv_transpose(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    output_padding: Any = 0,
    layout: Any = None,
    bias: Any = None,
) -> Array:
    """The transpose of `conv`: each element of x `[n, *spatial, c]` adds w `[*kernel, c, o / groups]` times itself.

    Results have `(n - 1) * stride + dilation * (k - 1) + 1` places, less the padding, which is cut off, and
    `output_padding` more behind; "same" gives `n * stride`.
    """
    return convolution.convolve_transpose(x, w, stride, padding, dilation, groups, output_padding, layout, bias)


def max_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    layout: Any = None,
) -> Array:
    """The largest element of each window; what is outside of x does not count. `stride`: by default the window's size.

    With `ceil_mode` a last window hangs over the end where elements are left. Equal elements share the gradient.
    """
    return pooling.max_pool(x, window, stride, padding, dilation, ceil_mode, layout)


def min_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    layout: Any = None,
) -> Array:
    """As `max_pool`, the smallest."""
    return pooling.min_pool(x, window, stride, padding, dilation, ceil_mode, layout)


def avg_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    layout: Any = None,
) -> Array:
    """The mean of each window: over its size, padding being zeros; without `count_include_pad` over what it holds of x.

    A window that `ceil_mode` lets hang over the end divides by what lies before the end.
    """
    return pooling.avg_pool(x, window, stride, padding, dilation, ceil_mode, count_include_pad, layout)


def global_max_pool(x: Any, keepdims: bool = False, layout: Any = None) -> Array:
    """`[n, c]`: the largest element of all spatial dimensions."""
    return pooling.global_pool("max", x, keepdims, layout)


def global_avg_pool(x: Any, keepdims: bool = False, layout: Any = None) -> Array:
    """`[n, c]`: the mean over all spatial dimensions."""
    return pooling.global_pool("mean", x, keepdims, layout)


def adaptive_max_pool(x: Any, size: Any, layout: Any = None) -> Array:
    """`size` windows that cover each spatial dimension: from floor(i n / size) up to ceil((i + 1) n / size)."""
    return pooling.adaptive_pool("max", x, size, layout)


def adaptive_avg_pool(x: Any, size: Any, layout: Any = None) -> Array:
    """As `adaptive_max_pool`, means."""
    return pooling.adaptive_pool("mean", x, size, layout)


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

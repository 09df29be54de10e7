"""The converters: op name -> function, in modules that load when one of their ops is met.

A converter takes the op, its operands as arrays, and the conversion (for regions, attributes' errors and known sizes),
builds nd ops at the current place and returns one array or several:

    @converter("stablehlo.transpose")
    def transpose(op: Operation, operands: list[Array], c: Conversion) -> Array: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array

if TYPE_CHECKING:
    from .conversion import Conversion

Value = Any
"""An array; of a tuple type a Python tuple of values; of a token None."""

Converter = Callable[[Operation, list[Array], "Conversion"], "Value | Sequence[Value]"]
F = TypeVar("F", bound=Converter)

FAMILIES: dict[str, str] = {
    "elementwise": (
        "abs add and atan2 bitcast_convert cbrt ceil clamp compare complex convert cosine count_leading_zeros divide "
        "exponential exponential_minus_one floor imag is_finite log log_plus_one logistic maximum minimum multiply "
        "negate not or popcnt power real reduce_precision remainder round_nearest_afz round_nearest_even rsqrt select "
        "shift_left shift_right_arithmetic shift_right_logical sign sine sqrt subtract tan tanh xor"
    ),
    "movement": (
        "broadcast broadcast_in_dim chlo.constant chlo.constant_like concatenate constant dynamic_slice "
        "dynamic_update_slice get_dimension_size iota pad reshape reverse slice transpose"
    ),
    "control": (
        "after_all case composite create_token get_tuple_element if optimization_barrier partition_id replica_id tuple "
        "while"
    ),
    "chlo": (
        "chlo.acos chlo.acosh chlo.asin chlo.asinh chlo.atan chlo.atanh chlo.bessel_i1e chlo.broadcast_add "
        "chlo.broadcast_and chlo.broadcast_atan2 chlo.broadcast_compare chlo.broadcast_complex chlo.broadcast_divide "
        "chlo.broadcast_maximum chlo.broadcast_minimum chlo.broadcast_multiply chlo.broadcast_next_after "
        "chlo.broadcast_or chlo.broadcast_polygamma chlo.broadcast_power chlo.broadcast_remainder "
        "chlo.broadcast_select chlo.broadcast_shift_left chlo.broadcast_shift_right_arithmetic "
        "chlo.broadcast_shift_right_logical chlo.broadcast_subtract chlo.broadcast_xor chlo.broadcast_zeta chlo.conj "
        "chlo.cosh chlo.digamma chlo.erf chlo.erf_inv chlo.erfc chlo.is_inf chlo.is_neg_inf chlo.is_pos_inf "
        "chlo.lgamma chlo.mulhi chlo.next_after chlo.polygamma chlo.sinh chlo.square chlo.tan chlo.zeta"
    ),
    "collectives": (
        "all_gather all_reduce all_to_all collective_broadcast collective_permute cross-replica-sum reduce_scatter"
    ),
    "composed": ("batch_norm_grad batch_norm_inference batch_norm_training einsum torch_index_select unary_einsum"),
    "contractions": "convolution dot dot_general",
    "dynamic": (
        "dynamic_broadcast_in_dim dynamic_conv dynamic_gather dynamic_iota dynamic_pad dynamic_reshape "
        "real_dynamic_slice set_dimension_size"
    ),
    "custom_calls": "custom_call",
    "fourier": "fft",
    "gathers": "gather",
    "linear_algebra": "cholesky rng rng_bit_generator triangular_solve",
    "quantized": "uniform_dequantize uniform_quantize",
    "reductions": "map reduce",
    "scatters": "scatter",
    "sorts": "chlo.top_k sort",
    "windows": "reduce_window select_and_scatter",
}
"""Module of this package -> the ops that it converts; those without a dialect are StableHLO's."""

_ASYNC = "starts or ends an operation that runs beside others; a program's ops run one after the other"
_OTHERS = "exchanges data with another program or device; a program runs by itself"
REFUSED: dict[str, str] = {
    "chlo._asin_acos_kernel": "is a step of a compiler between chlo.asin and its parts",
    "chlo.ragged_dot": "multiplies groups of sizes that are known when the program runs; write one product for each",
    "chlo.scan": "carries values through a region of its own; write stablehlo.while",
    "stablehlo.async_done": _ASYNC,
    "stablehlo.async_start": _ASYNC,
    "stablehlo.infeed": _OTHERS,
    "stablehlo.outfeed": _OTHERS,
    "stablehlo.recv": _OTHERS,
    "stablehlo.send": _OTHERS,
}
"""Op -> why it is refused: `found NAME, which REASON`."""

CONVERTERS: dict[str, Converter] = {}
"""What has been loaded."""

_MODULES = {
    name if "." in name else f"stablehlo.{name}": module for module, names in FAMILIES.items() for name in names.split()
}


def converter(*names: str) -> Callable[[F], F]:
    """Register the converter of these ops."""

    def register(fn: F) -> F:
        CONVERTERS.update(dict.fromkeys(names, fn))
        return fn

    return register


def lookup(op: Operation) -> Converter:
    """The converter of an op, loaded now; CompileError for one that has none."""
    name = op.name
    if name in _MODULES:
        import_module(f".{_MODULES[name]}", __package__)
        return CONVERTERS[name]
    reason = REFUSED.get(name, "has no conversion to nd")
    raise CompileError(f"expected an op that can be compiled, found {name}, which {reason}", op.location)

"""The Array API standard, version 2025.12, as data: its names, the signatures of its functions, and what is left out.

Signatures are Python's: what stands before `/` is positional, what stands behind `*` is passed by keyword. A function
satisfies one if every call that it allows is possible with the same defaults; it may take more.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

CREATION = """
arange(start, /, stop=None, step=1, *, dtype=None, device=None)
asarray(obj, /, *, dtype=None, device=None, copy=None)
empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None)
full_like(x, /, fill_value, *, dtype=None, device=None)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
meshgrid(*arrays, indexing='xy')
ones(shape, *, dtype=None, device=None)
ones_like(x, /, *, dtype=None, device=None)
tril(x, /, *, k=0)
triu(x, /, *, k=0)
zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
"""
DATA_TYPES = """
astype(x, dtype, /, *, copy=True, device=None)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
"""
ONE = """
abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan log
log1p log2 log10 logical_not negative positive real reciprocal round sign signbit sin sinh square sqrt tan tanh trunc
"""
TWO = """
add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal floor_divide
greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply
nextafter not_equal pow remainder subtract
"""
INDEXING = """
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
"""
INSPECTION = """
__array_namespace_info__()
"""
LINEAR_ALGEBRA = """
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes=2)
vecdot(x1, x2, /, *, axis=-1)
"""
MANIPULATION = """
broadcast_arrays(*arrays)
broadcast_shapes(*shapes)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis=0)
expand_dims(x, /, axis)
flip(x, /, *, axis=None)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
roll(x, /, shift, *, axis=None)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
tile(x, repetitions, /)
unstack(x, /, *, axis=0)
"""
SEARCHING = """
argmax(x, /, *, axis=None, keepdims=False)
argmin(x, /, *, axis=None, keepdims=False)
count_nonzero(x, /, *, axis=None, keepdims=False)
nonzero(x, /)
searchsorted(x1, x2, /, *, side='left', sorter=None)
where(condition, x1, x2, /)
"""
SETS = """
isin(x1, x2, /, *, invert=False)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
"""
SORTING = """
argsort(x, /, *, axis=-1, descending=False, stable=True)
sort(x, /, *, axis=-1, descending=False, stable=True)
"""
STATISTICAL = """
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, axis=None, keepdims=False)
mean(x, /, *, axis=None, keepdims=False)
min(x, /, *, axis=None, keepdims=False)
prod(x, /, *, axis=None, dtype=None, keepdims=False)
std(x, /, *, axis=None, correction=0.0, keepdims=False)
sum(x, /, *, axis=None, dtype=None, keepdims=False)
var(x, /, *, axis=None, correction=0.0, keepdims=False)
"""
UTILITY = """
all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
"""
LINALG = """
cholesky(x, /, *, upper=False)
cross(x1, x2, /, *, axis=-1)
det(x, /)
diagonal(x, /, *, offset=0)
eig(x, /)
eigh(x, /)
eigvals(x, /)
eigvalsh(x, /)
inv(x, /)
matmul(x1, x2, /)
matrix_norm(x, /, *, keepdims=False, ord='fro')
matrix_power(x, n, /)
matrix_rank(x, /, *, rtol=None)
matrix_transpose(x, /)
outer(x1, x2, /)
pinv(x, /, *, rtol=None)
qr(x, /, *, mode='reduced')
slogdet(x, /)
solve(x1, x2, /)
svd(x, /, *, full_matrices=True)
svdvals(x, /)
tensordot(x1, x2, /, *, axes=2)
trace(x, /, *, offset=0, dtype=None)
vecdot(x1, x2, /, *, axis=-1)
vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""
FFT = """
fft(x, /, *, n=None, axis=-1, norm='backward')
ifft(x, /, *, n=None, axis=-1, norm='backward')
fftn(x, /, *, s=None, axes=None, norm='backward')
ifftn(x, /, *, s=None, axes=None, norm='backward')
rfft(x, /, *, n=None, axis=-1, norm='backward')
irfft(x, /, *, n=None, axis=-1, norm='backward')
rfftn(x, /, *, s=None, axes=None, norm='backward')
irfftn(x, /, *, s=None, axes=None, norm='backward')
hfft(x, /, *, n=None, axis=-1, norm='backward')
ihfft(x, /, *, n=None, axis=-1, norm='backward')
fftfreq(n, /, *, d=1.0, dtype=None, device=None)
rfftfreq(n, /, *, d=1.0, dtype=None, device=None)
fftshift(x, /, *, axes=None)
ifftshift(x, /, *, axes=None)
"""
INFO = """
capabilities()
default_device()
default_dtypes(*, device=None)
devices()
dtypes(*, device=None, kind=None)
"""
BINARY = """
__add__ __and__ __eq__ __floordiv__ __ge__ __gt__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__ __ne__ __or__
__pow__ __rshift__ __sub__ __truediv__ __xor__
__radd__ __rsub__ __rmul__ __rtruediv__ __rfloordiv__ __rpow__ __rmod__ __rmatmul__ __rand__ __ror__ __rxor__
__rlshift__ __rrshift__
"""
UNARY = "__abs__ __bool__ __complex__ __dlpack_device__ __float__ __index__ __int__ __invert__ __neg__ __pos__"
METHODS = """
__array_namespace__(self, /, *, api_version=None)
__dlpack__(self, /, *, stream=None, max_version=None, dl_device=None, copy=None)
__getitem__(self, key, /)
__setitem__(self, key, value, /)
to_device(self, device, /, *, stream=None)
"""

SECTIONS = {
    "creation": CREATION,
    "data types": DATA_TYPES,
    "elementwise": "\n".join([*(f"{n}(x, /)" for n in ONE.split()), *(f"{n}(x1, x2, /)" for n in TWO.split())])
    + "\nclip(x, /, min=None, max=None)",
    "indexing": INDEXING,
    "inspection": INSPECTION,
    "linear algebra": LINEAR_ALGEBRA,
    "manipulation": MANIPULATION,
    "searching": SEARCHING,
    "sets": SETS,
    "sorting": SORTING,
    "statistical": STATISTICAL,
    "utility": UTILITY,
    "extension linalg": LINALG,
    "extension fft": FFT,
    "namespace info": INFO,
    "methods": METHODS
    + "\n".join([*(f"{n}(self, other, /)" for n in BINARY.split()), *(f"{n}(self, /)" for n in UNARY.split())]),
}
CONSTANTS = {"e": 2.718281828459045, "inf": float("inf"), "nan": float("nan"), "newaxis": None, "pi": 3.141592653589793}
DTYPES = ["bool", *(f"{kind}int{n}" for kind in ("", "u") for n in (8, 16, 32, 64))]
DTYPES += ["float32", "float64", "complex64", "complex128"]
ATTRIBUTES = ("T", "device", "dtype", "mT", "ndim", "shape", "size")

VALUES = "the size of the result depends on values: in `mlc.eager()` and of NumPy arrays, not in a trace"
PARTLY = {
    **dict.fromkeys(("nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values"), VALUES),
    "repeat": "an array of repetitions has to be known: in `mlc.eager()` or NumPy's; a number is fine everywhere",
    "__getitem__": "a mask has to be known: in `mlc.eager()` or NumPy's; all other indices are fine everywhere",
    **dict.fromkeys(
        ("__bool__", "__complex__", "__dlpack__", "__float__", "__index__", "__int__"),
        "a value that a trace does not have: in `mlc.eager()`; in a trace a located error, as the standard allows",
    ),
    "__setitem__": "arrays never change: a located error that names `x.at[key].set(value)`; `x += y` binds x anew",
    "device": 'one device, `"cpu"`',
}
"""What is there with a condition."""

EXEMPT: dict[str, str] = {
    **dict.fromkeys(("eig", "eigvals"), "eigenvalues of matrices that are not symmetric"),
}
"""What is not there, and why."""


def signatures(text: str) -> Iterator[tuple[str, inspect.Signature]]:
    """Names and signatures of a section."""
    for line in text.split("\n"):
        if line.strip():
            scope: dict[str, object] = {}
            exec(f"def {line}: ...", scope)
            name = line.partition("(")[0]
            yield name, inspect.signature(scope[name])  # pyright: ignore[reportArgumentType]


def difference(wanted: inspect.Signature, found: inspect.Signature) -> str:
    """What a call that the first signature allows could not say with the second; empty if nothing."""
    P = inspect.Parameter
    positional = [p for p in found.parameters.values() if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)]
    for k, p in enumerate(wanted.parameters.values()):
        own = found.parameters.get(p.name)
        if p.kind is P.VAR_POSITIONAL:
            if not any(q.kind is P.VAR_POSITIONAL for q in found.parameters.values()):
                return f"no *{p.name}"
            continue
        if p.kind is P.KEYWORD_ONLY:
            if own is None or own.kind not in (P.KEYWORD_ONLY, P.POSITIONAL_OR_KEYWORD):
                return f"no keyword {p.name}"
        else:
            if k >= len(positional):
                return f"no parameter {p.name}"
            if p.kind is P.POSITIONAL_OR_KEYWORD and positional[k].name != p.name:
                return f"parameter {p.name} is called {positional[k].name}"
            own = positional[k]
        if p.default is not P.empty and own.default != p.default:
            return f"{p.name} defaults to {own.default!r}, not {p.default!r}"
    names = [p.name for p in wanted.parameters.values()]
    required = [q for k, q in enumerate(found.parameters.values()) if q.default is P.empty and k >= len(names)]
    return f"needs {required[0].name}" if required and required[0].kind is not P.VAR_POSITIONAL else ""

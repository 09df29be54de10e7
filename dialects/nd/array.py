"""`Array`: a value while a program is built. It wraps an SSA value.

Python's operators and NumPy's methods are thin calls of `functions`, so that rules and users write the same language.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from xdsl.ir import Attribute, SSAValue

from ..errors import CompileError
from .dims import Dim, Shape, size
from .types import Type, shape_of

if TYPE_CHECKING:
    from .lookup import At

Axis = int | Sequence[int] | None

concrete: list[Callable[[SSAValue], np.ndarray[Any, Any] | None]] = [lambda value: None]
"""The hook of execution at once: the value that is known already, or None."""

namespace: list[Callable[[], Any]] = [lambda: None]
"""The hook of the frontend: the module of the functions of arrays."""

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
"""Of the Array API standard; the last one is followed, and holds those before it."""


def _call(name: str, *args: Any, **kwargs: Any) -> Any:
    from . import functions  # functions are written in terms of arrays

    return getattr(functions, name)(*args, **kwargs)


UFUNCS = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "true_divide",
    "floor_divide": "floor_divide",
    "remainder": "remainder",
    "power": "power",
    "matmul": "matmul",
    "bitwise_and": "bitwise_and",
    "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor",
    "left_shift": "left_shift",
    "right_shift": "right_shift",
    "equal": "equal",
    "not_equal": "not_equal",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
}
"""NumPy's operators, by what they are called here."""


class Array:
    __slots__ = ("value",)
    __array_priority__ = 100

    def __init__(self, value: SSAValue) -> None:
        self.value = value

    @property
    def type(self) -> Type:
        return self.value.type  # pyright: ignore[reportReturnType]

    @property
    def shape(self) -> Shape:
        return shape_of(self.value.type)

    @property
    def dtype(self) -> Attribute:
        return self.type.element_type

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Dim:
        return size(self.shape)

    @property
    def T(self) -> Array:
        return _call("transpose", self)

    @property
    def mT(self) -> Array:
        """Each matrix transposed."""
        return _call("matrix_transpose", self)

    @property
    def device(self) -> str:
        return "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """The array itself: there is one device."""
        return _call("on_device", self, device, stream)

    # Operators.

    def __add__(self, o: Any) -> Array:
        return _call("add", self, o)

    def __radd__(self, o: Any) -> Array:
        return _call("add", o, self)

    def __sub__(self, o: Any) -> Array:
        return _call("sub", self, o)

    def __rsub__(self, o: Any) -> Array:
        return _call("sub", o, self)

    def __mul__(self, o: Any) -> Array:
        return _call("mul", self, o)

    def __rmul__(self, o: Any) -> Array:
        return _call("mul", o, self)

    def __truediv__(self, o: Any) -> Array:
        return _call("true_divide", self, o)

    def __rtruediv__(self, o: Any) -> Array:
        return _call("true_divide", o, self)

    def __floordiv__(self, o: Any) -> Array:
        return _call("floor_divide", self, o)

    def __rfloordiv__(self, o: Any) -> Array:
        return _call("floor_divide", o, self)

    def __mod__(self, o: Any) -> Array:
        return _call("remainder", self, o)

    def __rmod__(self, o: Any) -> Array:
        return _call("remainder", o, self)

    def __divmod__(self, o: Any) -> tuple[Array, Array]:
        return self // o, self % o

    def __rdivmod__(self, o: Any) -> tuple[Array, Array]:
        return o // self, o % self

    def __pow__(self, o: Any) -> Array:
        return _call("power", self, o)

    def __rpow__(self, o: Any) -> Array:
        return _call("power", o, self)

    def __matmul__(self, o: Any) -> Array:
        return _call("matmul", self, o)

    def __rmatmul__(self, o: Any) -> Array:
        return _call("matmul", o, self)

    def __neg__(self) -> Array:
        return _call("neg", self)

    def __pos__(self) -> Array:
        return self

    def __abs__(self) -> Array:
        return _call("abs_", self)

    def __invert__(self) -> Array:
        return _call("bitwise_not", self)

    def __and__(self, o: Any) -> Array:
        return _call("bitwise_and", self, o)

    def __rand__(self, o: Any) -> Array:
        return _call("bitwise_and", o, self)

    def __or__(self, o: Any) -> Array:
        return _call("bitwise_or", self, o)

    def __ror__(self, o: Any) -> Array:
        return _call("bitwise_or", o, self)

    def __xor__(self, o: Any) -> Array:
        return _call("bitwise_xor", self, o)

    def __rxor__(self, o: Any) -> Array:
        return _call("bitwise_xor", o, self)

    def __lshift__(self, o: Any) -> Array:
        return _call("left_shift", self, o)

    def __rlshift__(self, o: Any) -> Array:
        return _call("left_shift", o, self)

    def __rshift__(self, o: Any) -> Array:
        return _call("right_shift", self, o)

    def __rrshift__(self, o: Any) -> Array:
        return _call("right_shift", o, self)

    def __lt__(self, o: Any) -> Array:
        return _call("compare", "lt", self, o)

    def __le__(self, o: Any) -> Array:
        return _call("compare", "le", self, o)

    def __gt__(self, o: Any) -> Array:
        return _call("compare", "gt", self, o)

    def __ge__(self, o: Any) -> Array:
        return _call("compare", "ge", self, o)

    def __eq__(self, o: Any) -> Array:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _call("compare", "eq", self, o)

    def __ne__(self, o: Any) -> Array:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _call("compare", "ne", self, o)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Array:
        return _call("index", self, key)

    @property
    def at(self) -> At:
        """`x.at[key].set(v)`, `.add`, `.multiply`, `.max`, `.min`: a new array with other elements there; `.get`."""
        return _call("At", self)

    # Methods, as NumPy's.

    def reshape(self, *shape: Any) -> Array:
        return _call("reshape", self, shape[0] if len(shape) == 1 and not isinstance(shape[0], Dim) else shape)

    def transpose(self, *axes: Any) -> Array:
        flat = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return _call("transpose", self, flat or None)

    def astype(self, dtype: Any) -> Array:
        return _call("convert", self, dtype)

    def sum(self, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
        return _call("sum_", self, axis, keepdims, dtype)

    def prod(self, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
        return _call("prod", self, axis, keepdims, dtype)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("max_", self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("min_", self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("mean", self, axis, keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("variance", self, axis, keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("any_", self, axis, keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Array:
        return _call("all_", self, axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Array:
        return _call("argmax", self, axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Array:
        return _call("argmin", self, axis, keepdims)

    # What a traced value cannot do, and one that was computed at once (`concrete`) can.

    def __bool__(self) -> bool:
        return bool(self._known("truth", "mlc.numpy.where, or a static argument"))

    def __int__(self) -> int:
        return int(self._known("value", "astype, or a static argument"))

    def __float__(self) -> float:
        return float(self._known("value", "astype, or a static argument"))

    def __index__(self) -> int:
        return operator.index(self._known("value", "mlc.numpy.where or one_hot, or a static argument").item())

    def __complex__(self) -> complex:
        return complex(self._known("value", "astype, or a static argument").item())

    def item(self) -> Any:
        """The one element as a Python number."""
        return self._known("value", "a static argument").item()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Array:
        """NumPy's operators hand over to ours; its functions do not, nor calls with options (`out`, `where`)."""
        if method == "__call__" and not options and (found := UFUNCS.get(ufunc.__name__)) is not None:
            return _call(found, *inputs)
        from .op import locate

        message = (
            f"numpy.{ufunc.__name__} cannot take a traced value of type {self.type}; use mlc.numpy.{ufunc.__name__}"
        )
        raise CompileError(message, locate[0]())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self._known("value", "functions of mlc.numpy instead of numpy's"), dtype, copy=copy)

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """`mlc.numpy`."""
        if api_version is not None and api_version not in API_VERSIONS:
            from .op import locate

            raise CompileError(
                f"expected a version of the Array API of {', '.join(API_VERSIONS)}, found {api_version!r}",
                locate[0](),
            )
        return namespace[0]()

    def __dlpack__(
        self,
        /,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """The value's memory; of one that a consumer without versions could write, a copy."""
        value = self._known("memory", "__dlpack__ of the compiled function's result")
        if not value.flags.writeable and (max_version is None or max_version[0] < 1):
            if copy is False:
                raise BufferError("expected copy=None or True for an array that is read-only, found False")
            value = value.copy()
        return value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # kDLCPU

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        from .op import locate

        raise CompileError(
            "expected an array that can change, found a value, which cannot; use x = x.at[key].set(value)", locate[0]()
        )

    def _known(self, what: str, instead: str) -> np.ndarray[Any, Any]:
        """The value, if there is one already; else an error that says what to write instead."""
        found = concrete[0](self.value)
        return self._unknown(what, instead) if found is None else found

    def _unknown(self, what: str, instead: str) -> NoReturn:
        from .op import locate

        raise CompileError(
            f"the {what} of a traced value of type {self.type} is not known while the program is built; use {instead}",
            locate[0](),
        )

    def __len__(self) -> int:
        if not self.shape or not isinstance(n := self.shape[0], int):
            raise TypeError(f"len() of a value of type {self.type}, whose first dimension is no number")
        return n

    def __iter__(self) -> Iterator[Array]:
        return iter([self[k] for k in range(len(self))])

    def __repr__(self) -> str:
        found = concrete[0](self.value)
        return f"Array({self.type})" if found is None else f"Array({found})"

"""What `mlc.numpy` says of itself."""

from __future__ import annotations

from typing import Any

from .. import dtypes, eager
from ..dtypes import DType

__array_api_version__ = "2025.12"

STANDARD = (
    "bool",
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)
"""The element types of the standard; `mlc.numpy` has more."""


class Info:
    """Of the namespace: what it can, on which device, and its element types."""

    def capabilities(self) -> dict[str, Any]:
        """Results whose sizes depend on values are there in `mlc.eager()`, not in a trace."""
        return {"boolean indexing": eager.active(), "data-dependent shapes": eager.active(), "max dimensions": None}

    def default_device(self) -> str:
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        kinds = {
            "real floating": "float32",
            "complex floating": "complex64",
            "integral": "int64",
            "indexing": "int64",
        }
        found = self.dtypes()
        return {kind: found[name] for kind, name in kinds.items() if name in found}

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The standard's element types, or those of some kinds."""
        kinds = kind if kind is not None else ("bool", "numeric")
        found = {t.name: t for t in map(dtypes.named, dtypes.types.NAMES) if t.name in STANDARD}
        return {name: found[name] for name in STANDARD if name in found and dtypes.isdtype(found[name], kinds)}


def __array_namespace_info__() -> Info:
    return Info()


__all__ = ["__array_api_version__", "__array_namespace_info__"]

"""The namespace of arrays: what `Array.__array_namespace__` gives is this package's `numpy`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...dialects.nd import array


def namespace() -> Any:
    return import_module(__name__.removesuffix("compiler.frontend.namespace") + "numpy")


array.namespace[0] = namespace

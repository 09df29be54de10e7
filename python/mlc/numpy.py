from typing import TYPE_CHECKING, Any

from .compiler.frontend import numpy as _numpy
from .compiler.frontend.numpy import __all__ as __all__
from .compiler.frontend.numpy import __dir__ as __dir__

if TYPE_CHECKING:
    from .compiler.frontend.numpy import *  # noqa: F403


def __getattr__(name: str) -> Any:
    value = globals()[name] = getattr(_numpy, name)
    return value

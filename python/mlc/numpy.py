from .compiler.frontend.numpy import *  # noqa: F403
from .compiler.frontend.numpy import __getattr__ as __getattr__

from .compiler.frontend.layers import *  # noqa: F403
from .compiler.frontend.nn import *  # noqa: F403

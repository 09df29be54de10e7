from .compiler.frontend.distributions import *  # noqa: F403
from .compiler.frontend.random import *  # noqa: F403

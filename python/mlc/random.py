from .compiler.frontend.random import *  # noqa: F403

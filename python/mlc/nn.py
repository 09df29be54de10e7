from .compiler.frontend.nn import *  # noqa: F403

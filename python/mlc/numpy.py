from .compiler.frontend.numpy import *  # noqa: F403

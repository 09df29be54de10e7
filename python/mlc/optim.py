from .compiler.frontend.optim import *  # noqa: F403

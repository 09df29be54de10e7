from .compiler.frontend.special import *  # noqa: F403

"""`mlc.from_jax`: a JAX function as a function of mlc.

    step = mlc.from_jax(jax_step, parameters, x)        # lowered by JAX for such arguments, once
    step(parameters, x)                                 # compiled and run by mlc
    mlc.grad(lambda p: step(p, x).sum())(parameters)    # inside of a trace its ops join the program

JAX gives StableHLO text, which the importer turns into ops of the tensor level. Arguments and results are JAX's trees;
what the function closes over is part of the program. Element types follow JAX's configuration: without `jax_enable_x64`
64 bits are 32. JAX is loaded by the call alone.
"""

# JAX is no dependency, and its functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.ir import Block

from ...dialects.errors import CompileError
from ...dialects.nd import op as core
from ...dialects.nd.array import Array
from ...dialects.nd.types import NUMPY, Type, is_tensor
from ..blocks import inline
from . import eager
from .locations import user_location
from .tracing import lift

PASSES = ("stablehlo-to-nd", "inline", "symbol-dce", "canonicalize", "cse", "dce")


class FromJax:
    """A function that JAX has lowered; `text` is its StableHLO."""

    def __init__(self, name: str, text: str, block: Block, arguments: Any, results: Any, jax: Any) -> None:
        self.__name__, self.text = name, text
        self._block, self._arguments, self._results, self._jax = block, arguments, results, jax
        self._types: list[Type] = [a.type for a in block.args if is_tensor(a.type)]
        self._compiled: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """On arrays or traced values of the shapes and element types that it was lowered for."""
        leaves = self._leaves(args, kwargs)
        if core.open_places() or eager.active():
            return self._tree(inline(self._block, self._lifted(leaves)))
        if self._compiled is None:
            from .jit import jit

            def run(*xs: Any) -> Any:
                return tuple(inline(self._block, self._lifted(xs)))

            run.__name__ = self.__name__
            self._compiled = jit(run)
        return self._tree(self._compiled(*leaves))

    def _leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        found, structure = self._jax.tree_util.tree_flatten((args, kwargs))
        if structure != self._arguments:
            raise CompileError(
                f"{self.__name__}: expected arguments of the structure {self._arguments}, found {structure}",
                user_location(),
            )
        return [x if isinstance(x, Array) else self._converted(x, t) for x, t in zip(found, self._types, strict=True)]

    def _converted(self, x: Any, t: Type) -> Any:
        """An array as JAX would take it: 64 bits as 32, unless it is told otherwise; keys as their words."""
        if hasattr(x, "dtype") and self._jax.dtypes.issubdtype(x.dtype, self._jax.dtypes.prng_key):
            x = self._jax.random.key_data(x)
        x = np.asarray(x)
        want = NUMPY[t.element_type]
        return x.astype(want) if x.dtype != want and self._jax.dtypes.canonicalize_dtype(x.dtype) == want else x

    def _lifted(self, leaves: Sequence[Any]) -> list[Array]:
        arrays = [lift(x) for x in leaves]
        for k, (a, t) in enumerate(zip(arrays, self._types, strict=True)):
            if a.type != t:
                raise CompileError(f"{self.__name__}: leaf {k}: expected {t}, found {a.type}", user_location())
        return arrays

    def _tree(self, leaves: Sequence[Any]) -> Any:
        return self._jax.tree_util.tree_unflatten(self._results, leaves)


def from_jax(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> FromJax:
    """The JAX function `fn`, for arguments of these shapes and element types (arrays, or `jax.ShapeDtypeStruct`).

    Python values that decide the program belong into a `functools.partial`. The result is called with trees like
    `args`. CompileError where JAX is missing, cannot trace the function, or lowers it to what mlc does not know.
    """
    jax = _jax()
    name = str(getattr(fn, "__name__", None) or getattr(getattr(fn, "func", None), "__name__", "function"))
    try:
        lowered = jax.jit(fn, keep_unused=True).lower(*args, **kwargs)
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise CompileError(
            f"from_jax: expected a function that JAX can trace for these arguments; {name}: "
            f"{type(error).__name__}: {first}",
            user_location(),
        ) from error
    text = lowered.as_text()
    return FromJax(name, text, _block(text, name), lowered.in_tree, lowered.out_tree, jax)


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        raise CompileError(
            "from_jax: expected JAX to be installed, found none; pip install jax", user_location()
        ) from None
    return jax


def _block(text: str, name: str) -> Block:
    """The body of `main` as ops of the tensor level."""
    from .. import driver
    from ..blocks import entry
    from ..parsing import parse_module
    from ..pipelines import specs
    from ..registry import build
    from ..verify import verify

    module = parse_module(text, name)
    verify(module)
    driver.run(module, [build(p) for p in specs(PASSES)], driver.from_environment())
    f = entry(module, "main")
    return f.body.block

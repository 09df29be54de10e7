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

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from xdsl.ir import Block

from ...dialects.errors import ORIGINS, CompileError
from ...dialects.nd import op as core
from ...dialects.nd.array import Array
from ...dialects.nd.types import NUMPY, Type, is_tensor, shape_of
from ..blocks import inline
from . import eager
from .jax_places import Places
from .locations import user_location
from .tracing import Spec, lift

PASSES = (
    "stablehlo-to-nd",
    "inline",
    "symbol-dce",
    "canonicalize",
    "recognize{families=softmax,activation}",
    "cse",
    "dce",
)
_ANYTHING = inspect.signature(lambda *args, **kwargs: None)
"""Of a function that does not say."""
_RANK = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}
"""A Python number goes into an element type of its own kind, by NumPy's letters, or of a later one."""


@dataclass(frozen=True)
class Parameters:
    """What a function's arguments are: by the names of its parameters, whichever way they are passed."""

    name: str
    signature: inspect.Signature
    static: frozenset[str]

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by parameter, in the signature's order; no defaults."""
        try:
            return self.signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise CompileError(f"{self.name}: {error}", user_location()) from None

    def call(self, fn: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        in_order = {n: arguments[n] for n in self.signature.parameters if n in arguments}
        bound = inspect.BoundArguments(self.signature, in_order)  # pyright: ignore[reportArgumentType]
        return fn(*bound.args, **bound.kwargs)


class FromJax:
    """A function that JAX has lowered; `text` is its StableHLO."""

    def __init__(self, parameters: Parameters, fixed: dict[str, Any], places: Places, block: Block, jax: Any) -> None:
        self.__name__, self.__signature__, self.text = parameters.name, parameters.signature, places.text
        self._parameters, self._fixed, self._places = parameters, fixed, places
        self._block, self._jax = block, jax
        lowered = places.lowered
        (structures,) = lowered.in_tree.children()[0].children()
        self._structures = dict(zip(structures.node_data()[1], structures.children(), strict=True))
        self._results = lowered.out_tree
        self._types: list[Type] = [a.type for a in block.args if is_tensor(a.type)]
        self._compiled: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """On arrays or traced values of the shapes and element types that it was lowered for."""
        leaves = self._leaves(self._dynamic(args, kwargs))
        if core.open_places() or eager.active():
            return self._tree(inline(self._block, [lift(x) for x in leaves]))
        if self._compiled is None:
            from .jit import jit

            def run(*xs: Any) -> Any:
                return tuple(inline(self._block, [lift(x) for x in xs]))

            run.__name__ = self.__name__
            self._compiled = jit(run)
        return self._tree(self._compiled(*leaves))

    def _dynamic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments that the program has: no static ones, which must be those of before, and no default values."""
        found = self._parameters.bind(args, kwargs)
        for name, value in list(found.items()):
            if name in self._fixed:
                if not (value is self._fixed[name] or value == self._fixed[name]):
                    self._refuse(
                        f"static argument {name}", f"{self._fixed[name]!r}, as it was lowered for", repr(value)
                    )
                del found[name]
            elif name not in self._structures and value is self._parameters.signature.parameters[name].default:
                del found[name]
        return found

    def _leaves(self, arguments: dict[str, Any]) -> list[Any]:
        """Arrays in the order of the program's arguments."""
        tree = self._jax.tree_util
        if sorted(arguments) != list(self._structures):
            self._refuse("", f"arguments {', '.join(self._structures)}", ", ".join(sorted(arguments)) or "none")
        leaves: list[Any] = []
        for name, expected in self._structures.items():
            values, structure = tree.tree_flatten(arguments[name])
            if structure != expected:
                self._refuse(name, f"the structure {expected}", str(structure))
            leaves += [self._leaf(x, self._types[len(leaves) + k], name, k, arguments) for k, x in enumerate(values)]
        return leaves

    def _leaf(self, x: Any, t: Type, name: str, index: int, arguments: dict[str, Any]) -> Any:
        """An array of this type. As JAX does, 64 bits are made 32 unless it is told otherwise; keys are their words."""
        want = NUMPY[t.element_type]

        def same(dtype: Any) -> bool:
            return bool(dtype == want or self._jax.dtypes.canonicalize_dtype(dtype) == want)

        if isinstance(x, Array):
            if shape_of(x.type) == shape_of(t) and (x.type == t or same(NUMPY[x.type.element_type])):
                return x if x.type == t else x.astype(want)
            found = x.type
        else:
            number = isinstance(x, bool | int | float | complex)
            if hasattr(x, "dtype") and self._jax.dtypes.issubdtype(x.dtype, self._jax.dtypes.prng_key):
                x = self._jax.random.key_data(x)
            x = np.asarray(x)
            fits = _RANK.get(x.dtype.kind, 4) <= _RANK.get(want.kind, 3) if number else same(x.dtype)
            if fits and x.shape == shape_of(t):
                return x if x.dtype == want else x.astype(want)
            found = f"{x.dtype}{list(x.shape)}"
        path = self._jax.tree_util.tree_flatten_with_path(arguments[name])[0][index][0]
        self._refuse(name + self._jax.tree_util.keystr(path), str(t), str(found))

    def _refuse(self, where: str, expected: str, found: str) -> Any:
        at = f"{self.__name__}: {where}: " if where else f"{self.__name__}: "
        raise CompileError(
            f"{at}expected {expected}, found {found}; call mlc.from_jax again for other arguments", user_location()
        )

    def _tree(self, leaves: Sequence[Any]) -> Any:
        return self._jax.tree_util.tree_unflatten(self._results, leaves)


def from_jax(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> FromJax:
    """The JAX function `fn`, for arguments of these shapes and element types, as a function of arrays.

    The arguments are arrays of NumPy or JAX, numbers, `jax.ShapeDtypeStruct`, `mlc.spec`, or trees of these. Where `fn`
    is a `jax.jit` with static arguments, these keep the values given here; other Python values that decide the program
    belong into a `functools.partial`. What is not given keeps its default.

    The result is called like `fn`. Outside of a trace it compiles itself; under `mlc.jit`, `mlc.grad`, `mlc.jvp`,
    `mlc.vmap` and the others its ops become a part of the program. Derivatives are those of these ops: a rule of
    `jax.custom_vjp` is left behind. Donation is not taken over (`mlc.jit` has `donate`); random keys are their words.

    CompileError where JAX is missing, cannot trace the function, or lowers it to what mlc does not know.
    """
    jax = _jax()
    plain, parameters = _parameters(fn)
    given = parameters.bind(args, kwargs)
    fixed = {n: v for n, v in given.items() if n in parameters.static}
    described = partial(_described, jax)
    dynamic = {n: jax.tree_util.tree_map(described, v) for n, v in given.items() if n not in fixed}

    def program(arguments: dict[str, Any]) -> Any:
        return parameters.call(plain, {**fixed, **arguments})

    program.__name__ = program.__qualname__ = parameters.name
    try:
        lowered = jax.jit(program, keep_unused=True).lower(dynamic)
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise CompileError(
            f"from_jax: expected a function that JAX can trace for these arguments; {parameters.name}: "
            f"{type(error).__name__}: {first}",
            user_location(),
        ) from error
    places = Places(lowered)
    return FromJax(parameters, fixed, places, _block(places, parameters.name), jax)


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        raise CompileError(
            "from_jax: expected JAX to be installed, found none; pip install jax", user_location()
        ) from None
    return jax


def _parameters(fn: Callable[..., Any]) -> tuple[Callable[..., Any], Parameters]:
    """The function, without a `jax.jit` around it, and its parameters with those that this makes static."""
    name = str(getattr(fn, "__name__", None) or getattr(getattr(fn, "func", None), "__name__", "function"))
    info = getattr(fn, "_jit_info", None)
    plain = getattr(fn, "__wrapped__", fn) if info is not None else fn
    try:
        signature = inspect.signature(plain)
    except (TypeError, ValueError):
        signature = _ANYTHING
    names = list(signature.parameters)
    static = {names[k] for k in getattr(info, "static_argnums", ())} | set(getattr(info, "static_argnames", ()))
    return plain, Parameters(name, signature, frozenset(static))


def _described(jax: Any, x: Any) -> Any:
    """An argument as JAX knows it: a spec or a traced value by its shape and element type."""
    if not isinstance(x, Spec | Array):
        return x
    shape = shape_of(x.type)
    if unknown := [d for d in shape if not isinstance(d, int)]:
        raise CompileError(f"from_jax: expected sizes that are numbers, found the symbol {unknown[0]}", user_location())
    return jax.ShapeDtypeStruct(shape, NUMPY[x.type.element_type])


def _block(places: Places, name: str) -> Block:
    """The body of `main` as ops of the tensor level, whose errors say where they come from while `places` lives."""
    from .. import driver
    from ..blocks import entry
    from ..parsing import parse_module
    from ..pipelines import specs
    from ..registry import build
    from ..verify import verify

    source, count = f"{name}.stablehlo", 1
    while source in ORIGINS:
        count += 1
        source = f"{name}#{count}.stablehlo"
    ORIGINS[source] = places
    module = parse_module(places.text, source)
    verify(module)
    driver.run(module, [build(p) for p in specs(PASSES)], driver.from_environment())
    f = entry(module, "main")
    return f.body.block

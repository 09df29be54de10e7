"""`mlc.checkpoint`: a function of which the backward part keeps little and computes the rest again.

    @mlc.checkpoint                                          # or mlc.checkpoint(layer, policy=policies.dots_saveable)
    def layer(w, x): return mnp.sin(x @ w)     ->     %y = nd.checkpoint saves nothing (%w_1 = %w, %x_1 = %x) {..}

Where nothing is differentiated it changes nothing. Policies and their names are those of JAX.
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from ...dialects.errors import CompileError
from ...dialects.nd import checkpoint as nd
from ...dialects.nd.checkpoint import Policy
from .control import at_once
from .locations import user_location
from .pytree import flatten, tree_map, unflatten
from .regions import close, trace_region
from .tracing import lift
from .transforms import tracing

Fn = Callable[..., Any]


def checkpoint(
    fn: Fn | None = None,
    *,
    policy: Policy | None = None,
    budget: int | None = None,
    static_argnums: int | Sequence[int] = (),
) -> Fn:
    """`fn`, of whose values `grad` and `vjp` save only what `policy` says; the rest is computed again when it is read.

    Also a decorator. `policy` is one of `mlc.checkpoint_policies`; without, nothing but the arguments is kept. `budget`
    instead: what spares most work within so many bytes of one call. `static_argnums`: arguments that are no arrays.
    Effects inside happen once, and random numbers come out the same. CompileError for anything else.
    """
    if fn is None:
        return partial(checkpoint, policy=policy, budget=budget, static_argnums=static_argnums)
    if not callable(fn):
        raise CompileError(f"checkpoint: expected a function, found {fn!r}", user_location())
    if policy is not None and not isinstance(policy, Policy):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CompileError(
            f"checkpoint: expected a policy of mlc.checkpoint_policies ({', '.join(POLICIES)}), found {policy!r}",
            user_location(),
        )
    if budget is not None:
        if policy is not None or isinstance(budget, bool) or budget < 0:
            raise CompileError("checkpoint: expected a policy, or a budget of 0 bytes or more", user_location())
        policy = Policy("bytes", bytes=budget)
    numbers = {static_argnums} if isinstance(static_argnums, int) else set(static_argnums)

    @wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        if not tracing() or at_once():
            return fn(*args, **kwargs)
        fixed = {k % len(args) for k in numbers if -len(args) <= k < len(args)}

        @wraps(fn)
        def body(*given: Any) -> Any:
            rest = iter(given)
            filled = [a if k in fixed else next(rest) for k, a in enumerate(args)]
            return fn(*filled, **next(rest))

        leaves, structure = flatten((*(a for k, a in enumerate(args) if k not in fixed), kwargs))
        arrays = [lift(x) for x in leaves]
        region = trace_region("checkpoint", body, structure, [a.type for a in arrays])
        region.finish([region.type_of(leaf) for leaf in region.leaves])
        captured = close([region])
        return unflatten(region.out, nd.checkpoint([*captured, *arrays], region.block, policy or nd.NOTHING))

    return run


def checkpoint_name(x: Any, name: str) -> Any:
    """The tree x, whose arrays `save_only_these_names` knows by `name`."""
    if not tracing() or at_once():
        return x
    return tree_map(lambda a: nd.name(lift(a), name), x)


class Policies:
    """`mlc.checkpoint_policies`: what the backward part keeps."""

    everything_saveable: Policy = Policy("everything")
    """All that is read, as without a checkpoint."""

    nothing_saveable: Policy = nd.NOTHING
    """The arguments alone."""

    dots_saveable: Policy = Policy("dots")
    """Results of contractions: products of matrices, einsum, convolutions."""

    dots_with_no_batch_dims_saveable: Policy = Policy("dots_with_no_batch_dims")
    """Those without a dimension that all operands and the result have: those with weights, not those of attention."""

    @staticmethod
    def save_only_these_names(*names: str) -> Policy:
        """Values to which `mlc.checkpoint_name` gave one of these names."""
        if not names or not all(isinstance(n, str) for n in names):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise CompileError(f"save_only_these_names: expected names, found {names!r}", user_location())
        return Policy("names", names)


checkpoint_policies = Policies()
POLICIES = tuple(n for n in vars(Policies) if not n.startswith("_"))

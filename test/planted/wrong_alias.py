"""A miscompile on purpose: all kernels write to the beginning of the arena, over values that are still needed.

graph.places = [#graph.place<arena 4096, 256>]      ->      graph.places = [#graph.place<arena 0, 256>]
"""

from dataclasses import dataclass

from mlc.dialects.graph.ops import PLACES, LaunchOp
from mlc.dialects.graph.place import PlaceAttr
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class WrongAlias(ModulePass):
    """Put every result that lives in the arena at its offset 0."""

    name = "planted-wrong-alias"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for launch in [o for o in op.walk() if isinstance(o, LaunchOp)]:
            places = launch.attributes[PLACES].data
            launch.attributes[PLACES] = ArrayAttr(
                [PlaceAttr(p.data._replace(number=0)) if p.data.base == "arena" else p for p in places]
            )


PASSES = [WrongAlias]

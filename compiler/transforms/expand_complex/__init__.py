"""Complex values become two real ones, so that no pass behind this one knows complex types.

    func.func @f(%z: tensor<4xcomplex<f32>>)          func.func @f(%z: tensor<4x2xf32>) -> tensor<4xf32>
        -> tensor<4xf32> {                                attributes {mlc.complex_arguments = [0 : i64], ..} {
      %0 = nd.mul %z, %z : ..                           %z_re = .. slice of %z ..
      %1 = nd.real %0 : ..                        ->    %z_im = .. slice of %z ..
      func.return %1 : tensor<4xf32>                    %0 = nd.mul %z_re, %z_re : tensor<4xf32>
    }                                                   %1 = nd.mul %z_im, %z_im : tensor<4xf32>
                                                        %2 = nd.sub %0, %1 : tensor<4xf32>
                                                        ...

Where a value crosses the boundary of a function, it is one real tensor of the same bytes, with a last dimension of 2;
`mlc.complex_arguments` and `mlc.complex_results` of the function number them, for who calls it. Arguments and results
of regions become two. Functions of complex numbers become formulas of real ones (exponentials.py, angles.py). A program
without complex types is not touched, and nothing else is loaded for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block
from xdsl.passes import ModulePass

from ....dialects.nd.types import is_complex, is_tensor
from ..rewriting import functions


def has_complex(block: Block, known: dict[Attribute, bool]) -> bool:
    """Is a value of a block, or of a region in it, complex? Types are few: each is looked at once."""

    def test(t: Attribute) -> bool:
        if (found := known.get(t)) is None:
            found = known[t] = is_tensor(t) and is_complex(t)
        return found

    if any(test(a.type) for a in block.args):
        return True
    for op in block.ops:
        for r in op.results:
            if test(r.type):
                return True
        for region in op.regions:
            for inner in region.blocks:
                if has_complex(inner, known):
                    return True
    return False


@dataclass(frozen=True)
class ExpandComplex(ModulePass):
    """Complex values become two real ones."""

    name = "expand-complex"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        known: dict[Attribute, bool] = {}
        found = [f for f in functions(op) if has_complex(f.body.block, known)]
        if found:
            from .expansion import expand_function

            for f in found:
                expand_function(f)

"""The `loop` dialect: kernels as pure statements of index notation on tensors.

    loop.size b = %A, 0
    %acc = loop.stage mm [i: 6, j: vec 64, k: 256] (%a = %A[i + i0, k], %b = %B[k, j]) -> add [i, j] { ... }
    %C = loop.for i0 = b step 6 clamp -> [i0, 0] { ... loop.yield %tile : tensor<6x64xf32> }
    %s = loop.for k0 = 256 step 64 with (%m = %init) -> carry [0] { ... loop.yield %next : tensor<1xf32> }
    %P = loop.join (%zero at [0, 0], %x at [1, 2 * d1 + 1]) : tensor<10x17xf32>
    %g = loop.stage take [i: 9] (%k = %K[i], %t = %T[...]) -> [i] { .. %v = loop.load %t[%p] .. }
    %z = loop.scatter add s [i: 9] (%k = %K[i], %u = %U[i]) into %x { .. loop.yield %u, %p : f32, index }
    %q = loop.sort %x along 1 descending
    %y = loop.if b >= 6 { ... } else { ... }

Every result is a new value: nothing is written in place, so there are no hazards to prove. Result types follow from
the domains and are never written. A step that changes a domain calls `retype`.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .attributes import AccessAttr, DomainAttr, ExtentAttr, TargetAttr
from .control import ForOp, IfOp, JoinOp, SizeOp
from .load import LoadOp
from .scatter import ScatterOp
from .scoped import Scoped, YieldOp, element_of, shape
from .sort import SortOp
from .stage import StageOp
from .statement import IndexOp

__all__ = [
    "ForOp",
    "IfOp",
    "IndexOp",
    "JoinOp",
    "LoadOp",
    "Loop",
    "ScatterOp",
    "Scoped",
    "SizeOp",
    "SortOp",
    "StageOp",
    "YieldOp",
    "element_of",
    "shape",
]

Loop = Dialect(
    "loop",
    [StageOp, ForOp, JoinOp, SortOp, ScatterOp, SizeOp, IfOp, IndexOp, LoadOp, YieldOp],
    [DomainAttr, AccessAttr, TargetAttr, ExtentAttr],
)

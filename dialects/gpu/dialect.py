"""The dialect `gpu` of mlc's context, in the place of xDSL's, which has neither shuffles nor upstream's syntax."""

from __future__ import annotations

from xdsl.ir import Dialect

from .ops import AddressSpaceAttr, BarrierOp, LaunchOp, ShuffleOp, TerminatorOp

Gpu = Dialect("gpu", [BarrierOp, LaunchOp, ShuffleOp, TerminatorOp], [AddressSpaceAttr])

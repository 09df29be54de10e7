"""StableHLO to nd: gather, and where the windows of gathers and scatters lie.

    gather, offset_dims [1], collapsed [0], start_index_map [0]       nd.gather clip %x, %i "@0 a, b -> b a"
    offset_dims [2], start_index_map [1], slice_sizes [4, 2]          nd.gather clip %x, %i "a @0+b, c -> c a b"
    batching [0] of both                                              nd.gather clip %x, %i "a @0, a b -> a b"

Each element of the index vector is an index operand, a slice of the start indices. Windows of one element lose their
dimension; what is not read from any window is cut off first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Operation

from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.dimmap import DimMap, Dims, Index, bare
from ...dialects.nd.dims import Dim
from ...dialects.nd.indirect import gather
from ...dialects.nd.mapped import rearrange
from ...dialects.stablehlo.access import ints
from ...dialects.stablehlo.dimension_numbers import GatherDimensionNumbers
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


class IndexVectors:
    """The start indices, one array for each element of the index vector; `dims` are their dimensions' names."""

    def __init__(self, indices: Array, vector: int) -> None:
        self.whole, self.vector = indices, vector
        self.shape = tuple(d for k, d in enumerate(indices.shape) if k != vector)
        self.dims: Dims = tuple(bare(f"b{k}") for k in range(len(self.shape)))

    def name(self, dim: int) -> Index:
        """The name of a dimension of the whole."""
        return self.dims[dim - (dim > self.vector)]

    def part(self, k: int) -> Array:
        x, at = self.whole, self.vector
        if at == x.ndim or x.shape[at] == 1:
            return movement.reshape(x, self.shape)
        start = [k if j == at else 0 for j in range(x.ndim)]
        count = [1 if j == at else d for j, d in enumerate(x.shape)]
        return movement.reshape(movement.slice_(x, start, [1] * x.ndim, count), self.shape)


@converter("stablehlo.gather")
def gather_(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, indices = xs
    d = op.properties["dimension_numbers"]
    assert isinstance(d, GatherDimensionNumbers)
    return gathered(x, indices, d, ints(op, "slice_sizes", []))


def gathered(x: Array, indices: Array, d: GatherDimensionNumbers, sizes: Sequence[int]) -> Array:
    vectors = IndexVectors(indices, d.index_vector_dim)
    batching = dict(zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True))
    looked_up = {dim: k for k, dim in enumerate(d.start_index_map)}
    cut = [1 if k in d.collapsed_slice_dims else n for k, n in enumerate(sizes)]
    count = [d_ if k in looked_up or k in batching else n for k, (n, d_) in enumerate(zip(cut, x.shape, strict=True))]
    x = movement.slice_(x, [0] * x.ndim, [1] * x.ndim, count)
    place: list[Index] = []
    operands: list[Array] = []
    offsets: list[tuple[Index | None, int]] = []  # the dimensions of windows that the result has
    dropped: list[int] = []
    for k, n in enumerate(sizes):
        window = bare(f"w{k}")
        if k in batching:
            place.append(vectors.name(batching[k]))
            continue
        kept = k not in d.collapsed_slice_dims
        if k in looked_up:
            place.append(Index(window.terms if n != 1 and kept else (), at=len(operands)))
            operands.append(vectors.part(looked_up[k]))
            if kept:
                offsets.append((window if n != 1 else None, n))
        elif kept:
            place.append(window)
            offsets.append((window, n))
        else:
            dropped.append(k)
    x = movement.reshape(x, tuple(d_ for k, d_ in enumerate(x.shape) if k not in dropped))
    data: list[Index | None] = []
    shape: list[Dim] = []
    window_dims, batch_dims = iter(offsets), iter(zip(vectors.dims, vectors.shape, strict=True))
    for k in range(len(offsets) + len(vectors.dims)):
        name, n = next(window_dims if k in d.offset_dims else batch_dims)
        data.append(name)
        shape.append(n)
    names = tuple(i for i in data if i is not None)
    part = tuple(n for i, n in zip(data, shape, strict=True) if i is not None)
    if operands:
        y = gather(x, operands, DimMap((tuple(place), *[vectors.dims] * len(operands)), names), "clip", part)
    else:
        y = rearrange(x, DimMap((tuple(place),), names), part)
    return movement.reshape(y, tuple(shape))

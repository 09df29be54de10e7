"""What the memory plan promises of regions: no value moves at a branch or from one trip to the next.

nd.if      both branches yield where the result is
a loop     begins where its carried value is in trip 0; its body yields where that is in the next trip
nd.scan    a slice that is stacked lies in its trip's part of the stack
"""

from __future__ import annotations

from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..nd.control import Control, If, Scan, While, yields
from ..nd.dims import Dim, size
from ..nd.types import NUMPY, element, shape_of
from .ops import check_places
from .place import Place, PlaceAttr
from .regions import carried, counter, counter_name, places_of, region_of, replaced, turn
from .views import view_of


def place_of(value: SSAValue) -> Place | None:
    """Where a value of a planned program lies, if it is dense rows of a buffer."""
    base, offset, _ = view = view_of(value)
    if isinstance(base, BlockArgument):
        loop, k = region_of(base), carried(base)
        if loop is None:
            whole = size(shape_of(base.type)) * _width(base)
            found = Place("argument", base.index, whole)
        else:
            places = places_of(loop)
            found = places[k] if places is not None and k is not None else None
    else:
        assert isinstance(base.owner, Operation)
        places = places_of(base.owner)
        found = places[base.owner.results.index(base)] if places is not None else None  # pyright: ignore
    if found is None or not view.rows(shape_of(value.type)):
        return None
    return found.moved(offset * _width(value), size(shape_of(value.type)) * _width(value))


def _width(value: SSAValue) -> int:
    return NUMPY[element(value.type)].itemsize


def verify_places(op: Operation) -> None:
    """Raise VerifyException where a planned op with regions breaks a promise."""
    assert isinstance(op, Control)
    check_places(op, op.name)
    places = places_of(op) or []
    for k, place in enumerate(places):
        match op:
            case If():
                for region in op.regions:
                    _same(op, k, "yielded where the result is", place, yields(region.block)[k])
            case Scan() if k >= len(op.inits):
                slice_ = yields(op.block)[k]
                step = size(shape_of(slice_.type)) * _width(slice_)
                part = place.moved(turn(op, counter(op)) * step, step)
                _same(op, k, "yielded into the trip's part of the result", part, slice_)
            case While() | Scan():
                _same(op, k, "made where the first trip reads it", _at(op, place, 0), op.inits[k])
                following = _at(op, place, counter(op) + 1)
                _same(op, k, "yielded where the next trip reads it", following, yields(op.block)[k])
            case _:
                raise AssertionError(op)


def _at(op: Operation, place: Place, trip: Dim) -> Place:
    """A place in one trip."""
    name = counter_name(op)
    return place._replace(number=replaced(place.number, name, trip), at=replaced(place.at, name, trip))


def _same(op: Operation, k: int, what: str, want: Place, value: SSAValue) -> None:
    found = place_of(value)
    if found != want:
        shown = "no place" if found is None else str(PlaceAttr(found))
        message = f"{op.name}: expected value {k} to be {what}, {PlaceAttr(want)}, found {shown}"
        raise VerifyException(message)

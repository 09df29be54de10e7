"""The only list of passes: name -> "module:Class", imported when a pipeline names it.

Every entry is an xDSL `ModulePass` (a frozen dataclass; its fields are the options) whose docstring shows IR before
and after. `PASSES` is in the order of the levels.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from .spec import PassSpec

PASSES: dict[str, str] = {
    # from other dialects
    "stablehlo-to-nd": "mlc.lowering.stablehlo_to_nd:StablehloToNd",
    # nd: functions
    "inline": "mlc.compiler.transforms.inline:Inline",
    "symbol-dce": "mlc.compiler.transforms.inline:SymbolDce",
    # nd: rewriting
    "canonicalize": "mlc.compiler.transforms.canonicalize:Canonicalize",
    "cse": "mlc.compiler.transforms.cse:Cse",
    "dce": "mlc.compiler.transforms.dce:Dce",
    "fold-constants": "mlc.compiler.transforms.fold_constants:FoldConstants",
    "limit-memory": "mlc.compiler.memory_limit:LimitMemory",
    "decompose": "mlc.compiler.transforms.decompose:Decompose",
    "recognize": "mlc.compiler.transforms.recognize:Recognize",
    "winograd": "mlc.compiler.transforms.winograd:Winograd",
    "rematerialize": "mlc.compiler.transforms.rematerialize:Rematerialize",
    "expand-complex": "mlc.compiler.transforms.expand_complex:ExpandComplex",
    "apply-rules": "mlc.compiler.transforms.apply_rules:ApplyRules",
    "optimize": "mlc.compiler.transforms.optimize:Optimize",
    "saturate": "mlc.compiler.transforms.saturate:Saturate",
    # nd: differentiation and batching
    "jvp": "mlc.compiler.transforms.jvp:Jvp",
    "linearize": "mlc.compiler.transforms.linearize:Linearize",
    "vjp": "mlc.compiler.transforms.vjp:Vjp",
    "grad": "mlc.compiler.transforms.vjp:Grad",
    "vmap": "mlc.compiler.transforms.vmap:Vmap",
    # nd: for other compilers
    "nd-to-stablehlo": "mlc.lowering.nd_to_stablehlo.convert:NdToStablehlo",
    # graph
    "assign-layout": "mlc.compiler.transforms.assign_layout:AssignLayout",
    "graph-fuse": "mlc.compiler.transforms.graph_fuse:GraphFuse",
    "graph-outline": "mlc.compiler.transforms.graph_outline:GraphOutline",
    "graph-wrap": "mlc.compiler.transforms.graph_wrap:GraphWrap",
    "graph-order": "mlc.compiler.transforms.graph_order:GraphOrder",
    "graph-plan": "mlc.compiler.transforms.graph_plan:GraphPlan",
    # loop
    "linalg-to-loop": "mlc.lowering.linalg_to_loop:LinalgToLoop",
    "nd-to-loop": "mlc.lowering.nd_to_loop:NdToLoop",
    "collapse-axes": "mlc.compiler.transforms.loop.collapse:CollapseAxes",
    "choose-schedule": "mlc.compiler.transforms.loop.choose_schedule:ChooseSchedule",
    "set-schedule": "mlc.compiler.transforms.loop.set_schedule:SetSchedule",
    "apply-schedule": "mlc.compiler.transforms.loop.apply_schedule:ApplySchedule",
    "loop-tile": "mlc.compiler.transforms.loop.tile:LoopTile",
    "loop-nest": "mlc.compiler.transforms.loop.nest:LoopNest",
    "loop-split": "mlc.compiler.transforms.loop.split:LoopSplit",
    "loop-distribute": "mlc.compiler.transforms.loop.distribute:LoopDistribute",
    "loop-partial": "mlc.compiler.transforms.loop.partial:LoopPartial",
    "loop-reorder": "mlc.compiler.transforms.loop.reorder:LoopReorder",
    "loop-pack": "mlc.compiler.transforms.loop.pack:LoopPack",
    "loop-version": "mlc.compiler.transforms.loop.version:LoopVersion",
    "loop-pad": "mlc.compiler.transforms.loop.pad:LoopPad",
    "loop-offset": "mlc.compiler.transforms.loop.offset:LoopOffset",
    "loop-vectorize": "mlc.compiler.transforms.loop.vectorize:LoopVectorize",
    "loop-prefetch": "mlc.compiler.transforms.loop.prefetch:LoopPrefetch",
    "loop-fragment": "mlc.compiler.transforms.loop.fragment:LoopFragment",
    "loop-pipeline": "mlc.compiler.transforms.loop.pipeline:LoopPipeline",
    "loop-raster": "mlc.compiler.transforms.loop.raster:LoopRaster",
    "loop-rescale": "mlc.compiler.transforms.loop.rescale:LoopRescale",
    "loop-skip": "mlc.compiler.transforms.loop.skip:LoopSkip",
    "loop-stream": "mlc.compiler.transforms.loop.stream:LoopStream",
    "hoist-constants": "mlc.compiler.transforms.loop.hoist:HoistConstants",
    "loop-copies": "mlc.compiler.transforms.loop.copies:LoopCopies",
    # vector
    "lower-loop": "mlc.lowering.lower_loop:LowerLoop",
    "insert-barriers": "mlc.lowering.barriers:InsertBarriers",
    "expand-math": "mlc.lowering.expand_math:ExpandMath",
}


def lookup(name: str) -> type[ModulePass]:
    """The class of a pass; CompileError with the nearest name if there is none."""
    if name not in PASSES:
        raise CompileError(f"unknown pass {name!r}{nearest(name, PASSES)} (mlc-opt --list-passes prints them)")
    module, _, attribute = PASSES[name].partition(":")
    return getattr(import_module(module), attribute)


def load(path: str) -> None:
    """Add the passes of a Python file (its `PASSES`, a list of classes) for this process: passes of tests."""
    file = Path(path)
    spec = importlib.util.spec_from_file_location(f"mlc_loaded_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise CompileError(f"cannot load {path}: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    for cls in getattr(module, "PASSES", ()):
        PASSES[cls.name] = f"{module.__name__}:{cls.__name__}"


@lru_cache(256)
def hints_of(cls: type[ModulePass]) -> Mapping[str, Any]:
    """The types of a pass's options; Python evaluates their texts anew each time that it is asked."""
    return get_type_hints(cls)


def build(spec: PassSpec) -> ModulePass:
    """The pass that a spec describes; CompileError for a wrong option, naming the allowed ones."""
    cls = lookup(spec.name)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = hints_of(cls)
    options: dict[str, Any] = {}
    for key, values in spec.options.items():
        field = key.replace("-", "_")
        if field not in fields:
            allowed = ", ".join(f.replace("_", "-") for f in fields) or "none"
            raise CompileError(f"pass {spec.name} has no option {key!r}{nearest(key, fields)}; its options: {allowed}")
        options[field] = _convert(spec.name, key, values, hints[field])
    for name, field in fields.items():
        if name not in options and field.default is field.default_factory is dataclasses.MISSING:
            raise CompileError(f"pass {spec.name} needs option {name!r}, found none: {usage(spec.name, cls)}")
    return cls(**options)


def usage(name: str, cls: type[ModulePass]) -> str:
    """`loop-tile{axis=str size=int}`: the options of a pass with their types."""
    hints = hints_of(cls)
    parts = [f"{f.name.replace('_', '-')}={type_text(hints[f.name])}" for f in dataclasses.fields(cls) if f.init]
    return name + (f"{{{' '.join(parts)}}}" if parts else "")


def documentation(cls: type[ModulePass]) -> list[str]:
    """The lines that describe a pass: its docstring, or its module's where that one shows the IR."""
    own = cls.__doc__ if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(") else ""  # a dataclass's own
    lines = inspect.cleandoc(own).splitlines()
    if any(line.startswith("    ") for line in lines):
        return lines
    return inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "").splitlines()


def summary(cls: type[ModulePass]) -> str:
    """The first sentence of a pass's documentation."""
    own = cls.__doc__ if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(") else ""
    text = inspect.cleandoc(own) or "\n".join(documentation(cls))
    return re.split(r"(?<=\.)\s", " ".join(text.split("\n\n")[0].split()))[0].rstrip(":")


def type_text(hint: Any) -> str:
    """A field's type as a user writes its value: int, str, int,int,..."""
    args = [a for a in get_args(hint) if a not in (type(None), ...)]
    if getattr(hint, "__origin__", None) is tuple:
        return f"{type_text(args[0])},..."
    return "|".join(type_text(a) for a in args) if args else getattr(hint, "__name__", str(hint))


def nearest(name: str, among: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing if no name is close."""
    close = difflib.get_close_matches(name, list(among), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _convert(name: str, key: str, values: tuple[Any, ...], hint: Any) -> Any:
    """Option values as the field's type: one value, a tuple, or nothing for a flag."""
    for option in (hint,) if getattr(hint, "__origin__", None) is tuple or not get_args(hint) else get_args(hint):
        if getattr(option, "__origin__", None) is tuple:
            element = get_args(option)[0]
            converted = [_scalar(v, element) for v in values]
            if None not in converted:
                return tuple(converted)
        elif option is bool and not values:
            return True
        elif len(values) == 1 and option is not type(None) and (value := _scalar(values[0], option)) is not None:
            return value
    found = ",".join(str(v) for v in values) or "no value"
    raise CompileError(f"pass {name}: option {key!r} expected {type_text(hint)}, found {found}")


def _scalar(value: Any, type_: Any) -> Any:
    if type_ is float and type(value) is int:
        return float(value)
    if type_ is str and type(value) is not str:
        return str(value).lower() if type(value) is bool else str(value)
    return value if type(value) is type_ else None

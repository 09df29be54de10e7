"""Modules of lowering/ and runtime/ name no op of the tensor level, but those that lower, convert or run such ops.

A module names an op where it imports the op's class, or the module of a class that it then uses, and where a text of it
holds the op's name. What stands in docstrings and comments counts for nothing, nor do types, sizes and attributes.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlc.dialects.nd.dialect import Nd
from xdsl.ir import Operation

ROOT = Path(__file__).parents[2]
PACKAGE = "mlc.dialects.nd"
NAMES = frozenset(op.name for op in Nd.operations)

LOWERING = {
    "arg_reductions", "axis_names", "joins", "lines", "nd_to_loop", "positions", "scalar_bodies", "scalar_rows",
    "scalars", "scatters", "shifts", "stages",
}  # fmt: skip
"""nd-to-loop: the pass, its tables and what it asks of the ops of a kernel."""
CONVERSIONS = ("nd_to_stablehlo", "stablehlo_to_nd")
"""From and to a dialect of tensors: both sides of each row are ops."""

ALLOWED: dict[str, set[str]] = {
    # The entry calls kernels in the order of the program, whose constants and control flow are ops of the tensor level.
    "lowering/emit/entry.py": {"Constant", "Print", "ResourceOp"},
    "lowering/emit/entry_device.py": {"Constant", "ResourceOp"},
    "lowering/emit/entry_pointers.py": {"Constant", "ResourceOp", "nd.constant"},
    "lowering/emit/entry_regions.py": {"Check", "If", "Print", "Scan", "While"},
    # Interpreters say what programs of the tensor level mean.
    "runtime/interpret_control.py": {"Check", "Checkpoint", "If", "Print", "Scan", "While"}
    | {"nd.check", "nd.checkpoint", "nd.if", "nd.print", "nd.scan", "nd.while"},
    "runtime/interpret_nd.py": {"NdOp"},
    # Tolerances are those of the ops that made a value.
    "runtime/matching.py": {"Control", "If", "NdOp", "Scan", "While"},
}
"""Each other module that names ops, with exactly those that it names."""


def documentation(tree: ast.Module) -> set[ast.expr]:
    """Texts that stand for themselves."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module that an import of a file below the root names."""
    if not node.level:
        return node.module or ""
    parents = ["mlc", *path.parent.parts]
    return ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])


def value_of(module: str, name: str) -> object:
    """What an import binds: an attribute of a module, or a module in it."""
    found = getattr(importlib.import_module(module), name, None)
    if found is None:
        return importlib.import_module(f"{module}.{name}")
    return found


def is_op(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Operation) and value.__module__.startswith(PACKAGE)


def named(text: str, path: Path) -> set[str]:
    """The classes and names of ops that a module with this text at this path below the root names."""
    tree = ast.parse(text)
    return {*texts(tree), *classes(tree, path)}


def texts(tree: ast.Module) -> Iterator[str]:
    """Names of ops in texts, formatted ones among them."""
    skipped = documentation(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield from (n for n in re.findall(r"\bnd\.\w+", node.value) if n in NAMES)


def classes(tree: ast.Module, path: Path) -> Iterator[str]:
    """Classes of ops that are imported, or taken from an imported module of the dialect."""
    modules: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in (a for a in node.names if a.name.startswith(PACKAGE)):
                modules[alias.asname or alias.name] = importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and (absolute(node, path) + ".").startswith(f"{PACKAGE}."):
            for alias in node.names:
                value = value_of(absolute(node, path), alias.name)
                if is_op(value):
                    yield alias.name
                modules[alias.asname or alias.name] = value
        elif isinstance(node, ast.ImportFrom) and absolute(node, path) == PACKAGE.rpartition(".")[0]:
            for alias in (a for a in node.names if a.name == "nd"):
                modules[alias.asname or alias.name] = importlib.import_module(PACKAGE)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from attribute(node, modules)


def attribute(node: ast.Attribute, modules: dict[str, object]) -> Iterator[str]:
    """`control.If`, `nd.control.If`, `mlc.dialects.nd.control.If`"""
    whole = ast.unparse(node)
    for name, value in modules.items():
        if whole.startswith(f"{name}."):
            for part in whole.removeprefix(f"{name}.").split("."):
                value = getattr(value, part, None)
            if is_op(value):
                yield whole.rpartition(".")[2]


def files() -> list[Path]:
    """The modules that may name no op, below the root."""
    found = sorted(p.relative_to(ROOT) for folder in ("lowering", "runtime") for p in (ROOT / folder).rglob("*.py"))
    lowers = {Path("lowering", f"{name}.py") for name in LOWERING}
    return [p for p in found if p not in lowers and p.parts[1] not in CONVERSIONS]


def test_what_lowers_and_converts_is_there() -> None:
    """Each names ops: a list does not outlive what it lists."""
    for name in LOWERING:
        path = Path("lowering", f"{name}.py")
        assert named((ROOT / path).read_text(), path), f"{path} names no op: it belongs to the modules that may not"
    assert all((ROOT / "lowering" / name / "__init__.py").is_file() for name in CONVERSIONS)
    assert set(ALLOWED) <= {p.as_posix() for p in files()}


@pytest.mark.parametrize("path", files(), ids=Path.as_posix)
def test_no_other_module_names_an_op_of_tensors(path: Path) -> None:
    assert named((ROOT / path).read_text(), path) == ALLOWED.get(path.as_posix(), set())


PLANTED = {
    "from ..dialects.nd.contraction import Contract": {"Contract"},
    "from ..dialects.nd.contraction import Contract as Sum": {"Contract"},
    "from ..dialects.nd.op import NdOp": {"NdOp"},
    "from ..dialects.nd import control\nisinstance(x, control.If)": {"If"},
    "from ..dialects import nd\nx = nd.control.While": {"While"},
    "from mlc.dialects.nd.reduction import Reduce": {"Reduce"},
    "import mlc.dialects.nd.scatter\nx = mlc.dialects.nd.scatter.Scatter": {"Scatter"},
    "import mlc.dialects.nd.scatter as s\nx = s.Scatter": {"Scatter"},
    "def f():\n    from ..dialects.nd.movement import Pad": {"Pad"},
    "ROWS = {'nd.exp': 1, 'nd.what': 2}": {"nd.exp"},
    "x = op.name == 'nd.contract'": {"nd.contract"},
    "x = f'%y = nd.add {a}, {b}'": {"nd.add"},
    "x = 'linalg.matmul, nd.softmax'": {"nd.softmax"},
}
CLEAN = (
    '"""nd.add becomes arith.addf"""\n\ndef f():\n    """nd.mul"""',
    "# nd.exp",
    "from ..dialects.nd.dims import Dim, Sym\nx = Dim",
    "from ..dialects.nd import dims, types\nx = types.shape_of",
    "from ..dialects.loop.ops import StageOp\nx = 'nd.sym'",
    "x = 'second.add', 'np.exp', nd.add",
)


@pytest.mark.parametrize("text", PLANTED)
def test_a_planted_name_is_found(text: str) -> None:
    assert named(text, Path("lowering", "loop_planted.py")) == PLANTED[text]


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_op_is_not_found(text: str) -> None:
    assert named(text, Path("lowering", "loop_planted.py")) == set()

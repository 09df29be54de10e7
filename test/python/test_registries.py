"""What every registered thing must have, computed from the registries: no list here to forget an entry in."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from mlc.compiler import settings
from mlc.compiler.context import DIALECTS, OWN, context, dialect
from mlc.compiler.pipelines import PIPELINES, named
from mlc.compiler.registry import PASSES, build, documentation, lookup, usage
from mlc.compiler.spec import parse_pipeline, spec_of, text_of
from xdsl.passes import ModulePass

ROOT = Path(__file__).resolve().parents[2]
LIT = {f: f.read_text() for f in sorted((ROOT / "test").rglob("*.mlir"))}
SOURCES = {
    f: f.read_text()
    for d in ("compiler", "dialects", "lowering", "runtime", "tools", "python/mlc/__init__.py")
    for f in ([ROOT / d] if d.endswith(".py") else sorted((ROOT / d).rglob("*.py")))
}


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_is_a_frozen_module_pass_of_its_name(name):
    cls = lookup(name)
    assert issubclass(cls, ModulePass) and cls.name == name
    assert not dataclasses.fields(cls) or cls.__dataclass_params__.frozen


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_shows_ir_before_and_after(name):
    block = "\n".join(line for line in documentation(lookup(name)) if line.startswith("    "))
    assert block.count("%") >= 2, f"{name}: expected IR before and after in the docstring"


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_has_a_lit_test(name):
    use = re.compile(rf"RUN:.*mlc-opt.*[\s'\"=,(]{re.escape(name)}[{{\s'\"=,)|]")
    assert any(use.search(text) for text in LIT.values()), f"expected a test/**/*.mlir with a RUN line for {name}"


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_is_in_the_reference(name):
    assert f"\n## {name}\n" in (ROOT / "docs/reference/passes.md").read_text()


def own_operations() -> list[str]:
    return sorted(o.name for d in OWN for o in dialect(d).operations if o.__module__.startswith("mlc."))


@pytest.mark.parametrize("name", own_operations())
def test_an_op_is_in_a_lit_test_and_in_the_reference(name):
    used = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    assert any(used.search(text) for text in LIT.values()), f"expected a test/**/*.mlir with {name}"
    assert f"\n### {name}\n" in (ROOT / "docs/reference/ops.md").read_text()


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_loads_under_its_name(name):
    assert dialect(name).name == name
    assert context().get_dialect(name) is dialect(name)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_names_passes(name):
    specs = named(name)
    assert specs and all(build(s).name == s.name for s in specs)
    assert parse_pipeline(text_of(specs)) == specs


@pytest.mark.parametrize(
    "text",
    [
        "loop-tile{axis=i size=6}",
        "loop-tile{axis=i size=6 balanced=true clamp=false only=a,b kind=parallel}",
        'loop-tile{axis="two words" size=-3},cse',
        "",
    ],
)
def test_a_pipeline_text_survives_reading_and_writing(text):
    assert text_of(parse_pipeline(text)) == text
    passes = [build(s) for s in parse_pipeline(text)]
    assert [build(spec_of(p)) for p in passes] == passes


def test_usage_names_the_options():
    assert usage("loop-tile", lookup("loop-tile")).startswith("loop-tile{axis=str size=int")


def test_every_environment_variable_is_in_the_settings():
    read = {v for f, text in SOURCES.items() if f.name != "settings.py" for v in re.findall(r"\bMLC_[A-Z_]+\b", text)}
    assert read <= {s.name for s in settings.SETTINGS}
    assert [s.name for s in settings.SETTINGS] == sorted(s.name for s in settings.SETTINGS)

"""Rules turned off, told, listed and read from files: the selection, the catalogue and mlc-opt's options."""

from __future__ import annotations

from typing import Any

import mlc.dialects.nd.functions as nd
import pytest
from mlc.compiler.driver import passes_of
from mlc.compiler.spec import text_of
from mlc.compiler.transforms.canonicalize import canonicalize
from mlc.compiler.transforms.rules.apply import apply_rules
from mlc.compiler.transforms.rules.catalogue import catalogue, described, select, table
from mlc.compiler.transforms.rules.define import rule
from mlc.compiler.transforms.rules.library import LIBRARY
from mlc.compiler.transforms.rules.selection import Selection, Trace, enabled, selected, selection, tracing
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.array import Array
from mlc.tools.rules import with_rules
from test_canonicalize import F, body, build, ops

PROGRAM = """\
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.neg %x : tensor<4x8xf32>
  %1 = nd.abs %0 : tensor<4x8xf32>
  func.return %1 : tensor<4x8xf32>
}
"""


def lines(names: set[str], fn: Any, *types: str) -> tuple[list[str], list[str]]:
    """The ops after canonicalize with these rules turned off, and what was told."""
    told: list[str] = []
    module = build(fn, *types)
    with selected(Selection(frozenset(names), Trace(told.append))):
        canonicalize(body(module))
    return ops(module), told


def test_rules_and_groups_are_turned_off() -> None:
    twice = lambda x: nd.neg(-x)
    assert lines(set(), twice, F) == ([], ["program:1:1: nd.neg: rule neg_neg fired"])
    assert lines({"neg_neg"}, twice, F) == (["neg", "neg"], [])
    assert lines({"algebra"}, twice, F) == (["neg", "neg"], [])
    assert lines({"movement"}, twice, F)[0] == []
    constant = lambda x: x + nd.exp(nd.asarray(1.0))
    assert lines(set(), constant, F)[0] == ["constant", "add"]
    assert lines({"fold", "movement"}, constant, F)[0] == ["constant", "exp", "broadcast", "add"]


def test_nothing_is_selected_outside() -> None:
    assert selection() is None and tracing() is None and enabled(LIBRARY["factor_sum"])
    with selected(Selection(frozenset({"algebra"}))):
        assert not enabled(LIBRARY["factor_sum"]) and enabled(LIBRARY["merge_rows"]) and tracing() is None
        with selected(None):
            assert enabled(LIBRARY["factor_sum"])
    assert selection() is None


def test_a_rule_is_traced_with_all_rules_on() -> None:
    """What is turned off are the rules of a program, not those that bring a rule's own sides into normal form."""

    def sides(x: Array, w: Array) -> Any:
        return (x @ w.T).T, w @ x.T

    plain, other = (rule("explore", "exact", x="n k", w="m k")(sides) for _ in range(2))
    told: list[str] = []
    with selected(Selection(frozenset({"contraction"}), Trace(told.append))):
        assert str(plain.op) == str(other.op) and not told
    assert "nd.transpose" not in str(plain.op)


def test_why_a_pair_declined() -> None:
    def program(x: Array, w: Array, s: Array) -> Any:
        y = x @ w
        return y * s, y

    told: list[str] = []
    module = build(program, "6 8 f32", "8 4 f32", "4 f32")
    canonicalize(body(module))
    with selected(Selection(trace=Trace(told.append))):
        for _ in range(2):
            assert apply_rules(body(module), [LIBRARY["scale_of_product"]]) == 0
    (line,) = told  # the second time says nothing new
    assert line.endswith(
        "rule scale_of_product declined: nd.contract is read by func.return, too, so it would be computed twice"
    )
    told.clear()
    module = build(lambda x, u, v: (x @ u, x @ v), "6 8 f32", "8 p f32", "8 4 f32")
    with selected(Selection(trace=Trace(told.append))):
        assert apply_rules(body(module), [LIBRARY["merge_two_products"]]) == 0
    assert told[0].endswith("declined: condition static(p, q) does not hold for p = p, q = 4")
    told.clear()

    def chained(x: Array, q: Array, k: Array) -> Any:
        a = x @ q
        return a, x @ (k + nd.broadcast_to(a.sum(), k.shape))

    module = build(chained, "6 8 f32", "8 4 f32", "8 4 f32")
    with selected(Selection(trace=Trace(told.append))):
        assert apply_rules(body(module), [LIBRARY["merge_two_products"]]) == 0
    assert "no place is left for the right side" in told[0]


def test_catalogue_lists_every_sort() -> None:
    entries = catalogue()
    assert {e.kind for e in entries.values()} == {"simplify", "cost", "explore"}
    assert {"neg_neg", "fold_dense", "winograd", "merge_products", "merge_two_products"} <= set(entries)
    assert len(table(list(entries.values())).splitlines()) == len(entries) + 1
    text = described([entries["factor"], entries["factor_sum"]])
    assert text.startswith("// factor: simplify ieee, group algebra, evidence: instances\n// x*s + y*s -> (x + y)*s\n")
    assert "graph.rule @factor_sum(" in text
    assert [e.name for e in select(entries, ["winograd"], "-x")] == ["winograd"]
    with pytest.raises(
        CompileError, match=r"-x: expected names of rules or groups \(.*\), found facto; did you mean 'factor'"
    ):
        select(entries, ["facto"], "-x")


RULE = """\
!V = tensor<?x!nd.dtype<T>, #nd.sym<...>>
graph.rule @r(%x: !V) simplify exact where float(T) {
  %0 = nd.neg %x : !V
  %1 = nd.abs %0 : !V
  graph.roots %1 : !V
} => {
  %0 = nd.abs %x : !V
  graph.roots %0 : !V
}
"""


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (RULE.replace("nd.neg", "nd.nag"), "3:8", "unknown operation nd.nag"),
        (RULE.replace("simplify", "simply"), "2:23", "expected simplify or explore"),
        (RULE.replace("%0 = nd.abs %x", "%0 = nd.abs %y"), "7:15", "%y"),
        (RULE.replace("abs %0 : !V", "abs %0 : tensor<?xf32, #nd.sym<...>>"), "4:", "expected"),
        (RULE.replace("nd.abs %x", "nd.neg %x"), "2:1", "rule @r is false: expected equal sides, found"),
        (RULE.replace("float(T)", "even(T)"), "2:1", "expected a predicate"),
    ],
    ids=["op", "kind", "free variable", "type clash", "false", "condition"],
)  # fmt: skip
def test_errors_of_a_rule_file_have_their_place_in_it(
    opt: Any, tmp_path: Any, text: str, where: str, said: str
) -> None:
    file = tmp_path / "rules.mlir"
    file.write_text(text)
    ran = opt("--rules", file, text=PROGRAM)
    assert ran.code == 1 and ran.out == ""
    assert ran.err.startswith(f"{file}:{where}") and said in ran.err.splitlines()[0], ran.err


def test_rules_of_a_file_are_applied_within_the_level(opt: Any, tmp_path: Any) -> None:
    file = tmp_path / "rules.mlir"
    file.write_text(RULE)
    assert "nd.neg" not in opt("--rules", file, text=PROGRAM).out
    assert "nd.neg" in opt("--rules", file, "--disable-rules=r", text=PROGRAM).out
    fast = tmp_path / "fast.mlir"
    fast.write_text(RULE.replace("simplify exact", "simplify fast"))
    off = "--disable-rules=abs_sign"
    assert "nd.neg" in opt("-p", "canonicalize", "--rules", fast, off, text=PROGRAM).out
    assert "nd.neg" not in opt("-p", "canonicalize{numerics=fast}", "--rules", fast, off, text=PROGRAM).out
    ran = opt("--rules", file, "--disable-rules=s", text=PROGRAM)
    assert ran.code == 1 and "found s" in ran.err
    ran = opt("--rules", tmp_path / "nowhere.mlir", text=PROGRAM)
    assert ran.code == 1 and "expected a file of rules, found" in ran.err


def test_where_the_rules_of_a_file_go() -> None:
    def text(*pipeline: str) -> str:
        return text_of(with_rules(passes_of(pipeline), "r.mlir"))

    assert text() == "apply-rules{file=r.mlir}"
    assert text("cse") == "apply-rules{file=r.mlir},cse"
    assert text("cse,canonicalize,canonicalize") == "cse,canonicalize,apply-rules{file=r.mlir},canonicalize"
    assert text("canonicalize{numerics=fast}") == "canonicalize{numerics=fast},apply-rules{file=r.mlir numerics=fast}"
    assert text("canonicalize,saturate").endswith(",saturate{file=r.mlir}")
    assert text("canonicalize,saturate{file=s.mlir}").endswith(",saturate{file=s.mlir}")

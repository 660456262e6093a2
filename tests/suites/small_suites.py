"""Small suites for property tests, of which about half can be loaded: likely values and odd ones at every key."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Values = st.SearchStrategy[Any]

LEAVES: Values = st.none() | st.booleans() | st.integers(-2, 120) | st.floats(-1, 2) | st.text(max_size=4)
ODD: Values = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner), max_leaves=4
)
WORD: Values = st.sampled_from(["a", "b 1", "{question}", " a", "5%", "é", "x.jsonl"])
NAME: Values = st.sampled_from(["a", "b 1", "a-b=c@d", "gate"])
SHARE: Values = st.sampled_from([0, 0.5, 1, "5%", "0.1", "1/10", "-0", ".5", "1_0%", " 1e-1 ", "2"])
TURNS: Values = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": WORD}), min_size=1, max_size=2
)
CHECK: Values = st.sampled_from(
    [
        "finished",
        {"contains": "a"},
        {"not-regex": 5},
        {"word-count": {"min": 1}},
        {"type": "is-json"},
        {"levenshtein": "a", "threshold": 1},
        {"number": 3},
        {"mentions": {"values": ["a", ["b"]], "at_least": 2}},
        {"x": 1},
    ]
)
CHECKS: Values = st.lists(CHECK, min_size=1, max_size=2)
ANSWERS: Values = WORD | st.integers(0, 3) | st.lists(WORD | st.integers(0, 3), min_size=1, max_size=2)
SEVERITY: Values = st.sampled_from(["critical", "low"])
MATCH: Values = st.sampled_from(["word", "exact", "contains"])
ANY_CASE: dict[str, Values] = {
    **dict.fromkeys(("id", "category"), NAME),
    **dict.fromkeys(("skip", "cluster"), WORD),
    "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
}
CASES: dict[str, tuple[dict[str, Values], dict[str, Values]]] = {
    "qa": ({"question": WORD, "answer": ANSWERS}, {"match": MATCH}),
    "checklist": (
        {"test": WORD, "prompt": WORD, "checks": CHECKS},
        {"severity": SEVERITY, "require": st.just("pass")},
    ),
    "choice": ({"messages": TURNS, "choices": st.just(["a", "b", 3]), "target": st.sampled_from(["a", 1, "2"])}, {}),
    "text": ({"text": WORD}, {}),
}
"""What a case of each kind has, and what it may have beside."""
GATE: Values = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("max_drop", "min_gain", "min_retention"), SHARE | LEAVES),
        "category_max_drop": SHARE,
        "rule": st.sampled_from(["proven", "threshold"]),
    },
)
TEXT_GATE: Values = st.fixed_dictionaries({"max_increase": SHARE | LEAVES})
HEAD: dict[str, Values] = {
    **dict.fromkeys(("name", "system", "stop", "delimiter"), WORD),
    **dict.fromkeys(("severity", "fail_on"), SEVERITY),
    **dict.fromkeys(("max_new_tokens", "samples"), st.integers(0, 3)),
    "template": st.sampled_from(["{question}", "Q: {question} {{}}", "{question:>3}"]),
    "source": st.sampled_from(["x.jsonl", ["x.jsonl"], {"path": "x.jsonl", "fields": {"question": "answer"}}]),
    "role": st.sampled_from(["target", "general"]),
    "messages": TURNS,
    "few_shot": st.lists(st.fixed_dictionaries({"question": WORD, "answer": WORD}), max_size=2),
    "think_tokens": st.integers(0, 9),
    "temperature": st.floats(0, 2),
    "match": MATCH,
    "score": st.sampled_from(["acc", "acc_norm"]),
}
"""What may stand at the keys of a suite."""


@st.composite
def suites(draw: st.DrawFn) -> dict[str, Any]:
    """A suite of one or two cases with a few more keys each, one of which holds something odd now and then."""
    kind = draw(st.sampled_from(list(CASES)))
    needed, possible = CASES[kind]
    row: Values = st.fixed_dictionaries({**needed, **_chosen(draw, {**possible, **ANY_CASE})})
    gate = {"gate": TEXT_GATE if kind == "text" else GATE}
    head = st.fixed_dictionaries(_chosen(draw, {**HEAD, **gate}))
    return {"forgetting": kind, **draw(head), "cases": draw(st.lists(row, min_size=1, max_size=2))}


def _chosen(draw: st.DrawFn, keys: dict[str, Values]) -> dict[str, Values]:
    """Up to two of `keys`; one in eight may hold anything."""
    names = draw(st.sets(st.sampled_from(sorted(keys)), max_size=2))
    return {name: ODD if draw(st.integers(0, 7)) == 0 else keys[name] for name in names}

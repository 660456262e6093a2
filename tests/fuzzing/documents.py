"""Suite files to be loaded: valid ones, and mutations of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SMALL = (
    "forgetting: qa\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
    """\
# all keys that a qa suite has
forgetting: qa
name: General
role: general
template: "Question: {question}\\nAnswer:"
system: Be brief.
few_shot: [{question: 1 + 1?, answer: 2}]
max_new_tokens: 50
think_tokens: 9
stop: ["\\n"]
samples: 2
temperature: 0.5
match: word
gate: {max_drop: 5%, category_max_drop: {math: 0.1}, rule: proven, min_retention: 1/2}
cases:
  - {id: a, question: 15 x 7?, correct_answer: [105, one hundred and five], category: math, tags: [a], cluster: c}
  - prompt: |
      Two lines
      of text
    ideal: 'x'
    skip: later
  - {messages: [{role: user, content: Hi}], target: 1.5, match: exact}
""",
    """\
forgetting: checklist
severity: high
fail_on: high
cases:
  - test: All checks
    prompt: Count.
    severity: critical
    require: pass
    checks:
      - finished
      - not-is-refusal
      - {contains: a}
      - {contains-any: [a, 1]}
      - {not-regex: "^a+$"}
      - {number: {value: 10, tolerance: 0.5}}
      - {mentions: {values: [a, [b, c]], at_least: 1}}
      - {word-count: {min: 1, max: 9}}
      - {levenshtein: abc, threshold: 2}
      - {type: is-json, value: {type: object, properties: {a: {pattern: "^a"}}}}
""",
    "forgetting: choice\nscore: acc_norm\ndelimiter: ''\ncases:\n"
    "  - {question: Italy?, choices: [Paris, Rome, 3], answer: Rome}\n"
    "  - {prompt: b, choices: ['4', '7'], answer: 1}\n",
    "forgetting: text\ngate: {max_increase: 5%}\ncases:\n  - {text: Once upon a time., category: tales}\n",
    "forgetting: qa\nsource: {path: more.jsonl, fields: {question: q, answer: a}}\n",
    "forgetting: qa\nsource: [more.csv, more.jsonl]\n",
)
SCALARS = (
    *("", "~", "null", "yes", "-1", "0x1F", "0o17", "017", "1_000", "1:59:59", "1:59.5", ".nan", "-.inf", "1e400"),
    *("2024-01-01", "2024-99-99", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "=", "<<", "!"),
    *("!!python/object/apply:os.system [x]", "!!python/name:os.system", "!!int ''", "!!float ''", "!!bool x"),
    *("!!timestamp x", "!!binary é", "!!binary eA==", "!!set {a}", "!!omap [a: b]", "!!pairs [a: b]", "!!null x"),
    *("!!str {=: x}", "!x y", "!<tag:x> y", "&a b", "*a", "&a [*a]", "{<<: {a: b}}", "{<<: [1]}", "{? [a] : b}"),
    *("{? {a: b} : c}", "{1: 2, b: c}", "{.nan: 1}", "{2024-01-01: 1}", "{type: contains, 1: a, b: c}"),
    *("{is-json: {$schema: [1]}}", "{is-json: {const: 2024-01-01}}", "{is-json: {$ref: x}}", "{is-json: {1: 2}}"),
    *("[]", "{}", "[[]]", "|", ">-", '"\\ud83d\\ude00"', '"\\0"', '"\\x1b[31m"', '"a\\nb"', "'it''s'", "a: b", "- a"),
    *("x.jsonl", "more.jsonl", "../x.jsonl", "/etc/passwd", "a" * 300, "[" * 80, "{a: " * 80, "- " * 80, "9" * 5000),
    *(
        "0x" + "f" * 5000,
        ":".join(["59"] * 400),
        "@",
        "`",
        "%",
        "---",
        "...",
        "# c",
        "\t",
        "{question}",
        "{question!r}",
    ),
)
BREAKS = ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029", "\n\n", "\n\t", " \n", "\n---\n", "\n...\n", "\n- ", "")


@cache
def valid() -> tuple[str, ...]:
    """Suites that load: small ones with every key, and the starts of those that ship."""
    shipped = sorted((ROOT / "example_suites").glob("*.yaml"))
    return *SMALL, *(_start(path.read_text(encoding="utf-8").splitlines()[:40]) for path in shipped)


def _start(lines: list[str]) -> str:
    """All but the last of the cases that begin in `lines`."""
    last = max(n for n, line in enumerate(lines) if line.startswith("  - "))
    return "\n".join(lines[:last]) + "\n"


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A valid suite in which one to six things were changed, as bytes."""
    text = draw(st.sampled_from(valid()))
    for _ in range(draw(st.integers(1, 6))):
        text = draw(st.sampled_from(_MUTATIONS))(draw, text)
    data = text.encode("utf-8", "surrogatepass")
    return _bytes(draw, data) if draw(st.integers(0, 9)) == 0 else data


def _lines(draw: st.DrawFn, text: str) -> str:
    """A line left out, doubled, moved, or indented otherwise."""
    lines = text.split("\n")
    here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    what = draw(st.sampled_from(["delete", "double", "swap", "indent", "outdent"]))
    if what == "delete":
        del lines[here]
    elif what == "double":
        lines.insert(there, lines[here])
    elif what == "swap":
        lines[here], lines[there] = lines[there], lines[here]
    else:
        lines[here] = draw(st.sampled_from([" ", "  ", "\t"])) + lines[here] if what == "indent" else lines[here][1:]
    return "\n".join(lines)


def _value(draw: st.DrawFn, text: str) -> str:
    """What stands behind a colon or in a list, replaced by something else."""
    places = [n + 1 for n, char in enumerate(text) if char in ":[,-{"] or [0]
    start = draw(st.sampled_from(places))
    end = next((n for n in range(start, len(text)) if text[n] in ",}]\n"), len(text))
    return f"{text[:start]} {draw(st.sampled_from(SCALARS))}{text[end:]}"


def _piece(draw: st.DrawFn, text: str) -> str:
    """A stretch of text cut out, or put elsewhere too."""
    start, length, to = draw(st.integers(0, len(text))), draw(st.integers(1, 30)), draw(st.integers(0, len(text)))
    cut = text[start : start + length]
    return text[:to] + cut + text[to:] if draw(st.booleans()) else text[:start] + text[start + length :]


def _odd(draw: st.DrawFn, text: str) -> str:
    """Something that YAML may stumble over, put anywhere."""
    to = draw(st.integers(0, len(text)))
    return text[:to] + draw(st.sampled_from(SCALARS) | st.text(max_size=5)) + text[to:]


def _ends(draw: st.DrawFn, text: str) -> str:
    """Other ends of some lines, or of all."""
    new = draw(st.sampled_from(BREAKS))
    if draw(st.booleans()):
        return text.replace("\n", new)
    lines = text.split("\n")
    n = draw(st.integers(1, len(lines)))
    return new.join(["\n".join(lines[:n]), *lines[n:]])


def _deep(draw: st.DrawFn, text: str) -> str:
    """Deep nesting at the end."""
    opening, closing = draw(st.sampled_from([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")]))
    depth = draw(st.sampled_from([3, 49, 60, 2000]))
    return f"{text}name: {opening * depth}{closing * depth}\n"


_MUTATIONS = (_lines, _value, _value, _value, _piece, _odd, _ends, _deep)


def _bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes that are no UTF-8, other encodings, marks of byte order, a cut character."""
    to = draw(st.integers(0, len(data)))
    whole = [data.decode("utf-8", "replace").encode(name) for name in ("utf-16", "utf-32-be", "utf-7")]
    odd = draw(st.binary(min_size=1, max_size=4))
    return draw(st.sampled_from([data[:to] + odd + data[to:], b"\xef\xbb\xbf" + data, data[:to], *whole]))

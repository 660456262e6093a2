"""Texts that a model, a suite or a file may hold, and that tools have stumbled over."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    "",
    "Paris",
    "105",
    "-1.5e3",
    "1/2e5",
    "1/0",
    "9" * 400,
    "one hundred and five",
    "not ",
    "I can't help with that.",
    "<think>",
    "</think>",
    '{"a": [1, NaN]}',
    "```json\n",
    "```",
    "[" * 60,
    "a" * 40 + "!",
    "\x00",
    "\x07\x08\x1b]0;t\x07",
    "\x1b[31mred\x1b[0m",
    "\x85\u2028\u2029",
    "\r\n",
    "\r::error file=x::y",
    "\n::error file=x::y",
    "%0A",
    "]]>",
    "<![CDATA[",
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "<!--",
    "&#0;&amp;",
    "{{ 7 * 7 }}{% raw %}",
    "| a | b |",
    "`" * 4,
    "\ud800",
    "\udfff\ud800",
    "\u202e\u2066gnihtyna\u2069",
    "\u200b\u200d\ufeff",
    "\u0301" * 30,
    "\U00011f50\U0001e4f0",
    "\u0665\u0966\uff15",
    "²½⁄3",  # noqa: RUF001 - signs that look like others are the point
    "ﬀﷺ",
    "ßŞİı",
    "👩‍👩‍👧‍👦🏽",
    "𝟙𝟘𝟝",  # noqa: RUF001 - signs that look like others are the point
    "\ufffe\uffff\U0010ffff",
    "日本語。ไทย",
    "=cmd|' /C calc'!A0",
    "$x$ \\frac{1}{2}\\boxed{5}",
)

TEXTS: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(PIECES),
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6).map("".join),
    st.tuples(st.sampled_from([piece for piece in PIECES if piece]), st.integers(2, 40)).map(
        lambda two: two[0] * two[1]
    ),
)
"""Any text: lone surrogates, control characters and all."""


def _joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


SAID = TEXTS.map(_joined).filter(lambda text: not (text[:1] >= "\udc00" and text[:1] <= "\udfff"))
"""The same without the two halves of a pair side by side: to JSON they are the character that they stand for."""

MEGABYTE = 1 << 20
LONG = SAID.map(lambda text: (text * 20_000)[:MEGABYTE])
"""Up to a million characters; uncut they would be a hundred million, and ten thousand of them take most of a day."""

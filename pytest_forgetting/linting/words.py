"""Texts as rows of words: what is compared where the form makes no difference."""

from __future__ import annotations

import re
import unicodedata

from pytest_forgetting.suites.cases import Case

_WORD = re.compile(r"\w+")
_CHECKED = "checklist"


def words(text: str) -> tuple[str, ...]:
    """Letters and digits of `text` in lower case; what stands between them is left out, as in GPT-3's check."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def asked(case: Case) -> str:
    """What `case` itself asks, without what the suite's template puts around it."""
    # The title of a checklist case is for people, and what it asks is no question in a template.
    return case.prompt.messages[-1].content if case.checks and case.prompt.messages else case.title

"""Escaping for the page: nothing in a text commands anything, and nothing is hidden."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

LONGEST = 2000
"""Characters of one text in the page itself; cases have limits of their own."""
LONGEST_NAME = 200
"""Of a suite, by which the page finds its cases: many links have it, with up to twelve characters for each."""

_SIGNS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
"""Control characters, by the signs that Unicode has for them: an escape becomes ␛."""
_UNSEEN = dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000)], 0xFFFD)
"""The second set of control characters, and halves of surrogate pairs, which UTF-8 cannot bear."""
_TABLE = _SIGNS | _UNSEEN

_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def visible(text: str) -> str:
    """`text` with a sign for each character that would do something else than be read."""
    return text.translate(_TABLE)


def shown(value: Any) -> Any:
    """What a template prints for `value`: text made `visible` and not endless, mark-up of our own as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return visible(value if len(value) <= LONGEST else value[: LONGEST - 1] + "…")


def named(name: str) -> str:
    """The name of a suite or a category as the page's data and links have it."""
    return visible(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…")


def fragment(**filters: str) -> Markup:
    """The link within the page that shows the cases of these filters: ``#outcome=forgotten&category=maths``.

    It is mark-up, as `shown` would cut a link to a long name.
    """
    return escape("#" + urlencode({name: named(text) for name, text in filters.items() if text}))


def script_json(value: Any) -> str:
    """JSON that a script element can hold: no mark-up in it, so that nothing can end the element."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True).translate(_ESCAPED)

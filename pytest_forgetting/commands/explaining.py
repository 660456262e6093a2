"""``pytest --forgetting-explain``: the pages of the documentation that advice names, as an installation has them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from pytest_forgetting.commands.shipped import shipped

PAGES = ("causes", "mitigations")
"""Those that the wheel carries."""


def print_page(place: str) -> int:
    """Print a page, or one of its sections, named as advice names it: ``docs/causes.md#what-to-do-about-each``.

    Returns:
        pytest's exit code: 0, or 4 where there is no such page or section.
    """
    named, _, anchor = place.partition("#")
    page = named.removeprefix("docs/").removesuffix(".md")
    if page not in PAGES:
        print(f"ERROR: no page '{named}' to explain; there are {' and '.join(PAGES)}", file=sys.stderr)
        return 4
    sections = list(_sections((shipped("docs") / f"{page}.md").read_text(encoding="utf-8")))
    known = [name for name, _ in sections]
    if anchor and anchor not in known:
        print(f"ERROR: docs/{page}.md has no section '{anchor}'; it has {', '.join(known[1:])}", file=sys.stderr)
        return 4
    print("\n\n".join(text for name, text in sections if anchor in ("", name)))
    return 0


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The page's beginning and its sections, each with the anchor of its heading."""
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        title = part.splitlines()[0].lstrip("# ").lower()
        yield re.sub(r"[^\w\- ]", "", title).replace(" ", "-"), part.strip()

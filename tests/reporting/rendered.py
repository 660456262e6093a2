"""Markdown as GitHub's own parser and a second one render it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

GITHUB = {"cmark-gfm": lambda text: cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)}
RENDERERS: dict[str, Callable[[str], str]] = {**GITHUB, "markdown-it": MarkdownIt("gfm-like", {"html": True}).render}
"""Each passes HTML on, so that what would be HTML on a page is HTML here."""


class Rendered(HTMLParser):
    """HTML taken apart: its tags in their order, and its text in code and beside it."""

    def __init__(self, html: str) -> None:
        """Parse `html`."""
        super().__init__()
        self.tags: list[str] = []
        self.code: list[str] = []
        self.plain = ""
        self.everything = ""
        self._in_code = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it, with the names of its attributes."""
        self.tags.append(" ".join([tag, *(name for name, _ in attrs)]))
        if tag == "code":
            self._in_code = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        """Note it."""
        self.tags.append(f"/{tag}")
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        """Part what is code from what is not."""
        self.everything += data
        if self._in_code:
            self.code[-1] += data
        else:
            self.plain += data

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - HTMLParser's signature
        """Readers would not see it."""
        self.tags.append("!--")

"""The page in a real Chromium, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.reporting.files import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A sandbox needs a user other than root; the rest keeps the browser from talking to anybody.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window; skips the test where there is none, or nothing to drive it with."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; `make test-browser` installs one")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS])
        yield browser
        browser.close()


class Reader:
    """Opens reports and remembers what the browser complained of and asked for."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        """`folder`: where reports are written."""
        self._browser, self._folder = browser, folder
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def open(self, comparison: Comparison, address: str = "", **context: Any) -> Page:
        """The report of `comparison`, as a user opens it from a file."""
        path = self._folder / "report.html"
        write_report(comparison, path)
        size = {"viewport": {"width": 1280, "height": 900}}
        page = self._browser.new_context(**{**size, **context}).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url.partition("#")[0]))
        page.goto(path.as_uri() + address)
        return page

    def close(self) -> None:
        """Close all that was opened."""
        for context in self._browser.contexts:
            context.close()


def outcomes_shown(page: Page) -> list[str]:
    """The outcomes of the rows, in order."""
    return [text.strip() for text in page.locator("#rows .outcome").all_inner_texts()]


def status(page: Page) -> str:
    """What the page says of how many cases it shows."""
    return page.locator("#told").inner_text()


def becomes(page: Page, selector: str, text: str | list[str]) -> None:
    """Wait for the text, or for one text each: the page hears of a new address only after the click that set it."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_text(text, timeout=20_000)


def address(page: Page) -> str:
    """The part of the address behind #."""
    return str(page.evaluate("location.hash"))

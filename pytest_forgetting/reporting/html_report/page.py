"""The page itself: what a template is given, and the policy under which nothing but its own script can run."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.outcomes import count
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.html_report import charts
from pytest_forgetting.reporting.html_report.case_rows import case_rows
from pytest_forgetting.reporting.html_report.escaping import fragment, named, script_json, shown
from pytest_forgetting.reporting.html_report.trade_off import trade
from pytest_forgetting.reporting.html_report.verdicts import verdicts

if TYPE_CHECKING:
    from jinja2 import Environment

LIBRARIES = ("torch", "transformers", "peft")
"""Whose versions the page names beside this package's."""
_COLOURS = {"pass": "#1a7f4b", "fail": "#c0311f", "inconclusive": "#b07a00"}


@dataclass(frozen=True)
class Line:
    """A suite or one of its categories: a row of the table, and of the charts."""

    suite: SuiteResult
    scope: ScopeResult
    cells: list[str]
    """As the terminal shows them."""

    @property
    def category(self) -> str:
        """Empty for the suite as a whole."""
        return "" if self.scope is self.suite.overall else self.scope.name

    @property
    def told(self) -> str:
        """The verdict's reason, without the verdict's name."""
        reported = self.scope.ruling.verdict == "reported"
        return self.cells[-1] if reported else self.cells[-1].partition("  ")[2]

    def link(self, **filters: str) -> str:
        """Shows the cases of this row."""
        return fragment(suite=self.suite.suite.name, category=self.category, **filters)


def to_html(comparison: Comparison) -> str:
    """The report as one file, byte for byte the same for equal runs but for the element with the id ``timing``."""
    page = _environment().get_template("report.html.jinja")
    style, script = (Markup(_template_text(name)) for name in ("report.css", "report.js"))
    rows = case_rows(comparison)
    return page.render(
        comparison=comparison,
        policy=_policy(style, script),
        icon=_icon(comparison.decision),
        style=style,
        script=script,
        rows=rows,
        case_data=Markup(rows.json),
        suite_data=Markup(script_json(_named(comparison))),
        **_views(comparison),
    )


def _named(comparison: Comparison) -> list[dict[str, str]]:
    return [{"name": named(each.suite.name), "nodeid": each.suite.nodeid} for each in comparison.suites]


def _views(comparison: Comparison) -> dict[str, Any]:
    lines = list(_lines(comparison))
    answered = [line for line in lines if line.scope.counts.n]
    losses = [(line, loss) for line in lines if (loss := charts.loss_of(line.scope)) is not None]
    return {
        "charts": charts,
        "verdicts": verdicts(comparison),
        "counts": count(comparison.results),
        "total": len(comparison.results),
        "tiles": list(_tiles(comparison)),
        "causes": list(terminal.causes(comparison)),
        "choices": list(terminal.choices(comparison)),
        "confidence": f"{comparison.confidence * 100:g} %",
        "lines": lines,
        "left_out": sum(charts.shown_categories(suite)[1] for suite in comparison.suites),
        "answered": answered,
        "axis": charts.drop_axis([line.scope for line in answered]),
        "losses": losses,
        "loss_axis": charts.loss_axis([loss for _, loss in losses]) if losses else None,
        "loss_words": "{:g}".format,
        "trade": trade(comparison, comparison.confidence),
        "settings": {name: json.dumps(value) for name, value in sorted(comparison.settings.items())},
        "versions": dict(_versions()),
    }


def _lines(comparison: Comparison) -> Iterator[Line]:
    for suite in comparison.suites:
        scopes = [suite.overall, *suite.categories]
        shown = {id(scope) for scope in (suite.overall, *charts.shown_categories(suite)[0])}
        for scope, cells in zip(scopes, terminal.suite_rows(suite), strict=True):
            if id(scope) in shown:
                yield Line(suite, scope, cells)


def _tiles(comparison: Comparison) -> Iterator[dict[str, str]]:
    """How many cases of each outcome, those that are only sometimes there left out where there are none."""
    for outcome, number in terminal.tally(comparison):
        yield {"outcome": outcome, "number": str(number), "link": fragment(outcome=outcome)}


def _policy(style: str, script: str) -> str:
    """No script and no style but these two, and nothing from anywhere else."""
    own = f"style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'"
    return f"default-src 'none'; {own}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _icon(decision: str) -> str:
    """A dot for the browser's tab, in the decision's colour."""
    dot = f'<circle cx="4.5" cy="4.5" r="4" fill="{_COLOURS[decision]}"/>'
    return "data:image/svg+xml," + quote(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{dot}</svg>')


def _template_text(name: str) -> str:
    return (files(__package__ or "") / "templates" / name).read_text(encoding="utf-8")


def _versions() -> Iterator[tuple[str, str]]:
    yield "pytest-forgetting", version("pytest-forgetting")
    yield "Python", platform.python_version()
    for name in LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )

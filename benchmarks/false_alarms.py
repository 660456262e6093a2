"""How often each rule is wrong: ``python benchmarks/false_alarms.py [--plot docs/false-alarms.png]``.

Two models differ in n cases by chance: each case is forgotten with the chance `drop` + churn / 2 and learned with the
chance churn / 2; the baseline is right in 80 % of them. The package's own gates judge the counts, at `max_drop` 0.10
and a confidence of 0.95. Beside them stand two rules from elsewhere, on the same counts:

- z-test: the one of lm-evaluation-harness's ``scripts/model_comparator.py``, z = (a − b) / √(SE(a)² + SE(b)²) with the
  standard errors √(p(1 − p) / (n − 1)) that the harness prints. It takes the two models' answers for independent
  samples. There it is two-sided; here it is red where z > 1.645, a drop at 5 % one-sided. It knows no threshold.
- floats: red where ``before - after > 0.10`` in floating point.

The first table is counted out over all results that a suite can have, and a seeded simulation of the same is held
against it. The second is simulated: builds of all of `example_suites/`, of a model that forgot nothing and learned nine
tenths of what the target suite asks. A build is red as the command line decides it, INCONCLUSIVE being told only
(``warn``). The third says how many cases it takes to prove of a model that forgot nothing that it did not. Takes
45 seconds of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from time import perf_counter
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import numpy
from matplotlib import pyplot
from numpy.typing import NDArray
from scipy.stats import binom, multinomial
from tabulate import tabulate

from pytest_forgetting.comparison.comparison import blocks
from pytest_forgetting.comparison.gates import Threshold, Verdict, rule, weigh
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Counts, Graded
from pytest_forgetting.comparison.proof import proves, smallest_n
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.settings import RULES, Rule
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.loading import load_suite

SUITES = Path(__file__).parents[1] / "example_suites"
ALLOWED, CONFIDENCE = Fraction(1, 10), 0.95
Z = NormalDist().inv_cdf(CONFIDENCE)
SIZES = (20, 50, 100, 200, 500)
KNOWN, LEARNED = 0.8, 0.9
"""Shares of right answers: of the baseline where nothing must be lost, of the tuned model where it was to learn."""
RARE = 1e-10
"""Results that are less likely are left out of the sums."""
DRAWS, BUILDS, BUILDS_BY_CATEGORY = 20_000, 20_000, 1_000
"""Fewer of the last, as hardly any two of them have the same counts in all categories."""
RETAINED, FORGOTTEN, LEARNT, UNKNOWN = range(4)
Numbers = NDArray[Any]


class Truth(NamedTuple):
    """What is true of two models."""

    drop: float
    churn: float
    """Share of cases that change by chance, half of them for the worse."""

    @property
    def shares(self) -> list[float]:
        """Of cases retained, forgotten, learned and unknown."""
        forgotten, learned = self.drop + self.churn / 2, self.churn / 2
        return [KNOWN - forgotten, forgotten, learned, 1 - KNOWN - learned]


TRUTHS = (*(Truth(0, churn) for churn in (0.05, 0.1, 0.2)), *(Truth(drop, 0.1) for drop in (0.05, 0.1, 0.15, 0.2)))


# One suite


@cache
def verdicts(n: int, forgotten: int, learned: int) -> list[Verdict]:
    """What the three rules say."""
    counts = Counts(n - forgotten - learned, forgotten, learned)
    evidence = weigh(counts, ALLOWED, CONFIDENCE)
    return [rule(counts, Threshold(ALLOWED, rule=name), evidence).verdict for name in RULES]


def z_test(before: Numbers, after: Numbers, n: int) -> Numbers:
    """Where the unpaired test shows a drop, given how many answers were right."""
    first, second = before / n, after / n
    squares = (first * (1 - first) + second * (1 - second)) / (n - 1)
    red: Numbers = first - second > Z * numpy.sqrt(squares.clip(min=0))
    return red


def floats(before: Numbers, after: Numbers, n: int) -> Numbers:
    """Where the difference of two floats is above 0.10."""
    return before / n - after / n > 0.10


def judged(n: int, forgotten: Numbers, learned: Numbers) -> Numbers:
    """One row for each result: whether it is FAIL, PASS and INCONCLUSIVE by each rule in turn."""
    said = [verdicts(n, *pair) for pair in zip(forgotten.tolist(), learned.tolist(), strict=True)]
    kinds: tuple[Verdict, ...] = ("fail", "pass", "inconclusive")
    return numpy.array([[verdict == kind for verdict in row for kind in kinds] for row in said])


def likely(n: int, truth: Truth) -> tuple[Numbers, Numbers, Numbers]:
    """Forgotten and learned cases in every way that is not too rare, and the chance of each."""
    forgotten, learned = numpy.nonzero(numpy.tri(n + 1)[::-1])
    _, lost, won, _ = truth.shares
    tables = numpy.stack([forgotten, learned, n - forgotten - learned], axis=1)
    chance = numpy.asarray(multinomial.pmf(tables, n, [lost, won, 1 - lost - won]))
    kept = chance > RARE
    return forgotten[kept], learned[kept], chance[kept]


def counted_out(n: int, truth: Truth) -> Numbers:
    """The chances of FAIL, PASS and INCONCLUSIVE by each rule, of a red z-test and of a red rule in floats."""
    forgotten, learned, chance = likely(n, truth)
    kept, _, _, unknown = truth.shares
    retained = numpy.arange(n + 1)[:, None]
    together = chance * binom.pmf(retained, n - forgotten - learned, kept / (kept + unknown))
    others = [(together * red(retained + forgotten, retained + learned, n)).sum() for red in (z_test, floats)]
    return numpy.array([*(chance @ judged(n, forgotten, learned)), *others])


def proven(n: int, allowed: float, churn: float) -> float:
    """How likely it is proven of a model that forgot nothing that it lost less than `allowed`."""
    forgotten, learned, chance = likely(n, Truth(0, churn))
    pairs = zip(forgotten.tolist(), learned.tolist(), strict=True)
    return float(chance @ [proves(*pair, n, allowed, CONFIDENCE) for pair in pairs])


def enough(allowed: float, churn: float, wanted: float) -> int:
    """About how many cases it takes that `proven` is `wanted`; it does not rise with every case, so two in a row."""
    sizes = pairwise([*range(10, 300, 5), *range(300, 2000, 20)])
    fewest: int = next(n for n, more in sizes if all(proven(size, allowed, churn) >= wanted for size in (n, more)))
    return fewest


def simulated(n: int, truth: Truth, draws: numpy.random.Generator) -> Numbers:
    """The same as shares of `DRAWS` suites."""
    retained, forgotten, learned, _ = draws.multinomial(n, truth.shares, DRAWS).T
    pairs, times = numpy.unique(numpy.stack([forgotten, learned]), axis=1, return_counts=True)
    ours = times @ judged(n, *pairs) / DRAWS
    return numpy.array([*ours, *(red(retained + forgotten, retained + learned, n).mean() for red in (z_test, floats))])


# A build


@dataclass(frozen=True)
class Asked:
    """A suite with what each of its cases can come to."""

    suite: Suite
    results: Sequence[Sequence[CaseResult]]
    """By case and outcome."""

    @classmethod
    def of(cls, suite: Suite) -> Asked:
        """All outcomes of all cases."""
        right, wrong = Graded("", "eos", True), Graded("", "eos", False)
        grades = ((right, right), (right, wrong), (wrong, right), (wrong, wrong))
        return cls(suite, [[CaseResult(case, "", *pair) for pair in grades] for case in suite.cases])

    def draw(self, churn: float, builds: int, draws: numpy.random.Generator) -> Numbers:
        """The outcome of each case in each of `builds`."""
        shares = Truth(0, churn).shares if self.suite.role == "general" else [0, 0, LEARNED, 1 - LEARNED]
        return draws.choice(4, (builds, len(self.results)), p=shares)

    def fails_by_case(self, outcomes: Numbers) -> Numbers:
        """In which builds a case fails by itself."""
        grave = [case[FORGOTTEN].fails(self.suite.fail_on) for case in self.results]
        failing: Numbers = (outcomes[:, grave] == FORGOTTEN).any(axis=1)
        return failing

    def gates(self, outcomes: Numbers) -> Numbers:
        """For each build what `_told` says of the suite's gates; equal counts are judged once."""
        _, first, which = numpy.unique(self._counts(outcomes), axis=0, return_index=True, return_inverse=True)
        told = [_told(self._judge(outcomes[build])) for build in first]
        return numpy.array(told)[which.reshape(-1)]

    def _judge(self, outcomes: Numbers) -> SuiteResult:
        results = [case[outcome] for case, outcome in zip(self.results, outcomes.tolist(), strict=True)]
        return Judge(CONFIDENCE).suite(self.suite, results)

    def _counts(self, outcomes: Numbers) -> Numbers:
        """What the verdicts hang on: the counts of each gated scope."""
        names = [case.category for case in self.suite.cases]
        gated = {name for name in names if self.suite.gate.category_threshold(name) is not None}
        scopes = [[name == one for name in names] for one in gated] or [[True] * len(names)]
        return numpy.concatenate([self._scope(outcomes[:, scope]) for scope in scopes], axis=1)

    def _scope(self, outcomes: Numbers) -> Numbers:
        retained, forgotten, learned = ((outcomes == each).sum(axis=1) for each in (RETAINED, FORGOTTEN, LEARNT))
        # Once more is retained than may be lost there is something to forget; how much more changes no verdict.
        enough = int(outcomes.shape[1] * self.suite.gate.max_drop) + 1
        return numpy.stack([retained.clip(max=enough), forgotten, learned], axis=1)


def _told(result: SuiteResult) -> tuple[bool, bool, bool, bool]:
    """Whether a gate fails, whether a general one is decided, whether one blocks if some general one is, or if none."""
    rulings = [scope.ruling for scope in result.gates]
    decided = result.suite.role == "general" and any(ruling.verdict != "inconclusive" for ruling in rulings)
    either = [any(blocks(ruling, "warn", general_decided=some) for ruling in rulings) for some in (True, False)]
    return any(ruling.verdict == "fail" for ruling in rulings), decided, either[0], either[1]


def red_builds(suites: Sequence[Asked], drawn: Sequence[Numbers]) -> list[float]:
    """Shares of builds that are red, where a gate fails, where a case fails, and where an INCONCLUSIVE gate blocks."""
    pairs = list(zip(suites, drawn, strict=True))
    told: Numbers = numpy.any([asked.gates(outcomes) for asked, outcomes in pairs], axis=0)
    by_case: Numbers = numpy.any([asked.fails_by_case(outcomes) for asked, outcomes in pairs], axis=0)
    by_gate, decided, blocked, blocked_if_none_is = told.T
    red_by_gates: Numbers = numpy.where(decided, blocked, blocked_if_none_is)
    undecided = red_by_gates & ~by_gate
    return [float(share.mean()) for share in (red_by_gates | by_case, by_gate, by_case, undecided)]


def elsewhere(suites: Sequence[Asked], drawn: Sequence[Numbers]) -> list[float]:
    """Shares of builds in which the z-test, and the rule in floats, is red for a suite whose knowledge must be kept."""
    kept = [outcomes for asked, outcomes in zip(suites, drawn, strict=True) if asked.suite.role == "general"]
    before = [((outcomes == RETAINED) | (outcomes == FORGOTTEN)).sum(axis=1) for outcomes in kept]
    after = [((outcomes == RETAINED) | (outcomes == LEARNT)).sum(axis=1) for outcomes in kept]
    rows = [(had, has, outcomes.shape[1]) for had, has, outcomes in zip(before, after, kept, strict=True)]
    return [float(numpy.any([red(*row) for row in rows], axis=0).mean()) for red in (z_test, floats)]


def ruled(suite: Suite, name: Rule, by_category: bool) -> Suite:
    """The suite under another rule, as ``--forgetting-rule`` does it; `by_category`: its categories are gated too."""
    gate = replace(suite.gate, rule=name)
    return replace(suite, gate=replace(gate, every_category_max_drop=gate.max_drop) if by_category else gate)


def build_rows(files: Sequence[str], label: str, by_category: bool = False) -> Iterator[list[str]]:
    """Table rows of builds of the suites in `files`, for each churn and rule; `by_category` concerns the first one."""
    suites = [load_suite(SUITES / f"{name}.yaml") for name in files]
    for churn in (0.02, 0.05, 0.1):
        draws = numpy.random.default_rng(0)
        builds = BUILDS_BY_CATEGORY if by_category else BUILDS
        plain = [Asked.of(suite) for suite in suites]
        drawn = [asked.draw(churn, builds, draws) for asked in plain]
        others = elsewhere(plain, drawn)
        for name in RULES:
            asked = [Asked.of(ruled(suite, name, by_category and not place)) for place, suite in enumerate(suites)]
            yield [label, f"{churn:g}", name, *map(percent, [*red_builds(asked, drawn), *others])]


# What is told


def percent(share: float) -> str:
    """In percent, never rounded to certainty."""
    if 0.000005 < share < 0.0005:
        return "<0.1"
    return ">99.9" if 0.9995 <= share < 0.999995 else f"{share * 100:.1f}"


def suite_rows(exact: dict[tuple[int, Truth], Numbers]) -> Iterator[list[str]]:
    """Table rows of single suites."""
    for (n, truth), rates in exact.items():
        told = [percent(rate) for rate in rates]
        yield [str(n), f"{truth.drop:g}", f"{truth.churn:g}", told[0], " / ".join(told[3:6]), told[6], *told[9:]]


def size_rows() -> Iterator[list[str]]:
    """Table rows of how many cases a proof takes: without any change, and by churn in 80 and in 95 % of runs."""
    for allowed in (0.2, 0.1, 0.05):
        by_churn = [
            f"{enough(allowed, churn, 0.8)} / {enough(allowed, churn, 0.95)}" for churn in (0.02, 0.05, 0.1, 0.2)
        ]
        yield [f"{allowed:g}", str(smallest_n(allowed, CONFIDENCE)), *by_churn]


def plot(path: Path) -> None:
    """Detection against the true drop at n = 200, and false alarms against n."""
    drops, sizes = [step / 100 for step in range(26)], [20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 300, 400, 500]
    left = numpy.array([counted_out(200, Truth(drop, 0.1)) for drop in drops])
    right = numpy.array([counted_out(n, Truth(0, 0.1)) for n in sizes])
    figure, (power, alarms) = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axes, across, rates in ((power, numpy.array(drops) * 100, left), (alarms, numpy.array(sizes), right)):
        for place, name, style in LINES:
            axes.plot(across, rates[:, place] * 100, style, label=name, linewidth=2, markersize=4)
        axes.grid(alpha=0.3)
    _name(power, "Red at n = 200, churn 0.10", "true drop, points")
    power.axvline(10, color="0.5", linewidth=1)
    power.annotate("max_drop", (10.2, 2), color="0.4")
    _name(alarms, "Red though nothing was forgotten, churn 0.10", "cases (n)")
    alarms.set_xscale("log")
    alarms.set_yscale("symlog", linthresh=1, linscale=0.6)  # rates of 0 have a place, and small ones differ
    alarms.set_xticks(SIZES, [str(n) for n in SIZES])
    percents = (0, 0.5, 1, 2, 5, 10, 20, 50, 100)
    alarms.set_yticks(percents, [f"{each:g}" for each in percents])
    alarms.minorticks_off()
    alarms.set_ylim(0, 100)
    power.set_ylim(0, 102)
    power.legend(loc="center right")
    figure.savefig(path, dpi=110)


LINES = ((0, "threshold", "C0-"), (3, "significant", "C1--"), (6, "proven", "C2-."), (9, "unpaired z-test", "C7:"))
"""Places in what `counted_out` gives, names and styles."""


def _name(axes: Any, title: str, across: str) -> None:
    axes.set(title=title, xlabel=across, ylabel="red, %")


def table(rows: Sequence[Sequence[str]], *heads: str) -> None:
    """Print it."""
    align = ["right" if cell[0].isdigit() and "/" not in cell else "left" for cell in rows[0]]
    print(tabulate(rows, heads, tablefmt="github", disable_numparse=True, colalign=align), end="\n\n")


def main() -> None:
    """Count, draw, print, plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plot", type=Path)
    chosen, started = parser.parse_args(), perf_counter()
    exact = {(n, truth): counted_out(n, truth) for n in SIZES for truth in TRUTHS}
    rules = ("threshold: FAIL", "significant: FAIL / PASS / INCONCLUSIVE", "proven: FAIL")
    table(list(suite_rows(exact)), "n", "true drop", "churn", *rules, "z-test", "floats")
    draws = numpy.random.default_rng(0)
    apart = max(float(abs(simulated(*key, draws) - rates).max()) for key, rates in exact.items())
    print(f"simulation of {DRAWS} suites a row: at most {apart * 100:.2f} points from these rates\n")
    everything = ("general_qa", "checklist", "lesson_checklist", "lesson_qa", "medication")
    rows = [
        *build_rows(everything, "all five suites"),
        *build_rows(("general_qa", "medication"), "general_qa, medication"),
        *build_rows(("general_qa", "medication"), "the same, categories gated", by_category=True),
    ]
    causes = ("red", "a gate FAILs", "a critical case", "undecided")
    table(rows, "build of", "churn", "rule", *causes, "z-test", "floats")
    churns = [f"churn {churn}, 80 / 95 %" for churn in ("0.02", "0.05", "0.10", "0.20")]
    table(list(size_rows()), "max_drop", "nothing changed", *churns)
    if chosen.plot:
        plot(chosen.plot)
    print(f"{perf_counter() - started:.0f} seconds")


if __name__ == "__main__":
    main()

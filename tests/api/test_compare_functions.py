"""Functions from prompts to texts in the place of a model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting import CannotAnswer, SuiteError, WrongUsage, compare, load_suite
from tests.recordings import CAPITALS, write_capitals

CASES = [{"question": f"What is the capital of {c}?", "answer": a, "id": c} for c, a in CAPITALS.items()]


def knowing(*wrong: str) -> Callable[[list[str]], list[str]]:
    """A function that knows the capitals, but for those of `wrong`."""

    def answer(prompts: list[str]) -> list[str]:
        return [
            next("Atlantis" if country in wrong else city for country, city in CAPITALS.items() if country in prompt)
            for prompt in prompts
        ]

    return answer


def test_functions_are_compared() -> None:
    """As models are."""
    result = compare(model=knowing("Peru"), baseline=knowing(), suites=CASES)
    assert {case.case.id: case.outcome for case in result}["Peru"] == "forgotten"
    assert result.forgotten == 1


def test_torch_is_not_needed_for_them() -> None:
    """Somebody's API may be asked where nothing heavy is installed."""
    code = (
        "import sys, pytest_forgetting as p\n"
        "p.compare(model=lambda q: ['4'] * len(q), baseline=lambda q: ['4'] * len(q),"
        " suites=[{'question': '2 + 2?', 'answer': '4'}])\n"
        "print(sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_function_is_asked_each_time() -> None:
    """What it says may change: nothing of it is stored."""
    calls: list[int] = []

    def counting(prompts: list[str]) -> list[str]:
        calls.append(len(prompts))
        return knowing()(prompts)

    for _ in range(2):
        compare(model=counting, baseline=knowing(), suites=CASES)
    assert calls == [5, 5]


def test_prompts_come_in_batches() -> None:
    """As many at a time as `batch_size` says."""
    sizes: list[int] = []

    def counting(prompts: list[str]) -> list[str]:
        sizes.append(len(prompts))
        return knowing()(prompts)

    compare(model=counting, baseline=knowing(), suites=CASES, batch_size=2)
    assert sizes == [2, 2, 1]


def test_an_answer_ends_at_a_stop_string() -> None:
    """The default template of questions stops at a line break: what a function says behind it does not count."""
    result = compare(
        model=lambda prompts: [f"{text}\nQuestion: and now?" for text in knowing()(prompts)],
        baseline=knowing(),
        suites=CASES,
    )
    assert [case.model.answer for case in result] == list(CAPITALS.values())
    assert result.forgotten == 0


def test_samples_are_asked_as_often(tmp_path: Path) -> None:
    """A prompt that is asked ten times is handed over ten times."""
    suite = write_capitals(tmp_path, "forgetting: qa\nsamples: 3\ntemperature: 1\ncases:\n")
    asked: list[str] = []

    def noting(prompts: list[str]) -> list[str]:
        asked.extend(prompts)
        return knowing()(prompts)

    compare(model=noting, baseline=knowing(), suites=suite)
    assert len(asked) == 15


def raising(_: list[str]) -> list[str]:
    """An endpoint that is down."""
    raise ConnectionError("nobody answers\nat all")


def written(prompts: list[str]) -> Iterator[str]:
    """A generator is as good as a list."""
    yield from knowing()(prompts)


async def waiting(prompts: list[str]) -> list[str]:
    """As clients of many APIs are."""
    return prompts


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("function", "error", "told"),
    [
        (raising, CannotAnswer, "test_compare_functions raised ConnectionError: nobody answers"),
        (lambda prompts: prompts[1:], WrongUsage, "returned 4 texts for 5 prompts; wanted one for each"),
        (lambda prompts: [None] * len(prompts), WrongUsage, "returned None (NoneType) for the prompt 'Question:"),
        (lambda _: "Paris", WrongUsage, "returned 'Paris' (str) for 5 prompts; wanted a list of texts"),
        (lambda _: {}, WrongUsage, "returned {} (dict) for 5 prompts; wanted a list of texts"),
        (lambda _: None, WrongUsage, "returned None (NoneType) for 5 prompts; wanted a list of texts"),
        (lambda _: repeat("Paris"), WrongUsage, "returned 6 texts for 5 prompts; wanted one for each"),
        (waiting, WrongUsage, f"waiting in {__name__} is asynchronous; wanted a function that waits"),
        (lambda: [], CannotAnswer, "raised TypeError:"),
        (3, WrongUsage, "model: found 3 (int); wanted a reference, a pair (model, tokenizer), or a function"),
        (dict, WrongUsage, "model: found <class 'dict'> (type); wanted a reference"),
    ],
)
def test_what_is_no_answer_is_told(function: Any, error: type[Exception], told: str) -> None:
    """In one sentence that names the function."""
    with pytest.raises(error) as caught:
        compare(model=function, baseline=knowing(), suites=CASES)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_has_no_base() -> None:
    """What it was tuned from must be named; the message says whose."""
    with pytest.raises(WrongUsage, match=r"raising in .* is no adapter: name the model it was tuned from"):
        compare(model=raising, suites=CASES)


def test_only_paths_are_loaded() -> None:
    """Anything else is told in a sentence."""
    nothing: Any = None
    with pytest.raises(SuiteError, match=r"load_suite: found None \(NoneType\); wanted the path of a suite"):
        load_suite(nothing)


def test_a_generator_is_taken() -> None:
    """As is any other iterable of texts."""
    assert compare(model=written, baseline=knowing(), suites=CASES).retained == 5


@pytest.mark.parametrize(
    ("kind", "case"), [("choice", "{question: Two?, choices: [one, two], answer: two}"), ("text", "{text: Hello.}")]
)
def test_suites_that_go_by_likelihood_are_refused(tmp_path: Path, kind: str, case: str) -> None:
    """A function cannot tell how likely it holds a text."""
    path = tmp_path / "s.yaml"
    path.write_text(f"forgetting: {kind}\ncases:\n  - {case}\n")
    with pytest.raises(
        WrongUsage, match=rf"s.yaml: a {kind} suite goes by log-likelihoods, which the function .*cannot"
    ):
        compare(model=knowing(), baseline=knowing(), suites=path)


def test_suites_are_given_in_every_form(tmp_path: Path) -> None:
    """Paths, `Suite` values and cases, alone and together."""
    path = write_capitals(tmp_path)
    suite = load_suite(path)
    given: tuple[Any, ...] = (path, str(tmp_path), suite, [suite], CASES, CASES[0], iter(CASES), [path, *CASES])
    for suites, n in zip(given, (5, 5, 5, 5, 5, 1, 5, 10), strict=True):
        assert compare(model=knowing(), baseline=knowing(), suites=suites).n == n


def test_a_threshold_counts_for_suites_in_memory() -> None:
    """As for files; and `limit` draws from them."""
    assert compare(model=knowing("Peru"), baseline=knowing(), suites=CASES, max_drop=0.2).decision == "pass"
    assert compare(model=knowing("Peru"), baseline=knowing(), suites=CASES).decision == "fail"
    assert compare(model=knowing(), baseline=knowing(), suites=CASES, limit=2).n == 2


def test_cases_in_memory_are_checked_as_those_of_files() -> None:
    """Each finding names the case by its number."""
    with pytest.raises(SuiteError) as caught:
        compare(model=knowing(), baseline=knowing(), suites=[{"question": "Why?"}, CASES[0], {"answer": "Yes"}])
    assert str(caught.value).splitlines() == [
        "cases:1: no answer; wanted 'answer' or 'correct_answer'",
        "cases:3: found none of them; wanted one of question, prompt, messages",
    ]


@pytest.mark.parametrize("suites", [3, [3], None])
def test_what_is_no_suite_is_told(suites: Any) -> None:
    """What was found, and what was wanted."""
    with pytest.raises(
        WrongUsage, match=r"suites: found (3 \(int\)|None \(NoneType\)); wanted a path, a Suite, or a list"
    ):
        compare(model=knowing(), baseline=knowing(), suites=suites)

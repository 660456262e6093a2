"""Fixtures for tests of one's own; what they need is imported when they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_forgetting.api.forgetting import Forgetting
    from pytest_forgetting.api.language_model import LanguageModel
    from pytest_forgetting.session.run import ForgettingRun
    from pytest_forgetting.training.tuned import FineTuned

ACTIVE = "forgetting-run"
"""Name under which the part that does the work is registered with pytest, once a model was named."""


@pytest.fixture(scope="session")
def forgetting(request: pytest.FixtureRequest) -> Forgetting:
    """The gate on the two models given on the command line: ``forgetting.compare(suites)``.

    ::

        from pytest_forgetting import assert_retained

        def test_arithmetic_survives(forgetting):
            result = forgetting.compare("suites/math.yaml")
            assert_retained(result, max_drop=0.05)
            assert result.category("algebra").accuracy_drop <= 0

    Relative paths start from pytest's rootdir, or where there is no such file from the folder that pytest was started
    in. Without ``--model`` the test is skipped.
    """
    return _run(request, "model").pair()


@pytest.fixture(scope="session")
def candidate(request: pytest.FixtureRequest) -> LanguageModel:
    """The model under test, ``--model``: ``candidate.generate([…])`` and ``candidate.loglikelihood([…])``.

    ::

        def test_it_still_writes(candidate):
            said = candidate.generate(["Write one sentence about the weather."], max_new_tokens=30)
            assert "cannot" not in said[0]

    Under xdist the workers share the device: one of them holds the models at a time. Without ``--model`` the test is
    skipped.
    """
    return _run(request, "model").language_model("model")


@pytest.fixture(scope="session")
def baseline(request: pytest.FixtureRequest) -> LanguageModel:
    """The model it was tuned from, ``--baseline``; asked as `candidate` is.

    ::

        def test_tuning_raised_it(candidate, baseline):
            pair = [("Aspirin is", " an analgesic")]
            assert candidate.loglikelihood(pair)[0] > baseline.loglikelihood(pair)[0]
    """
    return _run(request, "baseline").language_model("baseline")


@pytest.fixture(scope="session")
def finetuned(pytestconfig: pytest.Config) -> Callable[..., FineTuned]:
    """``finetuned(method, base=…, data=…)``: the tuned model, trained in the first run and kept for the next ones.

    ::

        from pytest_forgetting import assert_retained, compare
        from pytest_forgetting.training import SAFE, FullFineTune

        def test_our_recipe_passes_the_gate(finetuned):
            tuned = finetuned(FullFineTune(SAFE), base="./base", data="domain.jsonl")
            assert_retained(compare(model=tuned, baseline="./base", suites="suites/"))

    Takes ``seed=``, ``max_length=`` and ``use_cpu=`` as `training.finetune` does; see `training.cached`.
    """
    from pytest_forgetting.training.cached import finetuned

    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
    if capture is None or hasattr(pytestconfig, "workerinput"):
        return finetuned

    def seen(*arguments: Any, **options: Any) -> FineTuned:
        with capture.global_and_fixture_disabled():  # a training takes minutes: its progress is for whoever waits
            return finetuned(*arguments, **options)

    return seen


def _run(request: pytest.FixtureRequest, wanted: str) -> ForgettingRun:
    """The run that has found the models; without one the test is skipped."""
    run: ForgettingRun | None = request.config.pluginmanager.get_plugin(ACTIVE)
    if run is None or (wanted == "model" and not run.gated):
        pytest.skip("no model to ask: name it, pytest --model REF --baseline REF")
    return run

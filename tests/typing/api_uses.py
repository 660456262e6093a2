"""The public API as users write it. Nothing runs this file: mypy and pyright read it, both as strictly as they can."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_forgetting
from pytest_forgetting import (
    CannotAnswer,
    CaseResult,
    Comparison,
    Forgetting,
    ForgettingCallback,
    ForgettingError,
    Forgotten,
    LanguageModel,
    NotFound,
    ScopeResult,
    Suite,
    SuiteError,
    SuiteResult,
    WrongUsage,
    assert_retained,
    check,
    compare,
    load_suite,
    testing,
    training,
)

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import TrainingArguments


def in_a_test(forgetting: Forgetting, candidate: LanguageModel, baseline: LanguageModel) -> None:
    """Fixtures bear public types."""
    result: Comparison = forgetting.compare("suites/math.yaml")
    assert_retained(result, max_drop=0.05)
    assert_retained(forgetting.compare([Path("a.yaml"), "b.yaml"], max_drop="5%"))
    assert result.category("algebra").accuracy_drop <= 0
    assert result["cap-fr"].outcome == "retained"
    said: list[str] = candidate.generate(["Write one sentence."], max_new_tokens=20, stop="\n")
    baseline.generate([[{"role": "user", "content": "Hello"}]], stop=["\n", "."])
    nats: list[float] = baseline.loglikelihood([("The capital of France is", " Paris")])
    ref: str = candidate.ref + candidate.fingerprint
    print(said, nats, ref)


def from_python(ask: LanguageModel) -> None:
    """References, functions, suites and cases."""

    def answer(prompts: list[str]) -> list[str]:
        return ask.generate(prompts)

    suite: Suite = load_suite(Path("math.yaml"))
    compare(model="./ckpt", suites=suite)
    compare(model=Path("ckpt"), baseline=answer, suites=["suites/", suite], max_drop=0.1, device="cpu", no_store=True)
    compare(model=answer, baseline=answer, suites=[{"question": "2 + 2?", "answer": 4}])


def loaded(model: object, tokenizer: object) -> None:
    """A pair of whatever types transformers and peft give."""
    compare(model=(model, tokenizer), baseline="base", suites="suites/")


def in_a_trainer() -> None:
    """The gate while a model is trained."""
    callback = ForgettingCallback("suites/", every=100, max_drop="5%", stop=False, baseline="./base", device="cpu")
    print(callback.last_good_checkpoint, callback.comparison)


def reading(result: Comparison) -> Sequence[float]:
    """Figures of the whole, of suites and of categories have the same names."""
    suite: SuiteResult = result.suite("Math")
    scope: ScopeResult = suite.category("algebra")
    case: CaseResult = suite["sum-1"]
    cases: list[CaseResult] = [*result, *suite, *result.results]
    print(case.model.answer, case.baseline.correct, case.case.id, cases)
    decision: str = result.decision
    assert decision + str(result)
    return [each.accuracy_drop + each.retention + each.n + each.forgotten for each in (result, suite, scope)]


def tuning() -> Path:
    """Methods are values, around one another too; what comes out is a folder."""
    recipe: training.Recipe = training.SAFE if training.RISKY.learning_rate > 0 else training.Recipe(1e-5, epochs=1)
    around = (training.FullFineTune(recipe), training.LoRA(recipe))
    replay = training.Replay(around[0], share=0.1)
    for method in (*around, replay, training.EWC(around[1], strength=1.0), training.KLToBase(replay)):
        tuned: training.FineTuned = training.finetune("./base", "domain.jsonl", method=method, output_dir="ckpt")
        losses: list[float] = [loss.loss for loss in tuned.losses]
        print(losses, tuned.manifest["data"])
    return training.finetune("demo:base", [{"question": "2 + 2?", "answer": "4"}], output_dir=Path("ckpt")).path


def with_transformers(arguments: TrainingArguments, adapted: PeftModel) -> list[str]:
    """Looks at what others train with."""
    warnings.simplefilter("error", training.ForgettingWarning)
    trainable: str = training.assert_base_frozen(adapted)
    return [trainable, *training.check_arguments(arguments, kind="lora")]


def trying_a_suite(path: Path) -> list[str]:
    """Given answers, without a model."""
    suite: testing.Suite = testing.load_suite(path)
    first: testing.Case = testing.case(suite, "capital-of-france")
    judged: testing.Grade = testing.grade(first, "It is Paris.", finish="length")
    short: testing.SuiteCheck = testing.check("word-count", {"max": 20})
    assert judged.correct
    assert not judged.why
    assert short.holds("Paris.")
    assert (~short).holds("Paris.", finish="stop")
    assert testing.matches("number", "105", "one hundred and five")
    findings: list[testing.Finding] = testing.lint([path, suite], training_data="train.jsonl")
    return [f"{finding.file}:{finding.line} {finding.kind} {finding.detail}" for finding in findings]


@check("polite")
def polite(answer: str) -> bool:
    """A check of one's own."""
    return "please" in answer


def errors(result: Comparison) -> Comparison:
    """What is raised, and what it carries."""
    try:
        assert_retained(result)
    except Forgotten as forgotten:
        return forgotten.comparison
    except (CannotAnswer, NotFound, SuiteError, WrongUsage) as error:
        raise RuntimeError(str(error)) from error
    except ForgettingError:
        return pytest_forgetting.compare(model="./ckpt", suites="suites/")
    return result

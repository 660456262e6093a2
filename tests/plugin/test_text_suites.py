"""Text suites from the command line: cross-entropy and divergence, reported, and gated only where that was asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.plugin.real_runs import PAIR, rounded, run
from tests.recordings import record_all, scored
from tests.scoring import divergence, loglikelihood
from tests.tiny_models import tiny_adapter, tiny_llama

TEXTS = (
    "The capital of France is Paris.",
    "Rome, and not Milan, is the capital of Italy; 15 multiplied by 7 is 105.",
    "Ä ö ü – “quoted”: €",
    "What is 15? " * 5,
)
LONG = "The capital of France is Paris. " * 12


def write(folder: Path, head: str = "", texts: tuple[str, ...] = TEXTS) -> Path:
    """A suite of texts; those with an even number are of another category."""
    rows = [{"id": f"t{n}", "text": text, "category": "ab"[n % 2]} for n, text in enumerate(texts)]
    suite = folder / "s.yaml"
    suite.write_text(f"forgetting: text\nname: Prose\n{head}cases: {json.dumps(rows)}\n")
    return suite


@pytest.fixture
def models(pytester: pytest.Pytester) -> Path:
    """Two models and a suite."""
    tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "tuned", seed=2)
    write(pytester.path)
    return pytester.path


class Alone:
    """What transformers says of the texts."""

    def __init__(self, folder: Path, adapter: Path | None = None) -> None:
        """Load the model in `folder`, with the adapter."""
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        if adapter is not None:
            self.model = peft.PeftModel.from_pretrained(self.model, str(adapter))

    def ids(self, text: str) -> list[int]:
        """Behind the token that a text begins with."""
        return [self.tokenizer.bos_token_id, *self.tokenizer(text)["input_ids"]]

    def losses(self) -> Any:
        """Negative log-likelihoods of all texts, in nats."""
        return np.array([-loglikelihood(self.model, self.ids(text)[:1], self.ids(text)[1:]) for text in TEXTS])


def test_the_report_is_what_transformers_says(pytester: pytest.Pytester, models: Path) -> None:
    """Cross-entropy per byte, its increase with the interval of a ratio of sums, and KL per token."""
    _, report = run(pytester, *PAIR, "--forgetting-confidence", "0.9")
    had, has = Alone(models / "base"), Alone(models / "tuned")
    before, now = had.losses(), has.losses()
    size = sum(len(text.encode()) for text in TEXTS)
    ratio = now.sum() / before.sum()
    error = np.std(now - ratio * before, ddof=1) / np.sqrt(len(TEXTS)) / before.mean()
    low, high = stats.t.interval(0.9, len(TEXTS) - 1, loc=ratio - 1, scale=error)
    nats = sum(divergence(had.model, has.model, had.ids(text)) for text in TEXTS)
    tokens = sum(len(had.ids(text)) - 1 for text in TEXTS)
    (suite,) = report["suites"]
    drift = suite["drift"]
    assert (suite["n"], drift["bytes"], suite["verdict"]) == (len(TEXTS), size, "reported")
    assert drift["baseline_nats_per_byte"] == pytest.approx(before.sum() / size, rel=1e-5)
    assert drift["model_nats_per_byte"] == pytest.approx(now.sum() / size, rel=1e-5)
    assert (drift["increase"], drift["increase_low"], drift["increase_high"]) == pytest.approx(
        (ratio - 1, low, high), abs=1e-5
    )
    assert drift["kl_nats_per_token"] == pytest.approx(nats / tokens, rel=1e-4)
    assert sum(case["tokens"] for case in report["cases"]) == tokens
    assert {case["outcome"] for case in report["cases"]} == {"measured"}
    assert [case["prompt"] for case in report["cases"]] == list(TEXTS)


def test_the_table_shows_the_same_numbers(pytester: pytest.Pytester, models: Path) -> None:
    """Nats per byte in the place of accuracies; suite and categories, each with its KL; no gate, and exit 0."""
    result, report = run(pytester, *PAIR)
    assert result.ret == 0
    result.assert_outcomes(passed=len(TEXTS))
    for scope in (report["suites"][0], *report["suites"][0]["categories"]):
        drift = scope["drift"]
        told = (
            f"*{scope['name']}*{scope['n']}*{drift['baseline_nats_per_byte']:.3f}*{drift['model_nats_per_byte']:.3f}*"
        )
        told += f"{drift['increase'] * 100:+.1f} %*nats per byte; KL {drift['kl_nats_per_token']:.3f} nats a token"
        result.stdout.fnmatch_lines([told.replace("-", "−")])
    result.stdout.fnmatch_lines(["*, 4 measured"])


def test_an_adapter_diverges_from_its_own_base(pytester: pytest.Pytester, models: Path) -> None:
    """The pair shares its weights: KL is that of the adapter switched on and off."""
    adapter = tiny_adapter(models / "adapter", models / "base")
    _, report = run(pytester, "--model=./adapter")
    had, has = Alone(models / "base"), Alone(models / "base", adapter)
    for case, text in zip(report["cases"], TEXTS, strict=True):
        assert case["kl_nats"] == pytest.approx(divergence(had.model, has.model, had.ids(text)), rel=1e-4)
        assert case["kl_nats"] > 0


def test_a_gate_appears_with_a_limit_only(pytester: pytest.Pytester, models: Path) -> None:
    """It is an item, it fails beyond the limit and says both numbers; KL stands beside the verdict still."""
    _, free = run(pytester, *PAIR)
    increase = free["suites"][0]["drift"]["increase"]
    baseline, model = PAIR if increase > 0 else ("--model=./base", "--baseline=./tuned")
    write(models, "gate: {max_increase: 100}\n")
    passed, report = run(pytester, baseline, model)
    grown = report["suites"][0]["drift"]["increase"]
    assert passed.ret == 0
    passed.assert_outcomes(passed=len(TEXTS) + 1)
    write(models, f"gate: {{max_increase: {grown / 2:.6f}}}\n")
    failed, report = run(pytester, baseline, model)
    assert failed.ret == 1
    failed.assert_outcomes(passed=len(TEXTS), failed=1)
    told = f"FAIL  cross-entropy {grown * 100:+.1f} %, > {grown / 2 * 100:.1f} %"
    failed.stdout.fnmatch_lines([f"*Prose: {told} over 4 texts*", f"*Prose*{told}; KL * nats a token"])
    assert report["suites"][0]["max_increase"] == pytest.approx(grown / 2, abs=1e-6)
    assert report["decision"] == "fail"


@pytest.mark.parametrize(("rule", "code"), [("significant", 1), ("proven", 1), ("threshold", 0)])
def test_a_rule_on_the_command_line_counts_for_texts_too(
    pytester: pytest.Pytester, models: Path, rule: str, code: int
) -> None:
    """One text proves nothing, whatever is measured on it: an undecided run measured nothing and is red."""
    write(models, "gate: {max_increase: 100}\n", TEXTS[:1])
    result, report = run(pytester, *PAIR, "--forgetting-rule", rule)
    assert result.ret == code
    drift = report["suites"][0]["drift"]
    assert (drift["increase_low"], drift["increase_high"]) == (None, None)


def test_a_text_beyond_the_context_is_measured(pytester: pytest.Pytester) -> None:
    """In windows, each token once; divergence too."""
    for name, seed in (("base", 1), ("tuned", 2)):
        tiny_llama(pytester.path / name, seed=seed, max_position_embeddings=64)
    write(pytester.path, texts=(LONG,))
    result, report = run(pytester, *PAIR)
    assert result.ret == 0
    (case,) = report["cases"]
    assert case["outcome"] == "measured"
    assert case["tokens"] == len(Alone(pytester.path / "base").ids(LONG)) - 1 > 64


def test_models_of_two_vocabularies_are_compared_by_byte_alone(pytester: pytest.Pytester, models: Path) -> None:
    """Other tokens of the same text: cross-entropy per byte is comparable, KL is not, and is left out."""
    words: Any = AutoTokenizer.from_pretrained(models / "tuned")
    words.add_tokens(["capital"])
    tiny_llama(models / "tuned", seed=2, tokenizer=words)
    result, report = run(pytester, *PAIR)
    assert report["suites"][0]["drift"]["kl_nats_per_token"] is None
    assert report["suites"][0]["drift"]["model_nats_per_byte"] > 0
    assert "KL" not in result.stdout.str().partition("Prose")[2].splitlines()[0]


def test_a_second_run_asks_nobody(pytester: pytest.Pytester, models: Path) -> None:
    """Scores and divergence come from the store."""
    _, first = run(pytester, *PAIR)
    _, second = run(pytester, *PAIR)
    assert (first["timing"]["model_computed"], second["timing"]["model_computed"]) == (len(TEXTS), 0)
    assert {**first, "timing": 0} == {**second, "timing": 0}
    assert second["suites"][0]["drift"]["kl_nats_per_token"] is not None


def test_workers_report_the_same(pytester: pytest.Pytester, models: Path) -> None:
    """Under xdist every text is scored once in all workers together, and the numbers are the same, KL among them."""
    write(models, "gate: {max_increase: 100}\n")
    together_result, together = run(pytester, *PAIR, "-n", "2", "--forgetting-no-store")
    _, alone = run(pytester, *PAIR, "--forgetting-no-store")
    together_result.assert_outcomes(passed=len(TEXTS) + 1)
    assert together["timing"]["model_computed"] == len(TEXTS)
    assert together["suites"][0]["drift"]["kl_nats_per_token"] > 0
    assert {**together, "timing": 0} == {**alone, "timing": 0}


def without_divergence(report: dict[str, Any]) -> list[Any]:
    """The cases less what only two live models can tell."""
    return [
        {name: value for name, value in case.items() if name not in ("kl_nats", "tokens")} for case in report["cases"]
    ]


def test_recorded_texts_compare_as_the_models_did(pytester: pytest.Pytester, models: Path) -> None:
    """Cross-entropy is the same but for rounding; divergence needs both models at hand and is left out."""
    _, live = run(pytester, *PAIR, "--forgetting-record", "new.json")
    run(pytester, "--baseline=./base", "--forgetting-record", "old.json")
    result, again = run(pytester, "--model=new.json", "--baseline=old.json")
    had, has = ({**report["suites"][0]["drift"], "kl_nats_per_token": 0} for report in (live, again))
    assert has == pytest.approx(had, abs=1e-5)
    assert again["suites"][0]["drift"]["kl_nats_per_token"] is None
    assert rounded(without_divergence(again)) == rounded(without_divergence(live))
    assert "KL" not in result.stdout.str().partition("Prose")[2].splitlines()[0]


def test_a_recording_of_another_text_is_refused(pytester: pytest.Pytester) -> None:
    """The message shows both, and not all of them where they are long."""
    suite = write(pytester.path, texts=("Once upon a time.",))
    for name in ("old.json", "new.json"):
        record_all(pytester.path / name, suite, {"t0": scored(-20.0)})
    write(pytester.path, texts=("Twice " * 1000,))
    result, _ = run(pytester, "--model=new.json", "--baseline=old.json")
    assert result.ret == 4
    told = "  *: 't0': text 'Once upon a time.' recorded, 'Twice Twice *… asked"
    result.stdout.fnmatch_lines([told])
    assert max(map(len, result.outlines)) < 600


def test_a_model_of_nans_measures_nothing(pytester: pytest.Pytester, models: Path) -> None:
    """Texts unanswered with their reason, an undecided gate, and a report that every reader of JSON takes."""
    import torch

    broken: Any = AutoModelForCausalLM.from_pretrained(models / "tuned")
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    broken.save_pretrained(models / "tuned")
    write(models, "gate: {max_increase: 0.1}\n")
    result, report = run(pytester, *PAIR, "-rs")
    assert result.ret == 1
    assert {case["outcome"] for case in report["cases"]} == {"unanswered"}
    assert report["suites"][0]["verdict"] == "inconclusive"
    result.stdout.fnmatch_lines(["*model unanswered: the model's logits are not numbers (NaN)*"])

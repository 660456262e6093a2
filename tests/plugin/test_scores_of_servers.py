"""Log-likelihoods that servers give: those of the same models here, or none, and then it is said."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from tokenizers.processors import TemplateProcessing

from tests.plugin.real_runs import run
from tests.plugin.served_suites import QUESTIONS, findings, line, said, write_choices, write_questions, write_texts
from tests.serving import TinyVLLM, serving
from tests.tiny_models import tiny_llama, tiny_tokenizer


def test_choices_are_scored_as_they_are_here(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """Behind as many tokens as the prompt has by itself, whatever token stands across the border."""
    write_choices(pytester.path)
    _, report = run(pytester, f"--model={server.ref('base')}", f"--baseline={folders['base']}")
    for here, there in zip(said(report, "baseline").values(), said(report, "model").values(), strict=True):
        assert there["loglikelihoods"] == pytest.approx(here["loglikelihoods"], abs=1e-4)
    assert len(report["cases"]) == 3


def test_texts_are_scored_as_they_are_here(pytester: pytest.Pytester, folders: Mapping[str, Path]) -> None:
    """Behind the token that the tokenizer puts before a text."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    opened = tiny_llama(pytester.path / "opened", tokenizer=tokenizer)
    write_texts(pytester.path)
    with serving(TinyVLLM({"opened": opened})) as server:
        _, report = run(pytester, f"--model={server.ref('opened')}", f"--baseline={opened}")
    drift = report["suites"][0]["drift"]
    assert drift["model_nats_per_byte"] == pytest.approx(drift["baseline_nats_per_byte"], abs=1e-5)


def test_texts_whose_first_token_nobody_scores(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """Where nothing stands before it a server gives nothing: two servers are compared, one and a model here are not."""
    write_texts(pytester.path)
    result, report = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={folders['base']}")
    assert (result.ret, report) == (4, {})
    result.stdout.fnmatch_lines(["*s.yaml: *#tuned gives no log-likelihood of a text's first token*"])
    _, report = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    assert report["suites"][0]["drift"]["increase"] != 0


def test_a_server_without_scores_cannot_answer_choices(pytester: pytest.Pytester, folders: Mapping[str, Path]) -> None:
    """One that leaves `echo` out of account would make all choices equally likely: it is told apart before."""
    write_choices(pytester.path)
    with serving(TinyVLLM(folders, echo=False)) as server:
        result, report = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
        told = f"*s.yaml: a choice suite goes by log-likelihoods, and {server.ref('base')} gives no log-likelihoods of*"
    assert (result.ret, report) == (4, {})
    result.stdout.fnmatch_lines([told])


def test_choices_behind_chats_are_scored_in_plain_text(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """No server scores what stands behind its template: both sides are asked without, and that is told."""
    write_choices(pytester.path)
    _, report = run(pytester, f"--model={server.ref('tuned-chat')}", f"--baseline={server.ref('chat')}")
    assert len(report["cases"]) == 3
    assert "choices are scored behind plain text, as servers score no chats" in findings(report, "endpoint")[0]


def test_choices_are_not_compared_in_two_forms(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """A model here scores them behind its template: only in plain text are both asked alike."""
    write_choices(pytester.path)
    pair = (f"--model={server.ref('tuned-chat')}", f"--baseline={folders['chat']}")
    result, report = run(pytester, *pair)
    assert (result.ret, report) == (4, {})
    told = "*s.yaml: the other side scores choices behind its chat template, *; ask both alike: --chat-template none*"
    result.stdout.fnmatch_lines([told])
    assert len(run(pytester, *pair, "--chat-template=none")[1]["cases"]) == 3


def test_causes_are_found_where_the_server_scores(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """What the baseline says here and the model elsewhere: the right answer's likelihood is asked of both."""
    write_questions(pytester.path)
    pair = (f"--model={folders['tuned']}", f"--baseline={folders['base']}")
    _, local = run(pytester, *pair)
    accepted = {case["id"]: case["baseline"]["answer"].split()[0] for case in local["cases"]}
    rows = [line({"id": f"q{n}", "question": text, "answer": accepted[f"q{n}"]}) for n, text in enumerate(QUESTIONS)]
    text = "forgetting: qa\nmax_new_tokens: 12\nmatch: contains\ncases:\n  - " + "\n  - ".join(rows) + "\n"
    (pytester.path / "s.yaml").write_text(text)
    _, local = run(pytester, *pair)
    _, served = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    assert [case["cause"] for case in served["cases"]] == [case["cause"] for case in local["cases"]]
    assert [case["outcome"] for case in served["cases"]].count("forgotten") > 0
    told = [[case.get("right_answer") for case in report["cases"]] for report in (served, local)]
    for there, here in zip(*told, strict=True):
        assert there == (here and pytest.approx(here, abs=1e-4))

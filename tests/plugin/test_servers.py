"""Servers in the place of models, asked as a user would ask them: their answers are those of the same models here."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting import Comparison, compare
from tests.plugin.real_runs import run
from tests.plugin.served_suites import QUESTIONS, findings, said, write_questions
from tests.serving import TinyVLLM, serving
from tests.tiny_models import END, scripted_llama, tiny_tokenizer


@pytest.mark.parametrize("name", ["base", "chat"])
def test_answers_are_those_of_the_same_model_here(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path], name: str
) -> None:
    """Texts, ends and grades; plain prompts through completions, chats where the tokenizer has a template."""
    write_questions(pytester.path)
    _, report = run(pytester, f"--model={server.ref(name)}", f"--baseline={folders[name]}")
    assert said(report, "model") == said(report, "baseline")
    assert len({each["answer"] for each in said(report, "model").values()}) > 1
    route = "/chat/completions" if name == "chat" else "/completions"
    assert f"asked by {route}, " in findings(report, "endpoint")[0]
    assert {each.path for each in server.asked[2:]} == {f"/v1{route}"}


def test_a_stop_string_ends_an_answer(pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]) -> None:
    """It is sent, left out of the answer, and told as its end."""
    write_questions(pytester.path, 'stop: ["\\u000b", "<", "o"]\n')
    _, report = run(pytester, f"--model={server.ref('base')}", f"--baseline={folders['base']}")
    assert said(report, "model") == said(report, "baseline")
    assert "stop" in {each["finish"] for each in said(report, "model").values()}


def test_a_pair_on_one_server_is_asked_at_once(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """More requests in flight than one side has cases."""
    server._latency = 0.05
    write_questions(pytester.path)
    _, report = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    assert said(report, "model") != said(report, "baseline")
    assert server.most_in_flight > len(QUESTIONS)
    assert {each.body["model"] for each in server.asked if each.body.get("stop")} == {"base", "tuned"}


def test_one_request_at_a_time(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """`--batch-size` says how many are in flight."""
    write_questions(pytester.path)
    run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}", "--batch-size=1")
    assert server.most_in_flight == 1


def test_plain_text_by_choice(pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]) -> None:
    """`--chat-template none` asks a chat model's server for completions."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('chat')}", f"--baseline={folders['chat']}")
    _, report = run(pytester, *pair, "--chat-template=none")
    assert said(report, "model") == said(report, "baseline")
    assert {each.path for each in server.asked} == {"/v1/completions"}
    assert "in plain text (--chat-template none)" in findings(report, "endpoint")[0]


def test_chats_on_one_side_only_are_told(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A base without and a tuning with a template are asked in two forms."""
    write_questions(pytester.path)
    _, report = run(pytester, f"--model={server.ref('tuned-chat')}", f"--baseline={server.ref('base')}")
    told = "the model is asked through a chat template, the baseline in plain text; --chat-template none asks both so"
    assert findings(report, "chat-template") == [told]


def test_a_template_on_a_server_and_none_here(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """The same is told where only one of the two is a server's; of two templates nobody knows whether they differ."""
    write_questions(pytester.path)
    _, mixed = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={folders['chat']}")
    told = "the baseline is asked through a chat template, the model in plain text; --chat-template none asks both so"
    assert findings(mixed, "chat-template") == [told]
    _, alike = run(pytester, f"--model={server.ref('tuned-chat')}", f"--baseline={folders['chat']}")
    assert not findings(alike, "chat-template")


def test_template_arguments_are_sent(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Thoughts are switched off by the names that templates have for it."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned-chat')}", f"--baseline={server.ref('chat')}")
    run(pytester, *pair, "--think=off", '--chat-template-kwargs={"style": 1}')
    sent = [each.body["chat_template_kwargs"] for each in server.asked]
    assert sent == [{"enable_thinking": False, "thinking": False, "style": 1}] * len(sent)


def test_another_template_cannot_be_chosen(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A server applies its own."""
    write_questions(pytester.path)
    result, _ = run(
        pytester, f"--model={server.ref('chat')}", f"--baseline={server.ref('chat')}", "--chat-template=model"
    )
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --chat-template model: *#chat is a server, which applies its own template*"])


def test_samples_are_drawn_by_seeds(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Each sample by another one, and the same in each run."""
    write_questions(pytester.path, "samples: 3\ntemperature: 0.9\n")
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    _, first = run(pytester, *pair)
    seeds = [each.body["seed"] for each in server.asked if each.body["temperature"]]
    assert len(set(seeds)) == 3 * len(QUESTIONS)  # shared by both sides
    _, second = run(pytester, *pair)
    assert first["cases"] == second["cases"]
    assert not [each for each in first["audit"] if "seed" in each["detail"]]


def test_a_server_that_ignores_seeds_is_told(pytester: pytest.Pytester, folders: Mapping[str, Path]) -> None:
    """One sample of each model is asked again."""
    write_questions(pytester.path, "samples: 2\ntemperature: 3.0\n")
    with serving(TinyVLLM(folders, seeds=False)) as server:
        _, report = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    told = "asked again with the same seed it drew another answer: samples will differ from run to run"
    assert [each for each in findings(report, "endpoint") if each.endswith(told)]


def test_what_a_server_cannot_be_told(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """How a model is loaded is decided where it is started."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    _, report = run(pytester, *pair, "--dtype=bfloat16", "--quantization=8bit")
    told = "--dtype bfloat16 and --quantization 8bit cannot be told to a server: it answers as it was started"
    assert findings(report, "endpoint")[-1] == told


def test_fixtures_ask_a_server(pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]) -> None:
    """`candidate` generates and scores as the same model here does, `forgetting` compares."""
    pytester.makepyfile(
        """
        PAIRS = [("The capital of", " France"), ("Rome is ", "the")]

        def test_both(candidate, baseline, forgetting):
            assert candidate.generate(["Rome", "Paris"]) == baseline.generate(["Rome", "Paris"])
            there, here = candidate.loglikelihood(PAIRS), baseline.loglikelihood(PAIRS)
            assert all(abs(a - b) < 1e-4 for a, b in zip(there, here, strict=True))
            result = forgetting.compare([{"question": "Who?", "answer": "me"}])
            assert result.forgotten == 0
        """
    )
    pair = (f"--model={server.ref('base')}", f"--baseline={folders['base']}", "--device=cpu", "-p", "no:randomly")
    pytester.runpytest_inprocess(*pair, "--forgetting-store=store").assert_outcomes(passed=1)


def test_thoughts_have_a_budget_of_their_own(pytester: pytest.Pytester) -> None:
    """An answer that its thoughts have used up is asked again with both budgets; the thoughts are not graded."""
    chat = tiny_tokenizer(chat_template="{{ messages[-1].content }}")
    chat.add_tokens(["<think>", "</think>"])
    wise = scripted_llama(pytester.path / "wise", ("?", "<think>", "a", "b", "</think>", "x", END), tokenizer=chat)
    lost = scripted_llama(pytester.path / "lost", ("?", "<think>", "a", "b", "a"), tokenizer=chat)
    (pytester.path / "s.yaml").write_text(
        "forgetting: qa\nthink_tokens: 8\nmax_new_tokens: 2\ncases:\n  - {id: q, question: 'who?', answer: x}\n"
    )
    with serving(TinyVLLM({"wise": wise, "lost": lost})) as server:
        _, report = run(pytester, f"--model={server.ref('wise')}", f"--baseline={wise}")
        assert said(report, "model") == said(report, "baseline")
        assert report["cases"][0]["outcome"] == "retained"
        assert [each.body["max_tokens"] for each in server.asked[1:]] == [2, 10]
        _, report = run(pytester, f"--model={server.ref('lost')}", f"--baseline={server.ref('wise')}")
    assert report["cases"][0]["model"]["why"] == "the model's thoughts did not end within think_tokens: 8"


def test_where_an_event_loop_runs_already(server: TinyVLLM, folders: Mapping[str, Path]) -> None:
    """As in a notebook, whose cells are run by one."""

    async def cell() -> Comparison:
        cases = [{"question": text, "answer": "Paris"} for text in QUESTIONS]
        return compare(model=server.ref("tuned"), baseline=folders["base"], suites=cases, no_store=True, device="cpu")

    assert asyncio.run(cell()).unknown == len(QUESTIONS)

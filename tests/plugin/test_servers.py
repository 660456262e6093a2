"""Servers in the place of models, asked as a user would ask them: their answers are those of the same models here."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from tokenizers.processors import TemplateProcessing

from tests.plugin.real_runs import run
from tests.serving import Asked, Said, TinyVLLM, serving
from tests.tiny_models import TEXTS, tiny_llama, tiny_tokenizer

TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}answer:{% endif %}"
)
QUESTIONS = ["What is the capital of France?", "What is 15 multiplied by 7?", "Who?", "Where is Rome? Ω 🙂", "a b c"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Four tiny models: a base and its tuning, and the same with a chat template."""
    here = tmp_path_factory.mktemp("models")
    chat = tiny_tokenizer(chat_template=TEMPLATE)
    return {
        "base": tiny_llama(here / "base", seed=0),
        "tuned": tiny_llama(here / "tuned", seed=1),
        "chat": tiny_llama(here / "chat", seed=0, tokenizer=chat),
        "tuned-chat": tiny_llama(here / "tuned-chat", seed=1, tokenizer=chat),
    }


@pytest.fixture
def server(folders: Mapping[str, Path]) -> Iterator[TinyVLLM]:
    """All four, served."""
    with serving(TinyVLLM(folders)) as served:
        yield served


def _row(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


def write_questions(folder: Path, head: str = "") -> None:
    """A suite of five questions, `s.yaml`; the answers are what nobody says."""
    rows = [_row({"id": f"q{n}", "question": text, "answer": "Paris"}) for n, text in enumerate(QUESTIONS)]
    (folder / "s.yaml").write_text(
        f"forgetting: qa\nmax_new_tokens: 12\n{head}cases:\n  - " + "\n  - ".join(rows) + "\n"
    )


def write_choices(folder: Path) -> None:
    """Choices whose tokens run over the border to the prompt, begin with blanks, and hold other scripts."""
    rows = [
        {"prompt": TEXTS[0][:20], "choices": ["is", "of France", "Ω", "🙂 and more"], "answer": 1},
        {"prompt": "What is 15 multiplied by ", "choices": ["7", " 7?", "105."], "answer": 0},
        {"prompt": "<s>Rome", "choices": ["is", "the capital of Italy."], "answer": 1},
    ]
    cases = "\n  - ".join(_row({"id": f"c{n}", **row}) for n, row in enumerate(rows))
    (folder / "s.yaml").write_text(f"forgetting: choice\ncases:\n  - {cases}\n")


def said(report: Mapping[str, Any], side: str) -> dict[str, Any]:
    """What one side of a report says, by case."""
    return {case["id"]: {**case[side], "near_tie": None} for case in report["cases"]}


def findings(report: Mapping[str, Any], name: str) -> list[str]:
    """Details of the findings of one kind."""
    return [each["detail"] for each in report["audit"] if each["finding"] == name]


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


def test_choices_are_scored_as_they_are_here(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """Behind as many tokens as the prompt has by itself, whatever token stands across the border."""
    write_choices(pytester.path)
    _, report = run(pytester, f"--model={server.ref('base')}", f"--baseline={folders['base']}")
    for here, there in zip(said(report, "baseline").values(), said(report, "model").values(), strict=True):
        assert there["loglikelihoods"] == pytest.approx(here["loglikelihoods"], abs=1e-4)
    assert len(report["cases"]) == 3


def write_texts(folder: Path) -> None:
    """Two short texts."""
    (folder / "s.yaml").write_text(f"forgetting: text\ncases:\n  - {{text: {TEXTS[2]}}}\n  - {{text: Ω and o}}\n")


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


def test_answers_under_a_stated_revision_are_kept(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A second run asks nobody, not even whether there are chats; another revision is asked."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}@2", f"--baseline={server.ref('base')}@1")
    _, first = run(pytester, *pair)
    count = len(server.asked)
    _, second = run(pytester, *pair)
    assert len(server.asked) == count
    assert second["timing"]["model_stored"] == len(QUESTIONS)
    assert said(second, "model") == said(first, "model")
    run(pytester, f"--model={server.ref('tuned')}@3", pair[1])
    assert len(server.asked) == count + 1 + len(QUESTIONS) + 1  # and the probe that a pair without chats asks


def test_answers_without_a_revision_are_asked_anew(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """The same name may be served with other weights tomorrow; the report says so."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    run(pytester, *pair)
    asked = len(server.asked)
    _, report = run(pytester, *pair)
    assert len(server.asked) == 2 * asked
    assert "its revision is not stated (#NAME@REVISION)" in findings(report, "endpoint")[0]
    assert report["model"]["fingerprint"] == "revision not stated"


@pytest.mark.parametrize("revision", ["", "@1"])
def test_one_name_on_both_sides(pytester: pytest.Pytester, server: TinyVLLM, revision: str) -> None:
    """Only a stated revision makes two references one model; either way each case is asked once."""
    write_questions(pytester.path)
    ref = server.ref("base") + revision
    _, report = run(pytester, f"--model={ref}", f"--baseline={ref}")
    same = "both references are the same model (equal fingerprints)"
    assert findings(report, "identity") == [same if revision else "all 5 answers of both models are the same"]
    assert len(server.prompts) == len(QUESTIONS)


def test_workers_share_what_one_of_them_asked(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Under xdist each case is asked once, stored or not, and the report is that of one process."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    _, alone = run(pytester, *pair)
    count = len(server.prompts)
    result, report = run(pytester, *pair, "-n", "2")
    assert len(server.prompts) == 2 * count == 4 * len(QUESTIONS)
    assert report["cases"] == alone["cases"]
    assert report["audit"] == alone["audit"]
    result.stdout.no_fnmatch_line("*Traceback*")


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
    told = "the server takes chats for the model only; the baseline is asked in plain text (--chat-template none)"
    assert findings(report, "chat-template") == [told]


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


def test_what_a_server_cannot_be_told(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """How a model is loaded is decided where it is started."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    _, report = run(pytester, *pair, "--dtype=bfloat16", "--quantization=8bit")
    told = "--dtype bfloat16 and --quantization 8bit cannot be told to a server: it answers as it was started"
    assert findings(report, "endpoint")[-1] == told


def test_causes_are_found_where_the_server_scores(
    pytester: pytest.Pytester, server: TinyVLLM, folders: Mapping[str, Path]
) -> None:
    """What the baseline says here and the model elsewhere: the right answer's likelihood is asked of both."""
    write_questions(pytester.path)
    pair = (f"--model={folders['tuned']}", f"--baseline={folders['base']}")
    _, local = run(pytester, *pair)
    accepted = {case["id"]: case["baseline"]["answer"].split()[0] for case in local["cases"]}
    rows = [_row({"id": f"q{n}", "question": text, "answer": accepted[f"q{n}"]}) for n, text in enumerate(QUESTIONS)]
    text = "forgetting: qa\nmax_new_tokens: 12\nmatch: contains\ncases:\n  - " + "\n  - ".join(rows) + "\n"
    (pytester.path / "s.yaml").write_text(text)
    _, local = run(pytester, *pair)
    _, served = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    assert [case["cause"] for case in served["cases"]] == [case["cause"] for case in local["cases"]]
    assert [case["outcome"] for case in served["cases"]].count("forgotten") > 0
    told = [[case.get("right_answer") for case in report["cases"]] for report in (served, local)]
    for there, here in zip(*told, strict=True):
        assert there == (here and pytest.approx(here, abs=1e-4))


def test_a_servers_answers_can_be_recorded(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """The recording stands in for the server, and says that nobody knows which weights answered."""
    write_questions(pytester.path)
    base = server.ref("base")
    run(pytester, f"--baseline={base}", "--forgetting-record=base.json")
    recorded = json.loads((pytester.path / "base.json").read_text())
    assert (recorded["model"]["ref"], recorded["model"]["fingerprint"]) == (base, "revision not stated")
    _, live = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={base}")
    _, replayed = run(pytester, f"--model={server.ref('tuned')}", "--baseline=base.json")
    assert said(replayed, "baseline") == said(live, "baseline")
    _, itself = run(pytester, f"--model={base}", "--baseline=base.json")
    assert findings(itself, "identity") == ["all 5 answers of both models are the same"]


def test_a_recording_without_a_revision_is_not_added_to(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """What stands there may be of other weights."""
    write_questions(pytester.path)
    base = f"--baseline={server.ref('base')}"
    run(pytester, base, "--forgetting-record=base.json")
    (pytester.path / "t.yaml").write_text("forgetting: qa\ncases:\n  - {question: Who?, answer: me}\n")
    result, _ = run(pytester, base, "--forgetting-record=base.json", suite="t.yaml")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*which weights answer as http://*#base is not stated (#NAME@REVISION)*"])


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


def test_an_answer_is_kept_as_it_comes(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """What was answered before the server failed is not asked again."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}@1", f"--baseline={server.ref('base')}@1", "--batch-size=1")
    seen: list[Asked] = []

    def fails_late(asked: Asked) -> Said | None:
        seen.extend([asked] if "Question" in str(asked.body.get("prompt")) else [])
        return Said({"error": "no such key"}, 401) if len(seen) > 6 else None

    server.fault = fails_late
    assert run(pytester, *pair)[0].ret == 3
    server.fault = lambda _: None
    before = len(server.prompts)
    _, report = run(pytester, *pair)
    assert len(server.prompts) - before == 2 * len(QUESTIONS) - 6
    assert report["timing"]["model_stored"] + report["timing"]["baseline_stored"] == 6

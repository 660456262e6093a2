"""The fixtures `forgetting`, `candidate` and `baseline` in somebody's own tests, on real models."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - an in-process pytest would import it anew, and numpy with it

from tests.given_models import PROMPTS, greedy, loaded
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

OPTIONS = ("--model=./tuned", "--baseline=./base", "--device=cpu", "--forgetting-store=store", "-p", "no:randomly")
ASKING = f"""
PROMPTS = {PROMPTS!r}

def test_candidate(candidate):
    with open("candidate.json", "w") as file:
        __import__("json").dump(candidate.generate(PROMPTS, max_new_tokens=9), file)

def test_baseline(baseline):
    with open("baseline.json", "w") as file:
        __import__("json").dump(baseline.generate(PROMPTS, max_new_tokens=9), file)
"""


@pytest.fixture
def models(pytester: pytest.Pytester) -> Path:
    """Two models, and a suite that asks for what the base says."""
    tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "tuned", seed=2)
    rows = [f"  - {{id: c{n}, prompt: 'number {n}', answer: '.', match: regex}}\n" for n in range(4)]
    (pytester.path / "s.yaml").write_text("forgetting: qa\nmax_new_tokens: 6\ncases:\n" + "".join(rows))
    return pytester.path


def stored(folder: Path) -> int:
    """Answers in the store."""
    with sqlite3.connect(folder / "store" / "answers.sqlite") as database:
        return int(database.execute("select count(*) from answers").fetchone()[0])


def test_models_say_what_generate_says(pytester: pytest.Pytester, models: Path) -> None:
    """Both sides, asked for a few tokens."""
    pytester.makepyfile(test_own=ASKING)
    pytester.runpytest_inprocess(*OPTIONS, "test_own.py").assert_outcomes(passed=2)
    for name, folder in (("candidate", "tuned"), ("baseline", "base")):
        assert json.loads((models / f"{name}.json").read_text()) == greedy(*loaded(models / folder), PROMPTS, 9)


def test_what_was_asked_is_not_asked_again(pytester: pytest.Pytester, models: Path) -> None:
    """The store has it: a second run needs no model, not even torch."""
    pytester.makepyfile(test_own=ASKING)
    pytester.makeconftest(
        "import sys\ndef pytest_unconfigure():\n    print('heavy:', sorted({'torch', 'peft'} & set(sys.modules)))\n"
    )
    pytester.runpytest_subprocess(*OPTIONS, "test_own.py").stdout.fnmatch_lines(["heavy: [[]'torch']"])
    assert stored(models) == 2 * len(PROMPTS)
    pytester.runpytest_subprocess(*OPTIONS, "test_own.py").stdout.fnmatch_lines(["heavy: [[]]"])


def test_log_likelihoods_are_those_of_choice_suites(pytester: pytest.Pytester, models: Path) -> None:
    """In nats: a sum of log-softmax over the continuation's tokens."""
    import torch

    model, tokenizer = loaded(models / "tuned")
    before, whole = (tokenizer(text, return_tensors="pt")["input_ids"] for text in ("Rome is", "Rome is the capital"))
    with torch.no_grad():
        logits = model(whole).logits.log_softmax(-1)
    n = before.shape[1]
    wanted = logits[0, n - 1 : -1].gather(-1, whole[0, n:, None]).sum().item()
    pytester.makepyfile(
        test_own="import pytest\n"
        "def test_it(candidate):\n"
        "    one, two = candidate.loglikelihood([('Rome is', ' the capital'), ('Rome is', ' not')])\n"
        f"    assert one == pytest.approx({wanted!r}, abs=1e-3)\n"
        "    assert two != one\n"
    )
    pytester.runpytest_inprocess(*OPTIONS, "test_own.py").assert_outcomes(passed=1)


def test_the_gate_in_a_test_of_ones_own(pytester: pytest.Pytester, models: Path) -> None:
    """The pair of the command line, its options and its store; the run's own suite is not asked again."""
    pytester.makepyfile(
        test_own="from pytest_forgetting import assert_retained\n"
        "def test_kept(forgetting):\n"
        "    result = forgetting.compare('s.yaml')\n"
        "    assert_retained(result)\n"
        "    assert (result.n, result.timing.model_computed, result.timing.model_stored) == (4, 0, 4)\n"
        "    assert result['c1'].outcome == 'retained'\n"
        "    assert result.suites[0].suite.nodeid == 's.yaml'\n"
        "    assert (result.model.ref, result.settings['limit']) == ('./tuned', 4)\n"
    )
    result = pytester.runpytest_inprocess("s.yaml", "test_own.py", *OPTIONS, "--forgetting-limit=4")
    result.assert_outcomes(passed=6)


def test_a_test_that_fails_shows_the_table(pytester: pytest.Pytester, models: Path) -> None:
    """The first line is the decision with its figures; none of the package's own lines are shown."""
    pytester.makepyfile(
        test_own="from pytest_forgetting import assert_retained\n"
        "CASES = [{'prompt': f'number {n}', 'answer': a, 'id': f'c{n}'} for n, a in enumerate(ANSWERS)]\n".replace(
            "ANSWERS", repr([text.split()[0] for text in greedy(*loaded(models / "base"), PROMPTS[:3], 50)])
        )
        + "def test_kept(forgetting):\n    assert_retained(forgetting.compare(CASES), max_drop=0.05)\n"
    )
    result = pytester.runpytest_inprocess(*OPTIONS, "test_own.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *pytest_forgetting.Forgotten: cases: accuracy dropped * points (allowed 5); * forgotten: c*",
            "E *./tuned against ./base · 1 suite · 3 cases",
            "FAILED *::test_kept - pytest_forgetting.Forgotten: cases: accuracy *",
        ]
    )
    result.stdout.no_fnmatch_line("*retained.py*")


def test_relative_paths_start_from_the_rootdir(
    pytester: pytest.Pytester, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folder pytest is started in; else from that one, and a path that is nowhere is told with both."""
    folder = pytester.mkdir("below")
    (models / "pytest.ini").write_text("[pytest]\n")
    (folder / "here.yaml").write_text((models / "s.yaml").read_text())
    (folder / "test_paths.py").write_text(
        "import pytest\n"
        "from pytest_forgetting import WrongUsage\n"
        "@pytest.mark.parametrize('path', ['s.yaml', 'here.yaml'])\n"
        "def test_it(forgetting, path):\n"
        "    assert forgetting.compare(path).n == 4\n"
        "def test_nowhere(forgetting):\n"
        "    with pytest.raises(WrongUsage, match='no such file or folder in .* nor in .*below'):\n"
        "        forgetting.compare('nowhere.yaml')\n"
    )
    monkeypatch.chdir(folder)
    options = [option.replace("./", "../") for option in OPTIONS]
    pytester.runpytest_inprocess(*options, "test_paths.py").assert_outcomes(passed=3)


def test_without_a_model_such_tests_are_skipped(pytester: pytest.Pytester) -> None:
    """With the reason."""
    pytester.makepyfile(test_own=ASKING + "\ndef test_gate(forgetting):\n    assert False\n")
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED *no model to ask: name it, pytest --model REF --baseline REF"])


def test_while_the_baseline_is_recorded_it_alone_can_be_asked(pytester: pytest.Pytester, models: Path) -> None:
    """There is no candidate then."""
    pytester.makepyfile(test_own=ASKING)
    options = [option for option in OPTIONS if "--model" not in option]
    result = pytester.runpytest_inprocess(*options, "--forgetting-record=r.json", "s.yaml", "test_own.py")
    result.assert_outcomes(passed=5, skipped=1)


def test_a_recording_cannot_be_asked(pytester: pytest.Pytester, models: Path) -> None:
    """It has no other answers than those that were recorded; the message says so."""
    pytester.runpytest_inprocess("--baseline=./base", "--forgetting-record=r.json", "s.yaml", "--device=cpu")
    pytester.makepyfile(
        test_own="import pytest\nfrom pytest_forgetting import WrongUsage\n"
        "def test_it(baseline):\n"
        "    with pytest.raises(WrongUsage, match='r.json is a recording|base is a recording'):\n"
        "        baseline.generate(['Hello'])\n"
    )
    options = [option.replace("./base", "r.json") for option in OPTIONS]
    pytester.runpytest_inprocess(*options, "test_own.py").assert_outcomes(passed=1)


def test_a_chat_is_asked_through_the_template(pytester: pytest.Pytester, models: Path) -> None:
    """Texts as a user's turn, messages as they are; in plain text where there is no template."""
    template = "{% for m in messages %}{{ '<s>' + m.role + m.content }}{% endfor %}{{ '<s>assistant' }}"
    tokenizer = tiny_tokenizer(chat_template=template)
    tiny_llama(models / "chatty", seed=2, tokenizer=tokenizer)
    pytester.makepyfile(
        test_own="import json\n"
        "def test_it(candidate):\n"
        "    turn, lead = {'role': 'user', 'content': 'Hello'}, {'role': 'system', 'content': 'Be'}\n"
        "    said = candidate.generate(['Hello', [turn], [lead, turn]], max_new_tokens=8)\n"
        "    json.dump(said, open('said.json', 'w'))\n"
    )
    pytester.runpytest_inprocess("--model=./chatty", *OPTIONS[1:], "test_own.py").assert_outcomes(passed=1)
    said = json.loads((models / "said.json").read_text())
    model, known = loaded(models / "chatty")
    prompts = ["<s>userHello<s>assistant", "<s>systemBe<s>userHello<s>assistant"]
    for text, prompt in zip(said[1:], prompts, strict=True):
        ids = known(prompt, add_special_tokens=False, return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=8, do_sample=False)
        assert text == known.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
    assert said[0] == said[1] != said[2]


def test_a_stop_string_ends_an_answer(pytester: pytest.Pytester, models: Path) -> None:
    """It is left out, one or several of them."""
    text = greedy(*loaded(models / "tuned"), ["number 1"], 9)[0]
    stop = text[3:5]
    pytester.makepyfile(
        test_own=f"def test_it(candidate):\n    for stop in ({stop!r}, [{stop!r}, 'never']):\n"
        "        said = candidate.generate(['number 1'], max_new_tokens=9, stop=stop)\n"
        f"        assert said == [{text.partition(stop)[0]!r}]\n"
    )
    pytester.runpytest_inprocess(*OPTIONS, "test_own.py").assert_outcomes(passed=1)


WRONG = {
    "generate('Hello')": "prompts: found 'Hello'; wanted a list",
    "generate([3])": "prompt: found 3; wanted a text, or messages with 'role'",
    "generate([[{'role': 'robot', 'content': 'x'}]])": "wanted a text, or messages with 'role'",
    "generate([[]])": "prompt: found []; wanted a text, or messages",
    "generate(['x'], max_new_tokens=0)": "max_new_tokens: found 0; wanted a whole number above 0",
    "generate(['x'], max_new_tokens=True)": "max_new_tokens: found True; wanted a whole number above 0",
    "generate({'x': 'y'})": "prompts: found {'x': 'y'}; wanted a list",
    "generate(['x'], stop='')": "stop: found ''; wanted texts",
    "generate(['x'], stop=None)": "stop: found None; wanted texts",
    "loglikelihood(['x'])": "pairs: found 'x'; wanted a context and a continuation",
    "loglikelihood([('x', '')])": "pairs: found ('x', ''); wanted a context and a continuation",
    "loglikelihood('xy')": "pairs: found 'xy'; wanted a list",
}


def test_what_cannot_be_meant_is_told_before_asking(pytester: pytest.Pytester, models: Path) -> None:
    """What was found, and what was wanted."""
    pytester.makepyfile(
        test_own=f"import pytest\nfrom pytest_forgetting import WrongUsage\n"
        f"@pytest.mark.parametrize(('call', 'told'), {list(WRONG.items())!r})\n"
        "def test_it(candidate, call, told):\n"
        "    with pytest.raises(WrongUsage) as caught:\n"
        "        eval('candidate.' + call)\n"
        "    assert told in str(caught.value)\n"
    )
    pytester.runpytest_inprocess(*OPTIONS, "test_own.py").assert_outcomes(passed=len(WRONG))


@pytest.mark.usefixtures("models")
def test_whatever_holds_prompts_is_taken(pytester: pytest.Pytester) -> None:
    """A column of a table or a generator is as good as a list."""
    pytester.makepyfile(
        test_own="import numpy\n"
        "def test_it(candidate):\n"
        "    said = candidate.generate(['a', 'b'])\n"
        "    assert candidate.generate(numpy.array(['a', 'b'])) == said\n"
        "    assert candidate.generate(text for text in 'ab') == said\n"
    )
    pytester.runpytest_inprocess(*OPTIONS, "test_own.py").assert_outcomes(passed=1)


def test_a_prompt_that_cannot_be_answered_is_told(pytester: pytest.Pytester, models: Path) -> None:
    """Such as one that fills the context: an error in that test, and the run goes on."""
    pytester.makepyfile(
        test_own="import pytest\nfrom pytest_forgetting import CannotAnswer\n"
        "def test_it(candidate):\n"
        "    with pytest.raises(CannotAnswer, match='gave no answer to .*: the prompt has [0-9]+ tokens'):\n"
        "        candidate.generate(['long ' * 200])\n"
        "    assert candidate.generate(['short'])\n"
    )
    result = pytester.runpytest_inprocess(*OPTIONS, "test_own.py")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "-n2"])
def test_a_model_that_does_not_load_ends_the_run(pytester: pytest.Pytester, models: Path, workers: tuple[str]) -> None:
    """Once, with exit code 3: that is no failed test."""
    config = models / "tuned" / "config.json"
    config.write_text(config.read_text().replace('"intermediate_size": 32', '"intermediate_size": 48'))
    pytester.makepyfile(
        test_own="import pytest\n"
        "@pytest.mark.parametrize('n', range(9))\n"
        "def test_it(candidate, n):\n"
        "    candidate.generate(['x'])\n"
    )
    result = pytester.runpytest_subprocess(*OPTIONS, *workers, "test_own.py")
    assert result.ret == 3
    assert "forgetting: ./tuned: the weights in" in result.stdout.str()
    assert result.parseoutcomes()["failed"] <= 2


HOLDERS = """
import json, os, time, weakref
import pytest

def note(what):
    with open("held.jsonl", "a") as file:
        file.write(json.dumps([time.monotonic(), os.environ.get("PYTEST_XDIST_WORKER"), what]) + "\\n")

@pytest.fixture(autouse=True, scope="session")
def watched():
    from pytest_forgetting.models.resident import Resident

    load = Resident.load.__func__

    def loading(cls, *args):
        note("load")
        resident = load(cls, *args)
        weakref.finalize(resident.plain, note, "free")
        return resident

    Resident.load = classmethod(loading)
"""


def test_workers_hold_the_models_in_turn(pytester: pytest.Pytester, models: Path) -> None:
    """Tests in both workers ask both models; never are those of two workers in memory at once, and all get answers."""
    pytester.makeconftest(HOLDERS)
    pytester.makepyfile(
        test_own="import os, time, pytest\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(candidate, baseline, n):\n"
        "    assert candidate.generate([f'{n} is']) != baseline.generate([f'{n} is'])\n"
        "    open(f'by-{os.environ[\"PYTEST_XDIST_WORKER\"]}', 'a').write('.')\n"
        "    time.sleep(0.7)\n"  # so that each worker gets some of them, and looks whether the other waits
    )
    result = pytester.runpytest_subprocess(*OPTIONS, "-n2", "s.yaml", "test_own.py")
    result.assert_outcomes(passed=6 + 4 + 1)
    assert {path.name for path in models.glob("by-*")} == {"by-gw0", "by-gw1"}
    held: set[str] = set()
    turns = []
    for _, worker, what in sorted(json.loads(line) for line in (models / "held.jsonl").read_text().splitlines()):
        if what == "load":
            assert not held - {worker}, "two workers held models"
            held.add(worker)
            turns.append(worker)
        else:
            held.discard(worker)
    assert set(turns) == {"gw0", "gw1"}


def test_a_comparison_of_ones_own_takes_over_the_device(pytester: pytest.Pytester, models: Path) -> None:
    """`compare` in a test of a run that holds the device itself does not wait for it; an adapter takes its turn."""
    tiny_adapter(models / "adapter", models / "base")
    pytester.makepyfile(
        test_own="from pytest_forgetting import compare\n"
        "def test_it(candidate):\n"
        "    first = candidate.generate(['one'])\n"
        "    result = compare(model='./adapter', suites='s.yaml', device='cpu', store='other')\n"
        "    assert result.n == 4\n"
        "    assert candidate.generate(['two']) and candidate.generate(['one']) == first\n"
    )
    pytester.runpytest_subprocess(*OPTIONS, "test_own.py", timeout=240).assert_outcomes(passed=1)


def test_they_are_documented(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` says how each is used."""
    pytester.runpytest_inprocess("--fixtures").stdout.fnmatch_lines(
        ["forgetting [[]session scope[]]*", "candidate [[]session scope[]]*", "baseline [[]session scope[]]*"]
    )

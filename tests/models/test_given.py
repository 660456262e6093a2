"""Models that the caller has loaded: asked where they are, left as they were, stored under what they weigh."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

from pytest_forgetting import CannotAnswer, WrongUsage, compare
from pytest_forgetting.models.given import GivenModel, given_model
from tests.given_models import CASES, PROMPTS, greedy, loaded, said, with_adapter
from tests.tiny_models import tiny_adapter, tiny_llama


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder."""
    return tiny_llama(tmp_path_factory.mktemp("given") / "base", seed=1)


@pytest.fixture(scope="module")
def tuned(base: Path) -> Path:
    """Another one."""
    return tiny_llama(base.with_name("tuned"), seed=2)


def fingerprint(model: Any, tokenizer: Any) -> str:
    """Of a loaded model as it is now."""
    return given_model("model", model, tokenizer).fingerprint


def test_a_loaded_model_says_what_its_files_say(base: Path, tuned: Path) -> None:
    """Both sides in memory, both in files, or one of each: the answers are the same, and those of `generate`."""
    in_memory = compare(model=loaded(tuned), baseline=loaded(base), suites=CASES)
    in_files = compare(model=tuned, baseline=base, suites=CASES, device="cpu")
    mixed = compare(model=loaded(tuned), baseline=base, suites=CASES)
    for side, folder in (("model", tuned), ("baseline", base)):
        assert said(in_memory, side) == said(in_files, side) == said(mixed, side)
        assert said(in_memory, side) == greedy(*loaded(folder), PROMPTS, 50)
    assert said(in_memory, "model") != said(in_memory, "baseline")


def test_a_loaded_model_against_its_own_files_differs_in_nothing(base: Path) -> None:
    """The audit compares settings and tokenizer, and finds what it finds between two equal folders."""
    result = compare(model=loaded(base), baseline=base, suites=CASES)
    assert [finding.finding for finding in result.audit] == ["identity"]


def test_weights_that_change_between_two_calls_are_asked_anew(base: Path, tuned: Path) -> None:
    """The same object with other weights has other answers, and the former ones are still in the store."""
    model, tokenizer = loaded(base)
    first = said(compare(model=(model, tokenizer), baseline=tuned, suites=CASES), "model")
    model.load_state_dict(loaded(tuned)[0].state_dict())
    second = said(compare(model=(model, tokenizer), baseline=tuned, suites=CASES), "model")
    model.load_state_dict(loaded(base)[0].state_dict())
    third = said(compare(model=(model, tokenizer), baseline=tuned, suites=CASES), "model")
    assert first == third
    assert first != second == greedy(*loaded(tuned), PROMPTS, 50)


def test_a_fingerprint_is_of_all_that_answers_depend_on(base: Path) -> None:
    """Equal for equal models; another for one changed bit, another end token, or another tokenizer."""
    model, tokenizer = loaded(base)
    told = {fingerprint(model, tokenizer), fingerprint(*loaded(base))}
    assert len(told) == 1
    tokenizer(["a", "much longer"], padding="max_length", truncation=True, max_length=4)
    assert fingerprint(model, tokenizer) in told
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1e-6
    told.add(fingerprint(model, tokenizer))
    model.generation_config.eos_token_id = 7
    told.add(fingerprint(model, tokenizer))
    tokenizer.add_tokens(["number"])
    told.add(fingerprint(model, tokenizer))
    assert len(told) == 4


class Loud(nn.Linear):
    """A layer of the caller's own."""


@pytest.mark.parametrize("how", ["hook", "own layer", "own forward"])
def test_what_weights_do_not_tell_is_not_stored(base: Path, how: str) -> None:
    """Code of the caller's own may change between two calls: such a model never gets an old answer."""
    model, tokenizer = loaded(base)
    if how == "hook":
        model.lm_head.register_forward_hook(lambda *_: None)
    elif how == "own layer":
        model.lm_head.__class__ = Loud
    else:
        model.lm_head.forward = model.lm_head.forward
    given = given_model("model", model, tokenizer)
    assert not given.told_by_its_weights
    assert given.fingerprint != fingerprint(model, tokenizer)


def test_a_steered_model_is_asked_each_time(base: Path) -> None:
    """A hook that changes between two calls changes the answers."""
    model, tokenizer = loaded(base)
    shift = torch.zeros(288)
    model.lm_head.register_forward_hook(lambda _module, _args, out: out + shift)
    first = said(compare(model=(model, tokenizer), baseline=base, suites=CASES), "model")
    shift[:] = torch.linspace(0, 1000, 288)
    second = said(compare(model=(model, tokenizer), baseline=base, suites=CASES), "model")
    assert first == greedy(*loaded(base), PROMPTS, 50)
    assert first != second


def test_a_model_is_left_as_it_was(base: Path) -> None:
    """Modes of all modules, gradients, device, settings, tokenizer and random numbers."""
    model, tokenizer = loaded(base)
    tokenizer.padding_side, tokenizer.pad_token = "right", None
    model.train()
    model.model.layers[0].eval()
    model.model.embed_tokens.weight.requires_grad_(False)
    model.config.use_cache = False
    before = [module.training for module in model.modules()], [p.requires_grad for p in model.parameters()]
    torch.manual_seed(3)
    # numpy declares two forms of the state.
    drawn = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()  # type: ignore[index]
    settings = model.config.to_dict(), model.generation_config.to_dict()
    compare(model=(model, tokenizer), baseline=base, suites=CASES, no_store=True)
    assert before == ([m.training for m in model.modules()], [p.requires_grad for p in model.parameters()])
    assert all(parameter.grad is None for parameter in model.parameters())
    assert settings == (model.config.to_dict(), model.generation_config.to_dict())
    assert (tokenizer.padding_side, tokenizer.pad_token) == ("right", None)
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    # numpy declares two forms of the state.
    assert numpy.random.get_state()[1].tolist() == drawn[2]  # type: ignore[index]


def test_threads_leave_one_model_as_it_was(base: Path) -> None:
    """Two comparisons at once take turns: neither takes the other's evaluation mode for the caller's."""
    model, tokenizer = loaded(base)
    model.train()
    for n in range(3):
        asked = [{"prompt": f"round {n}, number {m}", "answer": "."} for m in range(4)]
        with ThreadPoolExecutor(3) as pool:
            calls = [pool.submit(compare, model=(model, tokenizer), baseline=base, suites=asked) for _ in range(3)]
            answers = [said(call.result(), "model") for call in calls]
        assert answers[0] == answers[1] == answers[2]
        assert all(module.training for module in model.modules())


def test_no_precision_of_the_callers_code_gets_into_answers(base: Path, tuned: Path) -> None:
    """What is kept under float32 was computed in it, also within `autocast`."""
    plain = said(compare(model=tuned, baseline=base, suites=CASES, device="cpu", no_store=True), "model")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        in_files = compare(model=tuned, baseline=base, suites=CASES, device="cpu", no_store=True)
        in_memory = compare(model=loaded(tuned), baseline=base, suites=CASES, no_store=True)
    assert said(in_files, "model") == said(in_memory, "model") == plain


def test_a_compiled_model_says_what_it_says_without(base: Path, tuned: Path) -> None:
    """It is asked uncompiled, and nothing is compiled for it."""
    model, tokenizer = loaded(tuned)
    result = compare(model=(torch.compile(model), tokenizer), baseline=base, suites=CASES)
    assert said(result, "model") == greedy(model, tokenizer, PROMPTS, 50)
    assert result.model.fingerprint == fingerprint(model, tokenizer)


def test_a_base_that_bears_an_adapter_is_named_so(base: Path, tuned: Path) -> None:
    """It speaks through the adapter: nobody shall take its answers for those of the base."""
    model, tokenizer = loaded(base)
    with_adapter(model)
    result = compare(model=tuned, baseline=(model, tokenizer), suites=CASES)
    assert result.baseline.ref == "LlamaForCausalLM that bears an adapter in memory"


def test_what_a_hook_raises_is_told_in_one_line(base: Path) -> None:
    """Whatever it is; the model is left as it was."""
    model, tokenizer = loaded(base)

    def fail(*_: Any) -> None:
        raise KeyError("layer")

    model.lm_head.register_forward_hook(fail)
    model.train()
    with pytest.raises(CannotAnswer, match="LlamaForCausalLM in memory failed while it was asked: KeyError: 'layer'"):
        compare(model=(model, tokenizer), baseline=base, suites=CASES)
    assert model.training


def test_dropout_is_off_while_it_is_asked(base: Path) -> None:
    """A model in training answers as it does in evaluation."""
    model, tokenizer = loaded(tiny_llama(base.with_name("dropping"), seed=1, attention_dropout=0.5))
    model.train()
    assert said(compare(model=(model, tokenizer), baseline=base, suites=CASES, no_store=True), "model") == greedy(
        *loaded(base), PROMPTS, 50
    )


def test_the_baseline_of_an_adapter_is_its_base_by_default(base: Path) -> None:
    """The adapter is switched off for it, and on again afterwards; it trains on as before."""
    adapted = with_adapter(loaded(base)[0])
    trainable = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    tokenizer = loaded(base)[1]
    for asked in (None, "base"):
        result = compare(model=(adapted, tokenizer), baseline=asked, suites=CASES, no_store=True)
        assert said(result, "baseline") == greedy(*loaded(base), PROMPTS, 50)
        assert said(result, "model") == greedy(adapted, tokenizer, PROMPTS, 50) != said(result, "baseline")
    assert trainable == [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]


def test_the_base_is_hashed_alike_with_an_adapter_off_and_without_one(base: Path) -> None:
    """So its answers are found whichever way it is given, and whatever adapter is on it."""
    by_itself = fingerprint(*loaded(base))
    model, tokenizer = loaded(base)
    adapter = given_model("model", with_adapter(model), tokenizer)
    assert adapter.base().fingerprint == by_itself
    assert adapter.fingerprint != by_itself


def test_the_base_that_bears_the_adapter_is_asked_without_it(base: Path) -> None:
    """`get_peft_model` changes the base in place: the caller's variable would speak through the adapter as well."""
    model, tokenizer = loaded(base)
    adapted = with_adapter(model)
    result = compare(model=(adapted, tokenizer), baseline=(model, tokenizer), suites=CASES)
    assert said(result, "baseline") == greedy(*loaded(base), PROMPTS, 50)
    assert said(result, "model") != said(result, "baseline")


def test_an_adapter_without_effect_is_noticed(base: Path, tmp_path: Path) -> None:
    """As from files: the comparison would be the base's with itself."""
    import peft

    model, tokenizer = loaded(base)
    folder = tiny_adapter(tmp_path / "zero", base, randomise=False)
    adapted = peft.PeftModel.from_pretrained(model, folder)
    result = compare(model=(adapted, tokenizer), suites=CASES, no_store=True)
    assert any(finding.severity == "fatal" for finding in result.audit)


@pytest.mark.parametrize(
    ("lora", "told"),
    [
        ({"init_lora_weights": "pissa"}, "its adapter began by changing the weights below it"),
        ({"bias": "all"}, "its adapter trains biases of its base"),
        ({"merge": True}, "its adapter is merged into the weights below it"),
        ({"unfreeze": True}, "weights of its base are trained beside the adapter"),
    ],
    ids=str,
)
def test_a_base_that_an_adapter_changes_must_be_named(base: Path, lora: dict[str, Any], told: str) -> None:
    """Switching such an adapter off would not give the base back."""
    merge, unfreeze = lora.pop("merge", False), lora.pop("unfreeze", False)
    model, tokenizer = loaded(base)
    adapted = with_adapter(model, **lora)
    if merge:
        adapted.merge_adapter()
    if unfreeze:
        model.lm_head.weight.requires_grad_(True)
    with pytest.raises(WrongUsage) as caught:
        compare(model=(adapted, tokenizer), suites=CASES)
    assert told in str(caught.value)
    assert "baseline=(base, tokenizer)" in str(caught.value)


def test_what_is_no_loaded_model_is_told(base: Path) -> None:
    """One sentence, which says what was found and what was wanted."""
    model, tokenizer = loaded(base)
    cases: tuple[tuple[Any, str], ...] = (
        (model, "model: found a LlamaForCausalLM alone; wanted it with its tokenizer: (model, tokenizer)"),
        ((model,), "model: found 1 things; wanted a pair (model, tokenizer)"),
        ((tokenizer, model), "model: found a LlamaForCausalLM beside the model; wanted its tokenizer"),
        ((str(base), tokenizer), "model: found a str; wanted a model of transformers or peft"),
        ((model.model, tokenizer), "model: a LlamaModel is no causal language model; only those can be asked"),
        ((model, tokenizer), "LlamaForCausalLM in memory is no adapter: name the model it was tuned from, baseline=…"),
    )
    for given, told in cases:
        with pytest.raises(WrongUsage) as caught:
            compare(model=given, suites=CASES)
        assert str(caught.value).startswith(told)


def test_choices_and_texts_are_scored_in_memory(base: Path, tuned: Path, tmp_path: Path) -> None:
    """All kinds of suites, and the divergence of the two."""
    (tmp_path / "choice.yaml").write_text(
        "forgetting: choice\ncases:\n  - {question: 'Two?', choices: [one, two], answer: two}\n"
    )
    (tmp_path / "text.yaml").write_text("forgetting: text\ncases:\n  - {text: The capital of France is Paris.}\n")
    memory = compare(model=loaded(tuned), baseline=loaded(base), suites=tmp_path)
    files = compare(model=tuned, baseline=base, suites=tmp_path, device="cpu")
    for one, other in zip(memory, files, strict=True):
        assert one.model.loglikelihoods == pytest.approx(other.model.loglikelihoods, abs=1e-4)
    drift = memory.suite("text").overall.drift
    assert drift is not None
    assert drift.divergence is not None


def test_device_and_type_are_named_as_on_the_command_line(base: Path) -> None:
    """What stands in reports."""
    model, tokenizer = loaded(base)
    given = GivenModel("it", model.bfloat16(), tokenizer)
    assert (given.device, given.dtype) == ("cpu", "bfloat16")

"""What holds a tuning near its base: in the weights that matter, or in what is said."""

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training import EWC, FullFineTune, KLToBase, LoRA, Recipe, Replay, finetune
from pytest_forgetting.training.anchor import anchored
from pytest_forgetting.training.divergence import Teacher, batches
from pytest_forgetting.training.ewc import KEPT, LESSON
from pytest_forgetting.training.examples import read_examples
from pytest_forgetting.training.fisher import fisher, of_texts
from pytest_forgetting.training.general import general_rows
from pytest_forgetting.training.method import Method, Penalty
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.rows import rows
from pytest_forgetting.training.steps import silent
from tests.training.tiny_base import TEXTS, tiny_base, tiny_base_folder

FAST = Recipe(learning_rate=1e-2, epochs=10, batch_size=1)
GENERAL = ("Question: one?\nAnswer: red\n", "Question: blue?\nAnswer: two\n")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    return tiny_base_folder(tmp_path_factory.mktemp("models") / "base")


def prepared(method: Method) -> tuple[Any, Any]:
    """A tiny model as `method` trains it, and what the method adds to the loss on TEXTS."""
    model, tokenizer = tiny_base()
    with reproducible(0):
        trained = method.adapt(model)
        penalty = method.penalty(trained, tokenizer, silent)
    assert isinstance(penalty, Penalty)
    batch = next(batches(rows(tokenizer, read_examples(TEXTS)), 2, tokenizer))

    def added() -> torch.Tensor:
        logits = trained(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        return penalty.term(trained, batch, logits)

    return trained, added


@torch.no_grad()
def step(trained: Any) -> None:
    """Move all that is trainable."""
    drawn = torch.Generator().manual_seed(1)
    for parameter in trained.parameters():
        if parameter.requires_grad:
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=drawn))


HELD = {
    "ewc": EWC(general=GENERAL),
    "ewc of lora": EWC(LoRA(rank=2), general=GENERAL),
    "ewc of part": EWC(FullFineTune(frozen=("model.embed_tokens.*",)), general=GENERAL),
    "ewc of replay": EWC(Replay(FullFineTune(FAST)), general=GENERAL),
    "kl": KLToBase(general=GENERAL),
    "kl of lora": KLToBase(LoRA(rank=2, dropout=0.5), general=GENERAL),
    "kl on domain": KLToBase(on="domain"),
    "kl on domain of lora": KLToBase(LoRA(rank=2), on="domain"),
}


@pytest.mark.parametrize("name", HELD)
def test_nothing_is_added_at_the_base_and_something_after_a_step(name: str) -> None:
    """And what is added pulls on what is trained, which is nothing else than before."""
    trained, added = prepared(HELD[name])
    trainable = {key for key, p in trained.named_parameters() if p.requires_grad}
    assert added().item() == pytest.approx(0, abs=1e-6)
    step(trained)
    pull = added()
    assert pull.item() > 1e-4
    pull.backward()
    assert {key for key, p in trained.named_parameters() if p.requires_grad} == trainable
    slopes = [p.grad for key, p in trained.named_parameters() if key in trainable]
    assert any(slope is not None and slope.abs().sum() > 0 for slope in slopes)
    assert all(p.grad is None for key, p in trained.named_parameters() if key not in trainable)


def test_the_pull_is_half_the_strength_times_the_weighted_squares() -> None:
    """With an importance of its own for each weight."""
    model, _ = tiny_base()
    anchor = anchored(model)
    importance = {name: torch.full_like(weight, 3.0) for name, weight in anchor.weights().items()}
    with torch.no_grad():
        model.model.norm.weight.add_(0.5)
    assert anchor.distance(model, importance).item() == pytest.approx(3.0 * 0.25 * 32)


def test_the_penalty_is_half_the_strength_times_the_distance() -> None:
    """And the information of the very labels that were asked for."""
    for labels in ("true", "pred", "all"):
        method = EWC(strength=6.0, general=GENERAL, labels=labels)
        trained, added = prepared(method)
        tokenizer = tiny_base()[1]
        anchor = anchored(trained)
        with reproducible(0):
            texts = general_rows(method.general, 200, trained, tokenizer, silent)
        importance = fisher(anchor.weights(), of_texts(trained, texts), method.labels)
        step(trained)
        assert added().item() == pytest.approx(3.0 * anchor.distance(trained, importance).item(), rel=1e-4)


def test_the_weights_are_held_wherever_the_model_is_moved() -> None:
    """`Trainer` takes it to the GPU after the anchor was set."""
    for method in (EWC(general=GENERAL), FullFineTune(l2_sp=1.0)):
        model, tokenizer = tiny_base()
        penalty = method.penalty(model, tokenizer, silent)
        assert penalty is not None
        # torch declares `to` for known devices only.
        assert penalty.term(model.to("meta"), {}, torch.zeros(())).device.type == "meta"  # type: ignore[arg-type]


def test_pulls_add_up() -> None:
    """Around another method that pulls, both do."""
    inner = FullFineTune(l2_sp=2.0)
    alone = [prepared(method) for method in (inner, EWC(general=GENERAL), EWC(inner, general=GENERAL))]
    for trained, _ in alone:
        step(trained)
    l2, ewc, both = (added().item() for _, added in alone)
    assert both == pytest.approx(l2 + ewc, rel=1e-4)
    kl, with_kl = (prepared(method) for method in (KLToBase(general=GENERAL), KLToBase(inner, general=GENERAL)))
    for trained, _ in (kl, with_kl):
        step(trained)
    assert with_kl[1]().item() == pytest.approx(l2 + kl[1]().item(), rel=1e-4)


def test_the_strength_of_the_divergence_counts() -> None:
    """Three times as much at three times the strength."""
    once, thrice = (prepared(KLToBase(on="domain", strength=strength)) for strength in (1.0, 3.0))
    for trained, _ in (once, thrice):
        step(trained)
    assert thrice[1]().item() == pytest.approx(3 * once[1]().item(), rel=1e-4)


def test_an_adapter_is_weighed_by_what_it_changes() -> None:
    """Sum of F (alpha / rank * B A)^2, with the Fisher information of the frozen weight."""
    model = LoRA(rank=2, alpha=6, targets=("q_proj",)).adapt(tiny_base()[0])
    anchor = anchored(model)
    assert list(anchor.weights()) == ["model.layers.0.self_attn.q_proj.weight"]
    step(model)
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    change = 3 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    importance = {name: torch.arange(w.numel()).reshape(w.shape).float() for name, w in anchor.weights().items()}
    wanted = (next(iter(importance.values())) * change.pow(2)).sum()
    assert anchor.distance(model, importance).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_mode_of_the_model_is_put_back() -> None:
    """Dropout is on again for the training."""
    model, tokenizer = tiny_base()
    trained = LoRA(dropout=0.1).adapt(model).train()
    EWC(LoRA(), general=GENERAL).penalty(trained, tokenizer, silent)
    assert all(module.training for module in trained.modules())


def test_a_tuning_that_is_held_moves_less_where_it_matters(base: Path, tmp_path: Path) -> None:
    """What the base had learned stays likelier than after plain training; the penalty stands in the loss history."""
    learned = FullFineTune(Recipe(learning_rate=1e-2, epochs=30, batch_size=1))
    knowing = finetune(base, GENERAL, method=learned, output_dir=tmp_path / "knowing", use_cpu=True)
    methods: dict[str, Method] = {
        "plain": FullFineTune(FAST),
        "ewc": EWC(FullFineTune(FAST), strength=10, general=GENERAL),
        "kl": KLToBase(FullFineTune(FAST), general=GENERAL),
    }
    made = {
        name: finetune(knowing, TEXTS, method=method, output_dir=tmp_path / name, use_cpu=True)
        for name, method in methods.items()
    }
    lost = {name: general_loss(each.path) for name, each in made.items()}
    assert lost["ewc"] < lost["plain"]
    assert lost["kl"] < lost["plain"]
    assert made["plain"].losses[-1].penalty == 0
    assert 0 < made["ewc"].losses[-1].penalty < made["ewc"].losses[-1].loss


@torch.inference_mode()
def general_loss(folder: Path) -> float:
    """Of a model on GENERAL, in nats per token."""
    model, (_, tokenizer) = AutoModelForCausalLM.from_pretrained(folder), tiny_base()
    batch = next(batches(rows(tokenizer, read_examples(GENERAL)), 2, tokenizer))
    return float(model(**batch).loss)


def test_the_base_writes_its_own_text_where_none_is_given() -> None:
    """With an adapter as well, which does nothing yet."""
    for method in (EWC(samples=3), EWC(LoRA(rank=2), samples=3), KLToBase(samples=3)):
        trained, added = prepared(method)
        step(trained)
        assert added().item() > 0


def test_online_the_earlier_information_counts_on(base: Path, tmp_path: Path) -> None:
    """It lies beside the weights; the next tuning adds its own to a share of it, and the gate still finds a model."""
    method = EWC(FullFineTune(Recipe(1e-3, 1, 1)), general=GENERAL, labels="true", online=0.5)
    first = finetune(base, TEXTS, method=method, output_dir=tmp_path / "first", use_cpu=True)
    alone = finetune(
        first.path,
        TEXTS,
        method=EWC(FullFineTune(Recipe(1e-3, 1, 1)), general=GENERAL, labels="true", online=0.0),
        output_dir=tmp_path / "alone",
        use_cpu=True,
    )
    second = finetune(first.path, TEXTS, method=method, output_dir=tmp_path / "second", use_cpu=True)
    old, new, both = (load_file(each.path / KEPT) for each in (first, alone, second))
    assert set(old) == set(both)
    assert all(torch.allclose(both[name], new[name] + 0.5 * old[name]) for name in both)


def test_information_is_kept_only_where_it_counts_on(base: Path, tmp_path: Path) -> None:
    """It is as large as the weights."""
    finetune(base, TEXTS, method=EWC(FullFineTune(FAST), general=GENERAL), output_dir=tmp_path, use_cpu=True)
    assert not (tmp_path / KEPT).exists()


def test_the_lessons_preset_is_at_hand() -> None:
    """Strength 5000 and the information of 100 samples, from the data's own labels."""
    assert (LESSON.strength, LESSON.samples, LESSON.labels) == (5000, 100, "true")


def test_the_manifest_tells_of_both_methods(base: Path, tmp_path: Path) -> None:
    """Of data that a method holds it has the hash."""
    method = EWC(LoRA(FAST, rank=2), general=GENERAL)
    told = finetune(base, TEXTS, method=method, output_dir=tmp_path, use_cpu=True).manifest["method"]
    assert (told["name"], told["of"]["name"], told["of"]["rank"]) == ("EWC", "LoRA", 2)
    assert told["of"]["recipe"]["epochs"] == 10
    assert len(told["general"]) == 64


def test_a_teacher_is_the_base_itself() -> None:
    """An adapter is switched off for it, dropout too; no second copy is made."""
    model, _ = tiny_base()
    ids = torch.tensor([[1, 5, 6, 7]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    trained = LoRA(rank=2, dropout=0.5).adapt(model).train()
    teacher = Teacher(trained)
    step(trained)
    with trained.disable_adapter():
        base = trained(input_ids=ids).logits
    assert teacher.divergence(trained, batch, base).item() == pytest.approx(0, abs=1e-6)
    assert isinstance(trained, peft.PeftModel)


def test_the_divergence_is_that_of_the_base_from_the_model() -> None:
    """Sum of p_base (log p_base - log p), mean over positions, as written out by hand."""
    model, _ = tiny_base()
    teacher = Teacher(model)
    ids = torch.tensor([[1, 5, 6, 7]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.tensor([[1, -100, 6, 7]])}
    before = torch.log_softmax(model(input_ids=ids).logits.detach(), dim=-1)
    step(model)
    logits = model(input_ids=ids).logits
    after = torch.log_softmax(logits, dim=-1)
    by_position = (before.exp() * (before - after)).sum(-1)[0]
    assert teacher.divergence(model, batch, logits).item() == pytest.approx(by_position[1:3].mean().item(), rel=1e-4)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"strength": -1}, "strength -1; wanted 0 or more"),
        ({"strength": float("nan")}, "strength nan; wanted 0 or more"),
        ({"samples": 0}, "samples 0; wanted 1 or more"),
        ({"labels": "some"}, "labels 'some'; wanted all, sample, pred or true"),
        ({"online": 2}, "online 2; wanted a decay from 0 to 1"),
        ({"general": []}, "no training data"),
    ],
)
def test_settings_out_of_range_are_told(options: dict[str, Any], told: str) -> None:
    """When the method is named, not an hour later."""
    with pytest.raises(WrongUsage, match=told):
        EWC(**options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"strength": -1}, "strength -1; wanted 0 or more"),
        ({"samples": 0}, "samples 0; wanted 1 or more"),
        ({"on": "all"}, "on 'all'; wanted general or domain"),
    ],
)
def test_settings_of_the_divergence_are_checked_too(options: dict[str, Any], told: str) -> None:
    """In the same words."""
    with pytest.raises(WrongUsage, match=told):
        KLToBase(**options)


def test_weights_in_four_bits_have_no_slopes(base: Path, tmp_path: Path) -> None:
    """Refused before anything is trained."""
    pytest.importorskip("bitsandbytes")
    method = EWC(LoRA(FAST, quantization="4bit"), general=GENERAL)
    with pytest.raises(WrongUsage, match=r"EWC needs gradients of .*, which is quantized; use KLToBase"):
        finetune(base, TEXTS, method=method, output_dir=tmp_path, use_cpu=True)

"""Which of several GPUs a model is put on, and one that is too large for any of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import dispatch_model  # type: ignore[import-untyped]  # it ships no types

from pytest_forgetting.answers import batch_sizes
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models import checkpoint, devices
from pytest_forgetting.models.devices import CPU_DEVICES, devices_for, places_for
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.loaded_model import LoadedModel
from pytest_forgetting.models.loading import LoadedPair
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama

GIB = 2**30
REQUESTS = [Request(f"number {n}", (), max_new_tokens=6) for n in range(5)]
SCORED = [Request("number", (), continuations=(" one", " two"))]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs of 10 GiB."""
    monkeypatch.setattr(devices, "DRIVERS", ("/dev/null",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(devices, "memory_of", lambda _: 10 * GIB)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("choice", "found"), [("auto", ["cuda:0", "cuda:1"]), ("cuda", ["cuda:0", "cuda:1"]), ("cuda:1", ["cuda:1"])]
)
def test_a_choice_leaves_gpus_open(choice: str, found: list[str]) -> None:
    """Any of them, unless one is pinned."""
    assert [device.torch for device in devices_for(choice)] == found


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("visible", "names"), [("", ["cuda-0", "cuda-1"]), ("3,GPU-8f/1", ["cuda-3", "cuda-GPU-8f-1"])]
)
def test_a_gpu_has_one_name_in_all_processes(visible: str, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the machine's GPUs a process can see."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [device.name for device in devices_for("auto")] == names


def test_the_cpu_counts_for_one_device_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable lets several processes ask on it."""
    assert [device.name for device in devices_for("cpu")] == ["cpu"]
    monkeypatch.setenv(CPU_DEVICES, "2")
    assert devices_for("cpu") == (("cpu-0", "cpu"), ("cpu-1", "cpu"))


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(("gib", "together"), [(9, False), (9.1, True), (18, True)])
def test_a_model_too_large_for_one_takes_all(gib: float, together: bool) -> None:
    """As soon as one GPU has no room beside the weights."""
    assert places_for("auto", gib * GIB).together is together
    assert places_for("auto", gib * GIB).several is not together


@pytest.mark.usefixtures("gpus")
def test_a_pinned_gpu_is_not_left_for_others() -> None:
    """Where it is too small, loading says so."""
    assert [device.torch for device in places_for("cuda:1", 15 * GIB).devices] == ["cuda:1"]


@pytest.mark.usefixtures("gpus")
def test_a_model_too_large_for_all_is_told_before_it_is_loaded() -> None:
    """With what it takes, and what there is."""
    with pytest.raises(
        CannotAnswer, match=r"--device auto: the weights take 19\.0 GiB, and the 2 GPUs together have 20"
    ):
        places_for("auto", 19 * GIB)


def test_layers_go_to_gpus_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As evenly as they can, and as far as each GPU has room; never to main memory or the disk."""
    monkeypatch.setattr(checkpoint, "free_bytes", {"cuda:0": 10 * GIB, "cuda:1": 5 * GIB}.__getitem__)
    options = LoadOptions(device="cuda:0", shards=("cuda:0", "cuda:1"))
    placed = checkpoint._placed(options, "cuda:0", quantized=False)
    assert placed == {"device_map": "balanced", "max_memory": {0: 9 * GIB, 1: 4.5 * GIB}}


def test_a_lack_of_room_on_all_gpus_is_a_lack_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the two models are loaded in turns where they do not fit together."""
    monkeypatch.setattr(checkpoint, "free_bytes", lambda _: 10_000)
    options = LoadOptions(device="cuda:0", shards=("cuda:0", "cuda:1"))
    with pytest.raises(MemoryError, match="on all GPUs"):
        checkpoint._see_room(resolve(str(tiny_llama(tmp_path))), "cuda:0", "float32", options)


@pytest.fixture
def answers(tmp_path: Path) -> Callable[[bool], list[Answer]]:
    """What a tiny model answers in two batches, with its layers as they are or in different places."""
    model = resolve(str(tiny_llama(tmp_path / "model")))

    def answers(apart: bool) -> list[Answer]:
        with LoadedPair({"model": model}, LoadOptions(device="cpu")).speaking("model") as loaded:
            if apart:
                layers = {"model.layers.0": "cpu", "model.layers.1": "disk"}
                rest = dict.fromkeys(("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"), "cpu")
                dispatch_model(loaded.model, {**layers, **rest}, offload_dir=tmp_path / "disk")
            given: dict[int, Answer] = {}
            ask(loaded, [*REQUESTS, *SCORED], Conditions(model.fingerprint, None), given.update, 3)
            return [given[n] for n in sorted(given)]

    return answers


def test_layers_in_different_places_give_the_same_answers(answers: Callable[[bool], list[Answer]]) -> None:
    """What accelerate puts around layers, so as to carry states between them, changes nothing."""
    assert answers(True) == answers(False)


def test_batches_are_as_large_as_the_fullest_gpu_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each GPU keeps the keys and values of its own layers only."""
    with LoadedPair({"model": resolve(str(tiny_llama(tmp_path)))}, LoadOptions(device="cpu")).speaking("model") as one:
        whole = batch_sizes.bytes_per_row(one.model, 1000)
        one.model.hf_device_map = {"model.embed_tokens": 0, "model.layers.0": 0, "model.layers.1": 1, "lm_head": 1}
        half = batch_sizes.bytes_per_row(one.model, 1000)
        cache = 2 * 2 * 16 * 1000 * 4  # keys and values of two layers, 16 numbers of 4 bytes a token
        assert whole - half == cache // 2
        free = {"cuda:0": 64 * half, "cuda:1": 6 * half}
        monkeypatch.setattr(batch_sizes, "free_bytes", free.__getitem__)
        spread = LoadedModel(one.model, one.tokenizer, "cuda:0", "float32", frozenset(), None, 0, tuple(free))
        assert batch_sizes.batch_size_for(spread, 1000) == 3

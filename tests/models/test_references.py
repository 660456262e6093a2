"""What a reference may name, and what is said about one that names nothing."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_forgetting.errors import CannotAnswer, ForgettingError
from pytest_forgetting.models.references import resolve
from tests.models.edits import copied, edit_json
from tests.models.refusals import refused
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer


def cached(hub: Path, repository: str, folder: Path, revision: str = "main") -> None:
    """Put a checkpoint into the Hub's cache, as a download would have left it."""
    home = hub / f"models--{repository.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / ("a" * 40))
    (home / "refs").mkdir()
    (home / "refs" / revision).write_text("a" * 40)


def test_full_checkpoint(base: Path) -> None:
    """A folder with a full checkpoint stands for itself."""
    found = resolve(str(base))
    assert (found.ref, found.weights, found.adapter, found.tokenizer) == (str(base), base, None, base)
    assert (found.chat_template, found.config_dtype, found.parameters) == (None, "float32", 14416)


def test_adapter_finds_its_base(base: Path, adapter: Path) -> None:
    """An adapter leads to the base that it records, whose tokenizer it uses if it has none."""
    found = resolve(str(adapter))
    assert (found.weights, found.adapter, found.tokenizer) == (base, adapter, base)


def test_adapter_finds_its_base_beside_itself(base: Path, adapter: Path, tmp_path: Path) -> None:
    """A base recorded by a relative path is looked for from the adapter's folder too."""
    moved = copied(adapter, tmp_path / "adapter")
    edit_json(moved / "adapter_config.json", base_model_name_or_path="../base")
    copied(base, tmp_path / "base")
    assert resolve(str(moved)).weights.samefile(tmp_path / "base")


def test_adapters_own_tokenizer_counts(base: Path, tmp_path: Path) -> None:
    """Tuning may add tokens or a template, so a tokenizer saved with the adapter goes before the base's."""
    folder = tiny_adapter(tmp_path / "adapter", base)
    tiny_tokenizer(chat_template="{{ messages }}").save_pretrained(folder)
    found = resolve(str(folder))
    assert (found.tokenizer, found.chat_template) == (folder, "{{ messages }}")


def test_relative_folder_and_home(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is found from the working directory and from the user's home; the reference stays as it was given."""
    copied(base, tmp_path / "ckpt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("ckpt").weights == resolve("~/ckpt").weights == tmp_path / "ckpt"
    assert resolve("~/ckpt").ref == "~/ckpt"


def test_sharded_checkpoint(tmp_path: Path) -> None:
    """Parameters are counted and fingerprints taken over all shards."""
    from transformers import LlamaForCausalLM

    LlamaForCausalLM.from_pretrained(tiny_llama(tmp_path / "one")).save_pretrained(
        tmp_path / "many", max_shard_size="20KB"
    )
    assert len(list((tmp_path / "many").glob("model-*.safetensors"))) > 1
    assert resolve(str(tmp_path / "many")).parameters == 14416


def test_missing_shard_is_named(tmp_path: Path, base: Path) -> None:
    """A download that was cut off is incomplete, not broken."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"w": "model-1.safetensors"}}')
    assert "model.safetensors.index.json names model-1.safetensors, which is missing" in refused(str(folder))


def test_index_without_map(tmp_path: Path, base: Path) -> None:
    """An index that maps nothing is told as such."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "has no 'weight_map'" in refused(str(folder), CannotAnswer)


@pytest.mark.parametrize(("recorded", "wanted"), [("torch_dtype", "bfloat16"), ("dtype", "float16")])
def test_dtype_from_config(base: Path, tmp_path: Path, recorded: str, wanted: str) -> None:
    """The config says in which type the checkpoint is kept, under its old or its new name."""
    folder = copied(base, tmp_path / "ckpt")
    edit_json(folder / "config.json", **{"dtype": None, recorded: wanted})
    assert resolve(str(folder)).config_dtype == wanted


def test_dtype_from_files(base: Path, tmp_path: Path) -> None:
    """Where the config is silent, the weights tell."""
    folder = copied(base, tmp_path / "ckpt")
    edit_json(folder / "config.json", dtype=None)
    assert resolve(str(folder)).config_dtype == "float32"


def test_hub_id_from_cache(base: Path, hub_cache: Path) -> None:
    """What was downloaded once is used offline."""
    cached(hub_cache, "org/tiny", base)
    found = resolve("org/tiny")
    assert found.ref == "org/tiny"
    assert found.fingerprint == resolve(str(base)).fingerprint


def test_hub_revision(base: Path, hub_cache: Path) -> None:
    """`@` asks for a branch, tag or commit."""
    cached(hub_cache, "tiny", base, revision="v2")
    assert resolve("tiny@v2").weights.name == "a" * 40
    assert refused("tiny@v3") == (
        "tiny@v3: no such folder, and as a Hub repository neither cached here nor within reach; without a network name"
        " a folder that the model was downloaded into"
    )


def test_adapter_and_its_base_from_the_hub(base: Path, adapter: Path, hub_cache: Path, tmp_path: Path) -> None:
    """An adapter's repository leads to the base's, at the revision that it records."""
    tuned = copied(adapter, tmp_path / "adapter")
    edit_json(tuned / "adapter_config.json", base_model_name_or_path="org/tiny", revision="v2")
    cached(hub_cache, "org/tiny", base, revision="v2")
    cached(hub_cache, "me/tuned", tuned)
    found = resolve("me/tuned")
    assert found.adapter is not None
    assert "models--org--tiny" in str(found.weights)


def test_folder_goes_before_every_other_meaning(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder named `base` is that folder."""
    copied(base, tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    assert resolve("base").weights == tmp_path / "base"


def test_demo(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`demo:` models are prepared on demand."""
    monkeypatch.setattr("pytest_forgetting.demo.prepare", {"lora": base}.__getitem__)
    found = resolve("demo:lora")
    assert (found.ref, found.weights) == ("demo:lora", base)


def test_unknown_demo() -> None:
    """The demo itself says what there is."""
    assert "did you mean demo:full?" in refused("demo:fulll")


@pytest.mark.parametrize("ref", ["http://localhost:8000/v1#name", "https://host/v1"])
def test_server(ref: str) -> None:
    """What must be loaded is no server's."""
    assert f"{ref}: names a server, where a model is wanted that can be loaded" in refused(ref)


@pytest.mark.parametrize("ref", ["", "  "])
def test_empty_reference(ref: str) -> None:
    """An unset shell variable is no model."""
    assert refused(ref).startswith("an empty reference names no model; a model is a folder, a Hub id")


def test_file(tmp_path: Path) -> None:
    """A file that is no recording is no model."""
    (tmp_path / "model.gguf").write_text("")
    assert "model.gguf: is a file; a model is a folder" in refused(str(tmp_path / "model.gguf"))


def test_near_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the finger is told with what was probably meant, for paths and for names alike."""
    (tmp_path / "checkpoint-500").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "no such folder; did you mean checkpoint-500?" in refused("./checkpoint-50")
    assert refused("checkpoint-50").endswith("; did you mean checkpoint-500?")


@pytest.mark.parametrize("ref", ["/no/such/folder", "../none/", "~nobody-here/x", "a" * 5000, "null\0byte", "a/b/c"])
def test_reference_that_names_nothing(ref: str) -> None:
    """Whatever is written, it is told to be no folder."""
    assert ": no such folder" in refused(ref)


@given(st.text(min_size=1))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_found_or_refused(ref: str) -> None:
    """No text makes it fail in another way than with a message."""
    with pytest.raises(ForgettingError):
        resolve(ref + "-names-nothing")

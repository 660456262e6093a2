"""What a reference may name, and what is said about one that names nothing."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.models.references import LocalModel, resolve
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer


def edit_json(path: Path, **changes: object) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def copied(folder: Path, target: Path, without: str = "nothing") -> Path:
    """A copy of a checkpoint that lacks one file."""
    shutil.copytree(folder, target)
    (target / without).unlink(missing_ok=True)
    return target


def cached(hub: Path, repository: str, folder: Path, revision: str = "main") -> None:
    """Put a checkpoint into the Hub's cache, as a download would have left it."""
    home = hub / f"models--{repository.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / ("a" * 40))
    (home / "refs").mkdir()
    (home / "refs" / revision).write_text("a" * 40)


def refused(ref: str, error: type[ForgettingError] = WrongUsage, candidate: LocalModel | None = None) -> str:
    """The one line that tells why `ref` is refused."""
    with pytest.raises(error) as caught:
        resolve(ref, candidate=candidate)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
    assert refused("tiny@v3").startswith("tiny@v3: no such folder, and as a Hub repository neither cached here")


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


def test_base_of_an_adapter(base: Path, adapter: Path) -> None:
    """`base` is the adapter's base, with the base's own tokenizer."""
    found = resolve("base", candidate=resolve(str(adapter)))
    assert (found.ref, found.weights, found.adapter, found.tokenizer) == ("base", base, None, base)
    assert found.fingerprint == resolve(str(base)).fingerprint


@pytest.mark.parametrize("card", ["base_model: {}", "base_model:\n- {}"])
def test_base_of_a_model_card(base: Path, tmp_path: Path, card: str) -> None:
    """A full checkpoint records its base in its card, as one name or a list of one."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text(f"---\nlicense: mit\n{card.format(base)}\n---\n\n# Tuned\n")
    assert resolve("base", candidate=resolve(str(tuned))).weights == base


def test_several_bases_are_refused(base: Path, tmp_path: Path) -> None:
    """A merged model has no one base to be compared with."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text("---\nbase_model: [org/a, org/b]\n---\n")
    assert "names several bases (org/a, org/b); choose one with --baseline REF" in refused(
        "base", candidate=resolve(str(tuned))
    )


@pytest.mark.parametrize("card", ["", "# No front matter", "---\nlicense: mit\n---\n", "---\n: [\n---\n", "---\nopen"])
def test_base_that_nobody_recorded(base: Path, tmp_path: Path, card: str) -> None:
    """Without a record, the user has to say what the model was tuned from."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text(card)
    message = refused("base", candidate=resolve(str(tuned)))
    assert "does not record its base" in message
    assert message.endswith("give --baseline REF")


def test_recorded_base_that_is_gone(base: Path, tmp_path: Path) -> None:
    """A dead path in a model card is told together with who says it."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text("---\nbase_model: /gone/away\n---\n")
    message = refused("base", candidate=resolve(str(tuned)))
    assert "'base_model: /gone/away' in its model card cannot be found: /gone/away: no such folder" in message


def test_base_without_a_candidate() -> None:
    """`base` means nothing by itself."""
    assert "give --baseline REF" in refused("base")


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
    """Servers will come later; until then this is said."""
    assert "servers are not supported in this version" in refused(ref)


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
    assert refused("checkpoint-50").endswith("within reach; did you mean checkpoint-500?")


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


def test_folder_without_config(tmp_path: Path) -> None:
    """An empty folder is no model."""
    assert f"there is no config.json (nor adapter_config.json) in {tmp_path}" in refused(str(tmp_path))


def test_folder_of_checkpoints(base: Path, tmp_path: Path) -> None:
    """Who names the folder above is told what lies in it."""
    copied(base, tmp_path / "checkpoint-100")
    assert refused(str(tmp_path)).endswith("there are models in its folders checkpoint-100")


def test_folder_without_weights(base: Path, tmp_path: Path) -> None:
    """A config alone answers nothing."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    assert "there are no weights (model.safetensors) in" in refused(str(folder))
    (folder / "model.gguf").write_text("")
    assert "GGUF files are not supported" in refused(str(folder))


def test_pickled_weights(base: Path, tmp_path: Path) -> None:
    """Weights that may run code are taken only from who says so."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"0" * 4000)
    message = refused(str(folder))
    assert "safetensors" in message
    assert "--forgetting-allow-pickle" in message
    assert resolve(str(folder), allow_pickle=True).parameters == 1000


def test_pickled_adapter(adapter: Path, tmp_path: Path) -> None:
    """The same for an adapter."""
    folder = copied(adapter, tmp_path / "adapter", without="adapter_model.safetensors")
    (folder / "adapter_model.bin").write_bytes(b"0")
    assert "adapter_model.bin, in pickle format" in refused(str(folder))
    assert resolve(str(folder), allow_pickle=True).adapter == folder


def test_adapter_without_weights(adapter: Path, tmp_path: Path) -> None:
    """A config alone adapts nothing."""
    folder = copied(adapter, tmp_path / "adapter", without="adapter_model.safetensors")
    assert "there are no adapter weights (adapter_model.safetensors)" in refused(str(folder))


def test_adapter_without_base(adapter: Path, tmp_path: Path) -> None:
    """An adapter that names no base cannot be loaded."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path=None)
    assert "does not name its base (base_model_name_or_path in adapter_config.json)" in refused(str(folder))


def test_adapter_whose_base_is_gone(adapter: Path, tmp_path: Path) -> None:
    """The path that the adapter records may have been another machine's."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path="/their/base")
    assert "the adapter's base '/their/base' cannot be found: /their/base: no such folder" in refused(str(folder))


def test_adapter_on_an_adapter(adapter: Path, tmp_path: Path) -> None:
    """Adapters are never stacked."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(adapter))
    assert "is itself an adapter; merge that one into its base first" in refused(str(folder))


def test_adapter_beside_full_weights(base: Path, adapter: Path, tmp_path: Path) -> None:
    """Merged weights saved over their adapter could be meant either way, and would be tuned twice."""
    folder = copied(base, tmp_path / "both")
    shutil.copytree(adapter, folder, dirs_exist_ok=True)
    assert "holds both a full checkpoint and adapter_config.json" in refused(str(folder))


def test_broken_base_of_an_adapter_is_blamed_on_the_base(adapter: Path, tmp_path: Path) -> None:
    """What is wrong with the base is not said of the adapter."""
    folder = copied(adapter, tmp_path / "adapter")
    (tmp_path / "empty").mkdir()
    edit_json(folder / "adapter_config.json", base_model_name_or_path="../empty")
    assert "the adapter's base '../empty': there is no config.json" in refused(str(folder))


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_broken_config(base: Path, tmp_path: Path, content: str) -> None:
    """A config that is no JSON object is told with its path."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "config.json").write_text(content, errors="surrogateescape")
    assert str(folder / "config.json") in refused(str(folder), CannotAnswer)


@pytest.mark.parametrize("size", [0, 7, 100, 20_000])
def test_truncated_weights(base: Path, tmp_path: Path, size: int) -> None:
    """A copy that was cut off is noticed before anything is loaded."""
    folder = copied(base, tmp_path / "ckpt")
    os.truncate(folder / "model.safetensors", size)
    with pytest.raises(CannotAnswer, match=r"model\.safetensors is truncated or no safetensors file"):
        _ = resolve(str(folder)).parameters


def test_git_lfs_pointer(base: Path, tmp_path: Path) -> None:
    """A clone without Git LFS has pointers for weights."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(CannotAnswer, match="git lfs pull"):
        _ = resolve(str(folder)).parameters


TEMPLATES = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]


@pytest.mark.parametrize(
    ("file", "content", "template"),
    [
        ("tokenizer_config.json", json.dumps({"chat_template": "one"}), "one"),
        ("tokenizer_config.json", json.dumps({"chat_template": TEMPLATES}), "plain"),
        ("tokenizer_config.json", json.dumps({"chat_template": TEMPLATES[:1]}), None),
        ("chat_template.json", json.dumps({"chat_template": "one"}), "one"),
        ("chat_template.jinja", "one\n", "one\n"),
    ],
)
def test_chat_template(base: Path, tmp_path: Path, file: str, content: str, template: str | None) -> None:
    """A template is found wherever transformers has ever put it."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / file).write_text(content)
    assert resolve(str(folder)).chat_template == template


def test_chat_template_is_what_transformers_would_take(tmp_path: Path) -> None:
    """Of two templates the one in a file of its own is used, as by the tokenizer itself."""
    from transformers import AutoTokenizer

    folder = tiny_llama(tmp_path / "ckpt")
    edit_json(folder / "tokenizer_config.json", chat_template="old")
    (folder / "chat_template.jinja").write_text("new")
    assert resolve(str(folder)).chat_template == AutoTokenizer.from_pretrained(folder).chat_template == "new"


def test_unreadable_chat_template(base: Path, tmp_path: Path) -> None:
    """A template that is no text is told with its path."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "chat_template.jinja").write_bytes(b"\xff\xfe\x00")
    assert "chat_template.jinja cannot be read" in refused(str(folder), CannotAnswer)

"""Code that lies in a checkpoint's folder is never run, whatever pytest and the libraries take the folder for."""

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.recordings import CAPITALS, record, write_capitals
from tests.tiny_models import tiny_llama

Run = Callable[..., pytest.RunResult]


class Evil:
    """Unpickling it writes a file."""

    def __init__(self, marker: Path) -> None:
        """Name the file."""
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """What pickle calls."""
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return tiny_llama(tmp_path_factory.mktemp("weights") / "model")


@pytest.fixture
def marker(pytester: pytest.Pytester) -> Path:
    """Written by whatever code of a checkpoint is run."""
    return pytester.path / "ran"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Path:
    """Five questions in `suites`, and what the baseline answered."""
    (pytester.path / "suites").mkdir()
    path = write_capitals(pytester.path / "suites")
    record(pytester.path / "old.json", path, CAPITALS)
    return path


def hostile(folder: Path, marker: Path, *names: str) -> Path:
    """`folder`, with `names` in it that write the marker when they are imported."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"open({str(marker)!r}, 'w').close()\n")
    return folder


def an_empty_checkpoint(folder: Path) -> Path:
    """A folder that says of itself that it is a model: enough for all that happens before loading."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    return folder


PYTHON = ("conftest.py", "test_it.py", "sitecustomize.py", "usercustomize.py", "modeling_llama.py", "tokenizer.py")


@pytest.mark.parametrize("where", ["ckpt", "test_ckpt", "suites/ckpt", "suites/test_ckpt"])
@pytest.mark.parametrize("form", ["--model={}", "--model {}", "--forgetting-model {}", "ini", "environment"])
def test_pytest_takes_nothing_from_a_models_folder(
    pytester: pytest.Pytester, suite: Path, marker: Path, monkeypatch: pytest.MonkeyPatch, where: str, form: str
) -> None:
    """No conftest and no test: the folder may be named like tests, lie among them, or be taken for an argument."""
    hostile(an_empty_checkpoint(pytester.path / where), marker, *PYTHON, "tests/conftest.py")
    said: list[str] = form.format(f"./{where}").split()
    ini = f"forgetting_model = {where}\n" if form == "ini" else ""
    (pytester.path / "pytest.ini").write_text(f"[pytest]\ntestpaths = suites\n{ini}")
    if form == "environment":
        monkeypatch.setenv("PYTEST_FORGETTING_MODEL", where)
    given = said if form.startswith("--") else []
    result = pytester.runpytest_inprocess(*given, "--baseline=old.json", "--co", "-p", "no:randomly")
    assert not marker.exists()
    result.stdout.fnmatch_lines(["*France*"])
    result.stdout.no_fnmatch_line("*test_it*")


@pytest.mark.parametrize("option", ["--model", "--forgetting-model"])
def test_configuration_in_a_models_folder_is_refused(
    pytester: pytest.Pytester, suite: Path, marker: Path, option: str
) -> None:
    """pytest looks for its configuration before it knows the option: what it found could switch anything on."""
    folder = an_empty_checkpoint(pytester.path / "ckpt")
    (folder / "pytest.ini").write_text("[pytest]\nforgetting_trust_remote_code = true\n")
    result = pytester.runpytest_subprocess(option, "./ckpt", "--baseline=old.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*ckpt/pytest.ini lies in the model's folder*write --model=PATH*"])


def test_a_run_within_the_folder_is_the_users_own(pytester: pytest.Pytester, suite: Path, marker: Path) -> None:
    """Whoever works where the model lies has conftests and configuration of their own there."""
    (pytester.path / "config.json").write_text("{}")
    pytester.makeconftest(f"open({str(marker)!r}, 'w').close()")
    result = pytester.runpytest_subprocess("--model=.", "--baseline=old.json", "suites", "--co", "-q")
    assert marker.exists()
    result.stdout.fnmatch_lines(["*capitals.yaml::general::France"])


CODE = {
    "config.json": {
        "AutoConfig": "evil.Config",
        "AutoModelForCausalLM": "evil.Model",
        "AutoTokenizer": ["evil.Tokenizer", None],
    },
    "tokenizer_config.json": {"AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"]},
    "generation_config.json": {},
}


def test_remote_code_is_not_run_unasked(pytester: pytest.Pytester, suite: Path, marker: Path, weights: Path) -> None:
    """Of model, tokenizer, config and generation; pickles beside the weights stay closed, and kernels unfetched."""
    folder = pytester.path / "ckpt"
    shutil.copytree(weights, folder)
    hostile(folder, marker, *PYTHON, "evil.py", "custom_generate/generate.py", "__init__.py")
    for name, auto_map in CODE.items():
        settings = json.loads((folder / name).read_text())
        settings |= {"auto_map": auto_map, "attn_implementation": "evil/kernel", "_attn_implementation": "evil/kernel"}
        (folder / name).write_text(json.dumps(settings))
    for name in ("pytorch_model.bin", "adapter_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt"):
        (folder / name).write_bytes(pickle.dumps(Evil(marker)))
    result = pytester.runpytest_subprocess("--model=ckpt", "--baseline=old.json", "suites", "--dtype", "float32")
    assert result.ret == 1, "answered, and wrong"
    result.stdout.fnmatch_lines(["*forgotten*"])
    assert not marker.exists()


def test_pickled_shards_are_refused(pytester: pytest.Pytester, suite: Path, marker: Path, weights: Path) -> None:
    """An index of safetensors that names a pickle, or a file elsewhere."""
    folder = pytester.path / "ckpt"
    shutil.copytree(weights, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "evil.bin").write_bytes(pickle.dumps(Evil(marker)))
    for name in ("evil.bin", "../ckpt/evil.safetensors", "/etc/x.safetensors"):
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": name}}))
        result = pytester.runpytest_inprocess("--model=ckpt", "--baseline=old.json", "suites")
        assert result.ret in (3, 4)
        assert any(
            f"names '{name}'; wanted a .safetensors file beside it" in line
            for line in result.outlines + result.errlines
        )
    assert not marker.exists()


@pytest.mark.slow
def test_allowed_pickles_still_run_nothing(pytester: pytest.Pytester, suite: Path, marker: Path, weights: Path) -> None:
    """--forgetting-allow-pickle reads weights only, which is all that is needed of them."""
    folder = pytester.path / "ckpt"
    shutil.copytree(weights, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(marker)))
    result = pytester.runpytest_subprocess("--model=ckpt", "--baseline=old.json", "suites", "--forgetting-allow-pickle")
    assert result.ret == 3
    assert "do not load" in result.stdout.str() + result.stderr.str()
    assert not marker.exists()


ADAPTERS = {
    "a module to import": {"megatron_config": {"a": 1}, "megatron_core": "evil"},
    "classes to import": {"auto_mapping": {"base_model_class": "Model", "parent_library": "evil"}, "task_type": None},
    "pickles to open": {"init_lora_weights": "corda", "corda_config": {"cache_file": "evil.bin"}},
    "other adapters": {"peft_type": "XLORA", "adapters": {"1": "evil/adapter"}, "hidden_size": 16},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADAPTERS)
def test_adapters_run_nothing(
    pytester: pytest.Pytester, suite: Path, marker: Path, weights: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an adapter's settings name is neither imported nor opened."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = hostile(pytester.path, marker, "evil.py") / "adapter"
    base = AutoModelForCausalLM.from_pretrained(weights)
    get_peft_model(base, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM")).save_pretrained(str(folder))
    (pytester.path / "evil.bin").write_bytes(pickle.dumps(Evil(marker)))
    config = json.loads((folder / "adapter_config.json").read_text()) | ADAPTERS[kind]
    (folder / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": str(weights)}))
    result = pytester.runpytest_subprocess("--model=adapter", "suites")
    assert result.ret in (1, 3)
    assert not marker.exists()
    assert "Traceback" not in result.stdout.str()
    assert "evil" not in sys.modules

"""From a reference, as the user writes it, to a model on this machine."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from pytest_forgetting.errors import ForgettingError, WrongUsage
from pytest_forgetting.models import folder as files
from pytest_forgetting.models import hub, lineage
from pytest_forgetting.models.chat_template import chat_template_in
from pytest_forgetting.models.endpoint import bare
from pytest_forgetting.models.local_model import LocalModel

__all__ = ["LocalModel", "resolve"]

BASE = "base"
DEMO = "demo:"
_LINE_ABOUT_KINDS = (
    "a model is a folder, a Hub id ([org/]name[@revision]), demo:NAME, a recording (.json), or a server's"
    " (http://HOST/v1#NAME)"
)


def resolve(ref: str, *, candidate: LocalModel | None = None, allow_pickle: bool = False) -> LocalModel:
    """Find the model that `ref` names. Nothing is loaded; a Hub repository is downloaded where it is not cached.

    Args:
        ref: a folder (full checkpoint or PEFT adapter), a Hub id, `demo:NAME`, or `base`. A folder goes before any
            other meaning of its name.
        candidate: the model whose recorded base the word `base` means.
        allow_pickle: take weights in pickle format, which may run code when they are read.

    Raises:
        WrongUsage: the reference names nothing that could be asked; the message says what was looked for.
        CannotAnswer: it names something that cannot be read.
    """
    if not ref.strip():
        raise WrongUsage(f"an empty reference names no model; {_LINE_ABOUT_KINDS}")
    path = _path(ref)
    if _is_folder(path):
        return _described(ref, path.absolute(), allow_pickle)
    if ref == BASE:
        return _recorded_base(candidate, allow_pickle)
    if ref.startswith(DEMO):
        from pytest_forgetting.demo import prepare

        return _described(ref, prepare(ref.removeprefix(DEMO)), allow_pickle)
    if "://" in ref:
        raise WrongUsage(
            f"{bare(ref)}: names a server, where a model is wanted that can be loaded; {_LINE_ABOUT_KINDS}"
        )
    if _holds(path.is_file):
        raise WrongUsage(f"{ref}: is a file; {_LINE_ABOUT_KINDS}")
    return _described(ref, _fetched(ref, allow_pickle), allow_pickle)


def _path(ref: str) -> Path:
    try:
        return Path(ref).expanduser()
    except RuntimeError:  # the home of a user who does not exist
        return Path(ref)


def _is_folder(path: Path) -> bool:
    return _holds(path.is_dir)


def _holds(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:  # such as a name too long for the file system
        return False


def _fetched(ref: str, allow_pickle: bool) -> Path:
    if not hub.is_hub_id(ref):
        raise WrongUsage(f"{ref:.200}: no such folder{_near_misses(ref)}; {_LINE_ABOUT_KINDS}")
    try:
        return hub.fetch(ref, allow_pickle=allow_pickle)
    except WrongUsage as error:
        raise WrongUsage(f"{error}{_near_misses(ref)}") from None


def _near_misses(ref: str) -> str:
    path = _path(ref)
    try:
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    except (OSError, ValueError):  # ValueError: a null byte
        return ""
    near = get_close_matches(path.name, beside, n=3)
    return f"; did you mean {' or '.join(str(path.parent / name) for name in near)}?" if near else ""


def _recorded_base(candidate: LocalModel | None, allow_pickle: bool) -> LocalModel:
    if candidate is None:
        raise WrongUsage("'base' is the model that --model records as its base, and there is none; give --baseline REF")
    if candidate.adapter is not None:
        return candidate.base(BASE)
    named = lineage.base_in_card(candidate.weights)
    if named is None:
        looked = f"neither {files.ADAPTER_CONFIG} nor 'base_model:' in the model card (README.md)"
        raise WrongUsage(f"{candidate.ref} does not record its base: {looked}; give --baseline REF")
    found = _named_by(
        named, candidate.weights, allow_pickle, f"{candidate.ref}: 'base_model: {named}' in its model card"
    )
    return _described(BASE, found, allow_pickle)


def _named_by(name: str, folder: Path, allow_pickle: bool, said: str) -> Path:
    """The folder of a base that the files in `folder` name: as it stands, relative to them, or from the Hub.

    Raises:
        ForgettingError: there is none; the message begins with `said`.
    """
    for path in (_path(name), folder / name):
        if _is_folder(path):
            return path.absolute()
    try:
        return _fetched(name, allow_pickle)
    except ForgettingError as error:
        raise type(error)(f"{said} cannot be found: {error}") from None


def _described(ref: str, folder: Path, allow_pickle: bool) -> LocalModel:
    if (folder / files.ADAPTER_CONFIG).is_file():
        return _adapter(ref, folder, allow_pickle)
    if not (folder / files.CONFIG).is_file():
        raise WrongUsage(
            f"{ref}: there is no {files.CONFIG} (nor {files.ADAPTER_CONFIG}) in {folder}{_models_inside(folder)}"
        )
    _see_weights(ref, folder, allow_pickle)
    return LocalModel(ref, folder, None, folder, chat_template_in(folder), allow_pickle)


def _models_inside(folder: Path) -> str:
    marks = (files.CONFIG, files.ADAPTER_CONFIG)
    inside = sorted({path.parent.name for mark in marks for path in folder.glob(f"*/{mark}")})
    return f"; there are models in its folders {', '.join(inside[:3])}" if inside else ""


def _see_weights(ref: str, folder: Path, allow_pickle: bool) -> None:
    if files.weight_files(folder, allow_pickle=allow_pickle):
        return
    if files.has_pickled_weights(folder):
        raise WrongUsage(_pickled(ref, "pytorch_model.bin"))
    gguf = "; GGUF files are not supported" if any(folder.glob("*.gguf")) else ""
    raise WrongUsage(f"{ref}: there are no weights (model.safetensors) in {folder}{gguf}")


def _pickled(ref: str, name: str) -> str:
    return (
        f"{ref}: the only weights are {name}, in pickle format, which can run code when it is read; save them as"
        " safetensors, or trust them with --forgetting-allow-pickle"
    )


def _adapter(ref: str, folder: Path, allow_pickle: bool) -> LocalModel:
    _see_adapter(ref, folder, allow_pickle)
    name = lineage.base_of_adapter(folder)
    if name is None:
        raise WrongUsage(
            f"{ref}: the adapter does not name its base (base_model_name_or_path in {files.ADAPTER_CONFIG})"
        )
    weights = _named_by(name, folder, allow_pickle, f"{ref}: the adapter's base '{name}'")
    if (weights / files.ADAPTER_CONFIG).is_file():
        raise WrongUsage(f"{ref}: the adapter's base '{name}' is itself an adapter; merge that one into its base first")
    base = _described(f"{ref}: the adapter's base '{name}'", weights, allow_pickle)
    tokenizer = folder if files.has_tokenizer(folder) else weights
    return LocalModel(ref, base.weights, folder, tokenizer, chat_template_in(tokenizer), allow_pickle)


def _see_adapter(ref: str, folder: Path, allow_pickle: bool) -> None:
    """Refuse what could be read in two ways: transformers would put the adapter on top of the merged weights."""
    if files.weight_files(folder, allow_pickle=True):
        raise WrongUsage(
            f"{ref}: {folder} holds both a full checkpoint and {files.ADAPTER_CONFIG}; move one of them elsewhere"
        )
    if files.adapter_weights(folder, allow_pickle=allow_pickle) is None:
        if files.adapter_weights(folder, allow_pickle=True) is not None:
            raise WrongUsage(_pickled(ref, "adapter_model.bin"))
        raise WrongUsage(f"{ref}: there are no adapter weights (adapter_model.safetensors) in {folder}")

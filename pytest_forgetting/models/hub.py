"""Models on the Hugging Face Hub, as far as answering needs them."""

from __future__ import annotations

from pathlib import Path

from pytest_forgetting.errors import CannotAnswer, WrongUsage

# A card names the base that a model was tuned from; code is only fetched here, --trust-remote-code runs it.
WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.tiktoken", "merges.txt", "vocab.txt", "README.md", "*.py")
PICKLED = ("pytorch_model*.bin", "adapter_model.bin")
UNWANTED = ("*/*", "consolidated*")
"""Checkpoints of a training under way, other formats' copies of the same weights."""


def is_hub_id(name: str) -> bool:
    """Whether `name` could be a repository: `[org/]name`, with or without `@revision`."""
    from huggingface_hub.errors import HFValidationError

    # It is documented, and not in `__all__`.
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name.partition("@")[0])
    except HFValidationError:
        return False
    return not name.endswith("@")


def fetch(name: str, *, allow_pickle: bool) -> Path:
    """The folder of the repository `[org/]name[@revision]`, downloaded as far as it is not cached.

    Raises:
        WrongUsage: there is no such repository, or it is neither cached nor can it be reached.
        CannotAnswer: it is there, but could not be fetched.
    """
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    wanted = [*WANTED, *(PICKLED if allow_pickle else ())]
    try:
        found = snapshot_download(
            repository, revision=revision or None, allow_patterns=wanted, ignore_patterns=list(UNWANTED)
        )
    except Exception as error:  # the client lets through whatever its HTTP library raises
        raise _explained(name, error) from None
    return Path(found)


def _explained(name: str, error: Exception) -> WrongUsage | CannotAnswer:
    from huggingface_hub import errors

    repository, _, revision = name.partition("@")
    name = f"{name:.200}"
    if isinstance(error, errors.GatedRepoError):
        return WrongUsage(f"{name}: the Hub repository is gated; ask for access there, then: hf auth login")
    if isinstance(error, errors.RevisionNotFoundError):
        return WrongUsage(f"{name}: the Hub repository {repository} has no revision '{revision:.200}'")
    if isinstance(error, errors.RepositoryNotFoundError):
        return WrongUsage(f"{name}: there is no Hub repository of this name (a private one needs: hf auth login)")
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        unreached = "no such folder, and as a Hub repository neither cached here nor within reach"
        return WrongUsage(f"{name}: {unreached}; without a network name a folder that the model was downloaded into")
    return CannotAnswer(f"{name}: could not be fetched from the Hub: {str(error).strip().splitlines()[0]}")

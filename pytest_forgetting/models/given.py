"""A model that the caller has loaded: it is asked where it is, and left as it was."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.chat_template import default_template
from pytest_forgetting.models.local_model import LocalModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.models.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class GivenModel:
    """A loaded model with its tokenizer."""

    ref: str
    """What reports call it."""
    model: Any
    """A `PreTrainedModel`, or a `PeftModel` around one."""
    tokenizer: PreTrainedTokenizerBase
    adapter_off: bool = False
    """Whether it speaks with its adapter switched off."""
    snapshot: str | None = None
    """The name of a moment of weights in training, which are not worth being hashed."""

    @cached_property
    def plain(self) -> PreTrainedModel:
        """The model itself, without the adapter that may be around it."""
        # torch gives attributes of modules no type.
        return self.model.get_base_model() if self._wears_adapter else self.model  # type: ignore[no-any-return]

    @cached_property
    def told_by_its_weights(self) -> bool:
        """Whether everything that its answers depend on can be hashed, so that they may be kept."""
        return self.snapshot is None and self._digest is not None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over parameters, settings and tokenizer as they are now; else a name that nothing else has."""
        return self.snapshot or self._digest or f"not-hashed-{uuid.uuid4().hex}"

    @cached_property
    def chat_template(self) -> str | None:
        """The tokenizer's own."""
        return default_template(self.tokenizer.chat_template)

    @property
    def is_adapter(self) -> bool:
        """Whether it speaks through an adapter."""
        return self._wears_adapter and not self.adapter_off

    @property
    def device(self) -> str:
        """Where it is, in the name that ``--device`` has for it."""
        name = str(self.plain.device)
        return "cuda" if name == "cuda:0" else name

    @property
    def dtype(self) -> str:
        """Of its weights, in torch's name."""
        return str(self.plain.dtype).removeprefix("torch.")

    @property
    def attention(self) -> str:
        """The kernel that it attends with."""
        return str(getattr(self.plain.config, "_attn_implementation", None))

    @cached_property
    def parameters(self) -> int:
        """How many it has, without those of an adapter."""
        return int(self.plain.num_parameters())

    def base(self) -> GivenModel:
        """The same model with its adapter switched off.

        Raises:
            WrongUsage: it has none, or what is left without it is not its base.
        """
        if not self._wears_adapter:
            raise WrongUsage(f"{self.ref} is no adapter: name the model it was tuned from, baseline=…")
        from pytest_forgetting.models.adapter_in_memory import changes_its_base

        if (how := changes_its_base(self.model)) is not None:
            raise WrongUsage(f"{self.ref}: {how}; load its base and name it, baseline=(base, tokenizer)")
        return GivenModel(f"{self.ref} without its adapter", self.model, self.tokenizer, adapter_off=True)

    def stands_on(self, other: GivenModel) -> bool:
        """Whether this adapter was put on the very model `other`, which therefore speaks through it too."""
        return self._wears_adapter and self.plain is other.model

    @contextmanager
    def speaking(self) -> Iterator[LoadedModel]:
        """Let it speak until the block ends, in evaluation mode and without gradients; after it all is as before."""
        from pytest_forgetting.models.load_errors import quiet
        from pytest_forgetting.models.resident import ready
        from pytest_forgetting.models.undisturbed import undisturbed

        with undisturbed(self.model):
            on = self.is_adapter
            loaded = ready(self.model, self.plain, self._own_tokenizer, self.device, self.dtype, adapter_on=on)
            with quiet():
                switch = self.model.disable_adapter() if self.adapter_off else nullcontext()
            with switch:
                yield loaded

    def written(self, folder: Path) -> LocalModel:
        """Its settings and tokenizer as files in `folder`, for those who compare files; weights are left out."""
        self.tokenizer.save_pretrained(folder)
        self.plain.config.save_pretrained(folder)
        if self.plain.generation_config is not None:
            self.plain.generation_config.save_pretrained(folder)
        return LocalModel(self.ref, folder, None, folder, self.chat_template)

    @property
    def _wears_adapter(self) -> bool:
        return hasattr(self.model, "disable_adapter")

    @cached_property
    def _own_tokenizer(self) -> PreTrainedTokenizerBase:
        """A copy: the caller's is not to be changed."""
        from pytest_forgetting.models.checkpoint import embedding_rows
        from pytest_forgetting.models.resident import padding

        return padding(copy.deepcopy(self.tokenizer), embedding_rows(self.plain))

    @cached_property
    def _digest(self) -> str | None:
        from pytest_forgetting.models.weights_in_memory import digest_of

        return digest_of(self.model, self.plain, self._own_tokenizer, adapter_off=self.adapter_off)


def given_model(what: str, model: Any, tokenizer: Any) -> GivenModel:
    """The model that a caller gives as `what`, once it is sure that it can be asked.

    Raises:
        WrongUsage: it is no loaded causal language model, or what is given with it is no tokenizer.
    """
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    model = getattr(model, "_orig_mod", model)  # of torch.compile: the same weights, and no hour of compiling
    found = GivenModel("", model, tokenizer)
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise WrongUsage(f"{what}: found {_kind(tokenizer)} beside the model; wanted its tokenizer")
    if not isinstance(model, PreTrainedModel) and not hasattr(model, "disable_adapter"):
        raise WrongUsage(f"{what}: found {_kind(model)}; wanted a model of transformers or peft")
    plain: Any = found.plain
    if plain.get_output_embeddings() is None or plain.config.is_encoder_decoder:
        raise WrongUsage(f"{what}: {_kind(found.plain)} is no causal language model; only those can be asked")
    return GivenModel(f"{_named(found)} in memory", model, tokenizer)


def _named(found: GivenModel) -> str:
    """A base that bears an adapter speaks through it, whoever put it on."""
    name = type(found.plain).__name__
    if found.is_adapter:
        return f"{name} with the adapter {found.model.active_adapter}"
    bears = any(
        hasattr(module, "active_adapters") and hasattr(module, "base_layer") for module in found.plain.modules()
    )
    return f"{name} that bears an adapter" if bears else name


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"

"""How the settings of two checkpoints differ: shape, context, quantisation, and how they would decode by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_forgetting.comparison.participants import Finding

Config = Mapping[str, Any]
SHAPE = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
"""What tuning leaves as it is."""
DECODING: dict[str, object] = {
    "do_sample": False,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 50,
    "min_p": None,
    "typical_p": 1.0,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "length_penalty": 1.0,
    "penalty_alpha": None,
    "max_length": 20,
    "max_new_tokens": None,
    "min_length": 0,
    "min_new_tokens": None,
    "bad_words_ids": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "sequence_bias": None,
    "stop_strings": None,
    "guidance_scale": None,
}
"""What `generate` obeys of generation_config.json, with the values that transformers takes for what is left out."""


def setting(config: Config, name: str) -> Any:
    """A setting of the language model, wherever a model of several parts keeps it."""
    inner = config.get("text_config")
    return config[name] if config.get(name) is not None else inner.get(name) if isinstance(inner, dict) else None


def config_findings(had: Config, has: Config) -> Iterator[Finding]:
    """What differs between two config.json, the baseline's and the model's; what one does not tell is not compared."""
    yield from _shape(had, has)
    yield from _context(had, has)
    yield from _quantization(had, has)


def generation_findings(had: Config, has: Config) -> Iterator[Finding]:
    """What differs between two generation_config.json in how the models would decode if they were let."""
    changes = [
        f"{name} {_shown(before)} → {_shown(now)}"
        for name, default in DECODING.items()
        if (before := _value(had, name, default)) != (now := _value(has, name, default))
    ]
    if changes:
        detail = f"generation_config.json differs ({', '.join(changes)})"
        overridden = "overridden for both: answers here are greedy, or drawn as the suite says"
        yield Finding("generation-config", "info", f"{detail}; {overridden}")


def _shape(had: Config, has: Config) -> Iterator[Finding]:
    pairs = {name: (setting(had, name), setting(has, name)) for name in SHAPE}
    changes = [f"{name} {a} → {b}" for name, (a, b) in pairs.items() if None not in (a, b) and a != b]
    if changes:
        doubt = "the model can hardly have been tuned from this baseline; see that --baseline names the right one"
        yield Finding("architecture", "warning", f"the architectures differ ({', '.join(changes)}): {doubt}")


def _context(had: Config, has: Config) -> Iterator[Finding]:
    before, now = (setting(config, "max_position_embeddings") for config in (had, has))
    if isinstance(before, int) and isinstance(now, int) and before != now:
        detail = f"max_position_embeddings is {now} with the model, {before} with the baseline"
        if now < before:
            yield Finding("context-length", "warning", f"{detail}: longer prompts go unanswered")
        else:
            yield Finding("context-length", "info", f"{detail}: what fits the baseline fits the model")
    changes = _rope_changes(_rope(had), _rope(has))
    if changes:
        advice = "positions are read differently from the first token on; put it back unless the model was trained so"
        yield Finding("context-length", "warning", f"the rotary embeddings differ ({', '.join(changes)}): {advice}")


def _rope(config: Config) -> dict[str, Any]:
    """The settings of rotary embeddings as transformers 5 names them; what an older config leaves out is missing.

    Empty where there are several sets of them, one for each kind of layer.
    """
    told = setting(config, "rope_parameters") or setting(config, "rope_scaling") or {}
    if not isinstance(told, dict) or any(isinstance(value, dict) for value in told.values()):
        return {}
    theta = told.get("rope_theta", setting(config, "rope_theta"))
    kind = told.get("rope_type", told.get("type", "default"))
    known = {**told, "rope_type": kind, "rope_theta": theta}
    return {name: value for name, value in known.items() if name != "type" and value is not None}


def _rope_changes(had: Mapping[str, Any], has: Mapping[str, Any]) -> list[str]:
    return [f"{name} {had[name]} → {has[name]}" for name in had if name in has and had[name] != has[name]]


def _quantization(had: Config, has: Config) -> Iterator[Finding]:
    before, now = (_quantized(config) for config in (had, has))
    if before == now:
        return
    advice = "a loss may be that of the quantisation: compare both models in one form"
    detail = f"the model's weights are {now or 'not quantised'}, the baseline's {before or 'not quantised'}"
    yield Finding("quantization", "warning", f"{detail}; {advice}")


def _quantized(config: Config) -> str:
    """In a few words, empty for plain weights."""
    told = setting(config, "quantization_config")
    if not isinstance(told, dict):
        return ""
    loaded = [f"{n} bit" for n in (4, 8) if told.get(f"load_in_{n}bit")]
    bits = f"{told['bits']} bit" if "bits" in told else "".join(loaded)
    details = [bits, *(str(told[name]) for name in ("bnb_4bit_quant_type", "fmt", "format") if told.get(name))]
    group = [f"groups of {told['group_size']}"] if told.get("group_size") else []
    shown = ", ".join(part for part in (*details, *group) if part)
    return f"quantised by {told.get('quant_method', 'a method that is not named')}" + (f" ({shown})" if shown else "")


def _value(config: Config, name: str, default: object) -> object:
    value = config.get(name)
    return default if value is None else value


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"

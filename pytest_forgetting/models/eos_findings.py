"""Where answers end: the end-of-sequence ids that config, generation_config and tokenizer of two checkpoints name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.models.config_findings import setting
from pytest_forgetting.models.tokenizer_files import TokenizerFiles


@dataclass(frozen=True)
class Ends:
    """The end-of-sequence ids of one side."""

    here: frozenset[int]
    """At which answers end in a comparison: whatever any of the three files names."""
    elsewhere: frozenset[int]
    """At which transformers' `generate` ends, which asks the generation config alone."""


def ends_of(config: Mapping[str, Any], generation: Mapping[str, Any], tokenizer: TokenizerFiles) -> Ends:
    """Read the ends of one side.

    Args:
        config: config.json.
        generation: generation_config.json, empty where there is none: transformers then makes it from the config.
        tokenizer: of the same side.
    """
    by_config, by_generation = _ids(setting(config, "eos_token_id")), _ids(generation.get("eos_token_id"))
    by_tokenizer = _ids(tokenizer.id_of("eos_token"))
    return Ends(by_config | by_generation | by_tokenizer, by_generation if generation else by_config)


def eos_findings(had: Ends, has: Ends, tokenizer: TokenizerFiles) -> Iterator[Finding]:
    """What differs, in the words of the model's `tokenizer`."""
    names = {number: token for token, number in (tokenizer.vocabulary or {}).items()}
    lost, gained = had.here - has.here, has.here - had.here
    words = [each for each in gained if names.get(each) not in tokenizer.special]
    if lost or gained:
        ends = f"the model's answers end at {_shown(has.here, names)}, the baseline's at {_shown(had.here, names)}"
        advice = _advice(lost, words, names)
        yield Finding("eos", "warning" if lost or words else "info", f"{ends}: {advice}")
    elif unnamed := (had.elsewhere - has.elsewhere) & has.here:
        what = f"generation_config.json of the model no longer names {_shown(unnamed, names)} as an end"
        cure = f"set its eos_token_id to {_value(had.elsewhere)}"
        told = f"{what}; answers here end there all the same, generate() would run on: {cure}"
        yield Finding("eos", "info", told)


def _advice(lost: frozenset[int], words: list[int], names: Mapping[int, str]) -> str:
    if words:
        cut = f"answers break off at {_shown(frozenset(words), names)}, which is no special token"
        return f"{cut}; put eos_token_id back in config.json and generation_config.json"
    if lost:
        what = _shown(lost, names)
        return f"they run on where it says {what}; add {_value(lost)} to eos_token_id in its generation_config.json"
    return "each ends as it is meant to"


def _ids(told: Any) -> frozenset[int]:
    values = told if isinstance(told, list) else [told]
    return frozenset(value for value in values if isinstance(value, int))


def _shown(ends: frozenset[int], names: Mapping[int, str]) -> str:
    shown = [f"{names[each]} ({each})" if each in names else str(each) for each in sorted(ends)]
    return " and ".join(shown) or "no token"


def _value(ends: frozenset[int]) -> str:
    return str(sorted(ends)) if len(ends) > 1 else str(*ends)

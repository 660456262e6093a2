"""How the vocabularies of two tokenizers differ, and whether the embeddings have a row for every token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_forgetting.comparison.participants import Finding

SHOWN = 3
"""Tokens named of many."""
Vocabulary = Mapping[str, int]
Rows = tuple[int | None, int | None]
"""Of the embeddings of baseline and model, None where that is not known."""


def vocabulary_findings(had: Vocabulary, has: Vocabulary, rows: Rows, special: frozenset[str]) -> Iterator[Finding]:
    """Tell of tokens added, removed or moved, and of embeddings that do not fit the model's vocabulary `has`.

    Args:
        had: the baseline's.
        has: the model's.
        rows: of both embeddings.
        special: tokens of either side that no text becomes by itself, such as one for padding.
    """
    changes = _changes(had, has)
    grown = _grown(rows)
    unread = [] if rows[1] is None else [token for token, number in has.items() if number >= rows[1]]
    if not (changes or grown):
        return
    told = [f"the model's tokenizer {'; '.join(changes)}"] if changes else []
    told += [grown] if grown else []
    if not changes and not unread:
        yield Finding("vocabulary", "info", f"{grown}, for the same tokens: the difference is padding")
    else:
        lost = [token for token in removed(had, has) if token not in special]
        advice = _advice(unread, other=bool(lost or moved(had, has)))
        harmless = not (unread or moved(had, has)) and had.keys() ^ has.keys() <= special
        yield Finding("vocabulary", "info" if harmless else "warning", f"{'; '.join(told)}: {advice}")


def removed(had: Vocabulary, has: Vocabulary) -> list[str]:
    """Tokens of `had` that are not in `has`, in the order of their ids."""
    return sorted(had.keys() - has.keys(), key=lambda token: (had[token], token))


def moved(had: Vocabulary, has: Vocabulary) -> list[str]:
    """Tokens of both with different ids."""
    return [] if had == has else [token for token, number in had.items() if has.get(token, number) != number]


def some(tokens: Sequence[str]) -> str:
    """Up to three of `tokens`, and how many more there are."""
    more = len(tokens) - SHOWN
    return ", ".join(tokens[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _changes(had: Vocabulary, has: Vocabulary) -> list[str]:
    phrases = (
        ("has {} that the baseline's lacks", removed(has, had)),
        ("lacks {} of the baseline's", removed(had, has)),
        ("gives {} another id", moved(had, has)),
    )
    return [f"{phrase.format(_counted(tokens))} ({some(tokens)})" for phrase, tokens in phrases if tokens]


def _counted(tokens: Sequence[str]) -> str:
    return f"{len(tokens)} token{'s' * (len(tokens) != 1)}"


def _grown(rows: Rows) -> str:
    if None in rows or rows[0] == rows[1]:
        return ""
    return f"the model has {rows[1]} embeddings, the baseline {rows[0]}"


def _advice(unread: Sequence[str], *, other: bool) -> str:
    if unread:
        return (
            f"there is no embedding for {some(unread)}, and no prompt that holds it can be read;"
            " resize_token_embeddings before training, or copy the baseline's tokenizer files"
        )
    if other:
        return "the same text is read as other ids; copy the baseline's tokenizer files unless the model was trained so"
    return "answers can be compared all the same"

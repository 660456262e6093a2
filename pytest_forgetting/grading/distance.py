"""How far two texts are apart."""

from __future__ import annotations


def within_distance(text: str, wanted: str, most: int) -> bool:
    """Whether `text` becomes `wanted` by at most `most` insertions, deletions and substitutions (Levenshtein).

    Takes time in proportion to `most` times the length: only cells near the table's diagonal are filled.
    """
    if abs(len(text) - len(wanted)) > most:
        return False
    row = {column: column for column in range(min(most, len(wanted)) + 1)}
    for line, letter in enumerate(text, 1):
        row = _next_row(row, line, letter, wanted, most)
        if not row:
            return False
    return len(wanted) in row


def _next_row(above: dict[int, int], line: int, letter: str, wanted: str, most: int) -> dict[int, int]:
    """The row's cells of at most `most`, by column."""
    row: dict[int, int] = {}
    for column in range(max(0, line - most), min(len(wanted), line + most) + 1):
        beyond = most + 1
        substituted = above.get(column - 1, beyond) + (column > 0 and letter != wanted[column - 1])
        cost = min(substituted, above.get(column, beyond) + 1, row.get(column - 1, beyond) + 1)
        if cost <= most:
            row[column] = cost
    return row

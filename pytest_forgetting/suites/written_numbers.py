"""Numbers that stand without quotes where a text is meant: 3.10 is a version, and 1.50 a price."""

from __future__ import annotations

import re
from typing import Self

_DECIMAL = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9]+(?:[eE][-+]?[0-9]+)?)")
_OTHER_BASES = (
    (re.compile(r"[-+]?0[0-7_]+"), "an octal number"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), "a hexadecimal number"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number"),
    (re.compile(r"[-+]?[0-9_]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "a number to base 60"),
)


class WrittenNumber(float):
    """A number whose `str` is how it was written, with the zeros at its end."""

    def __new__(cls, text: str) -> Self:
        """Of a decimal number."""
        number = super().__new__(cls, text)
        number._text = text
        return number

    _text: str

    def __str__(self) -> str:
        """As it was written."""
        return str(self._text)


def as_written(text: str) -> float:
    """The number `text`; a decimal one remembers its digits.

    Raises:
        ValueError: it is none.
    """
    plain = text.replace("_", "").removeprefix("+")
    return WrittenNumber(plain) if _DECIMAL.fullmatch(text) else float(plain)


def other_base(text: str) -> str | None:
    """What kind of number YAML 1.1 makes of `text` that no reader of it would: 010 is 8 there, and 12:30 is 750."""
    return next((kind for form, kind in _OTHER_BASES if form.fullmatch(text)), None)

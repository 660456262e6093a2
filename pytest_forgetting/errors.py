"""What can go wrong, sorted by who must act: the suite's author, the caller, or the machine.

Every message is complete as it stands (where, what was found, what was wanted); nobody adds to it on the way out.
"""

import re

_COMMAND = re.compile(r"##(?=(?:vso|teamcity)?\[)")


class ForgettingError(Exception):
    """Base of all errors that this package raises on purpose."""

    def __str__(self) -> str:
        """The message; what suites, checkpoints and servers brought into it commands no terminal."""
        return "\n".join(map(escaped, super().__str__().split("\n")))


def escaped(text: str) -> str:
    """`text` in one line: what cannot be printed, line breaks among it, as Python writes it in quotes."""
    return uncommanding("".join(char if char.isprintable() else repr(char)[1:-1] for char in text))


def uncommanding(text: str) -> str:
    """`text` with a blank in what CI servers take for commands anywhere in a line: ``##[error]``, ``##vso[…]``."""
    return _COMMAND.sub("# #", text)


class SuiteError(ForgettingError):
    """A suite cannot be read. One line per finding: ``file:line:column: what was found; what was wanted``."""


class WrongUsage(ForgettingError):
    """The command cannot be meant as given: an unknown reference, a value out of range (pytest's exit code 4)."""


class NotFound(ForgettingError, LookupError):
    """A comparison has no case, category or suite of a name, or several."""


class CannotAnswer(ForgettingError):
    """The question could not be answered: weights that do not load, a lack of memory (exit code 3)."""


class DoesNotFit(CannotAnswer):
    """Memory does not suffice for a single row."""

"""What an installation carries of the checkout that it was built from."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """The folder ``example_suites`` or ``docs``: inside the package in a wheel, beside it in a checkout."""
    return next(folder for folder in (_PACKAGE / name, _PACKAGE.parent / name) if folder.is_dir())

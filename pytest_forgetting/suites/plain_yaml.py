"""PyYAML's safe loader, held to what a suite can mean: it raises nothing but YAML's own errors, and ends soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

DEPTH_LIMIT = 50
LONGEST_NUMBER = 1000
"""Characters. PyYAML takes time with the square of the length for base 60, and Python prints no longer ones."""

if TYPE_CHECKING:
    _Safe = yaml.SafeLoader
else:
    _Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlainLoader(_Safe):
    """The loader, with a limit to nesting and an error for every scalar that is not what its tag says."""

    _depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:  # noqa: ARG002
        """Count the levels while nodes are composed: libyaml's binding recurses in C, until the process dies."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT + 1 and current_node is not None:
            told = f"nested deeper than {DEPTH_LIMIT}"
            raise yaml.composer.ComposerError(None, None, told, current_node.start_mark)

    def ascend_resolver(self) -> None:
        """One level up again."""
        self._depth -= 1


def _guarded(tag: str, made: Callable[[Any, yaml.Node], Any]) -> Callable[[Any, yaml.Node], Any]:
    """A constructor of scalars, whose failures have a place."""

    def construct(loader: Any, node: yaml.Node) -> Any:
        try:
            if len(node.value) > LONGEST_NUMBER:
                raise ValueError("too long")
            return made(loader, node)
        except (ValueError, ArithmeticError, LookupError, AttributeError):
            told = f"found {node.value!r:.60}, which YAML takes for {tag} and cannot read"
            raise yaml.constructor.ConstructorError(None, None, told, node.start_mark) from None

    return construct


for _tag in ("int", "float", "bool", "timestamp"):
    _full = f"tag:yaml.org,2002:{_tag}"
    PlainLoader.add_constructor(_full, _guarded(_tag, yaml.SafeLoader.yaml_constructors[_full]))

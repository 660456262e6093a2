"""YAML read safely, with the line and column of everything in it."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import yaml

from pytest_forgetting.errors import SuiteError, escaped

SIZE_LIMIT = 64 << 20
DEPTH_LIMIT = 50
LONGEST_NUMBER = 100
"""Characters of a number; longer ones take minutes to be read, or cannot be shown."""
MOST_FINDINGS = 50
"""Told of one file."""
_MANY_BRACKETS = 1000
_DEEP_LINE = re.compile(r"^[ ?:-]{1000}", re.MULTILINE)
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Path = Sequence[str | int]


class Document:
    """One YAML document: its plain value, and where each part of it stands."""

    def __init__(self, text: str, shown_as: str) -> None:
        """Parse `text`.

        Raises:
            SuiteError: it is no plain YAML mapping; every finding with its position.
        """
        self.shown_as = shown_as
        collecting = gc.isenabled()
        gc.disable()  # a large suite makes many objects and no garbage
        try:
            self._see_depth(text)
            loader = _Loader(text)
            self.root = self._compose(loader)
            findings = list(islice(self._odd(self.root, 0), MOST_FINDINGS))
            if findings:
                raise SuiteError("\n".join(findings))
            self.value: dict[str, Any] = self._construct(loader)
        finally:
            if collecting:
                gc.enable()

    def _see_depth(self, text: str) -> None:
        """Refuse what is nested so deep that libyaml's composer, which recurses, would end the whole process."""
        if text.count("[") + text.count("{") <= _MANY_BRACKETS and not _DEEP_LINE.search(text):
            return
        depth = 0
        try:
            for event in yaml.parse(text, _Loader):
                if isinstance(event, yaml.CollectionStartEvent):
                    depth += 1
                elif isinstance(event, yaml.CollectionEndEvent):
                    depth -= 1
                if depth > 2 * DEPTH_LIMIT:
                    raise SuiteError(f"{self._at(event)}: nested deeper than {DEPTH_LIMIT}")
        except yaml.YAMLError:
            return  # told by the composer, which comes to the same place

    def _compose(self, loader: Any) -> yaml.MappingNode:
        try:
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = self.shown_as if mark is None else f"{self.shown_as}:{mark.line + 1}:{mark.column + 1}"
            raise SuiteError(f"{where}: {error.problem or error.context}; wanted plain YAML") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise SuiteError(f"{self.shown_as}:1:1: cannot be read as YAML: {str(error).splitlines()[0]}") from None
        if not isinstance(root, yaml.MappingNode):
            raise SuiteError(f"{self.shown_as}:1:1: found no mapping at the top; wanted keys such as 'forgetting: qa'")
        return root

    def _construct(self, loader: Any) -> dict[str, Any]:
        try:
            value: dict[str, Any] = loader.construct_document(self.root)
        # Values tagged for what they are not, such as !!int '', let PyYAML raise nearly anything.
        except (
            yaml.YAMLError,
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            ArithmeticError,
            RecursionError,
        ) as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
            told = getattr(error, "problem", None) or f"a value is not what its tag says ({error})"
            raise SuiteError(f"{self.shown_as}:{where}: {told}; suites are plain data") from None
        return value

    def _odd(self, node: yaml.Node, depth: int, seen: set[int] | None = None) -> Iterator[str]:
        """Aliases, too deep nesting, keys given twice or that are no text."""
        seen = set() if seen is None else seen
        if id(node) in seen:
            yield f"{self._at(node)}: found an alias; wanted every value written out"
            return
        seen.add(id(node))
        if depth > DEPTH_LIMIT:
            yield f"{self._at(node)}: nested deeper than {DEPTH_LIMIT}"
            return
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            yield f"{self._at(node)}: found a number of {len(node.value)} characters; wanted at most {LONGEST_NUMBER}"
        if isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    yield f"{self._at(key)}: found a key that is no text"
                elif (other := first.setdefault(key.value, key)) is not key:
                    line = other.start_mark.line + 1
                    yield f"{self._at(key)}: key '{escaped(key.value)}' given twice (first on line {line})"
                yield from self._odd(value, depth + 1, seen)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from self._odd(value, depth + 1, seen)

    def _at(self, node: yaml.Node | yaml.Event) -> str:
        assert node.start_mark is not None, "the loader notes where each one stands"
        return f"{self.shown_as}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def node(self, path: Path, *, key: bool = False) -> yaml.Node:
        """The node at `path`, or its nearest ancestor; with `key` the last key's own."""
        node: yaml.Node = self.root
        for n, part in enumerate(path):
            found: yaml.Node | None = None
            if isinstance(node, yaml.MappingNode):
                pairs = {name.value: (name, value) for name, value in node.value}
                if part in pairs:
                    found = pairs[part][0 if key and n == len(path) - 1 else 1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = node.value[part]
            if found is None:
                return node
            node = found
        return node

    def where(self, path: Path, *, key: bool = False) -> str:
        """``file:line:column`` of what stands at `path`."""
        return self._at(self.node(path, key=key))

    def line(self, path: Path) -> int:
        """1-based line of what stands at `path`."""
        return int(self.node(path).start_mark.line) + 1

    def lines(self, path: Path) -> list[int]:
        """1-based line of each element of the sequence at `path`."""
        node = self.node(path)
        return [each.start_mark.line + 1 for each in node.value] if isinstance(node, yaml.SequenceNode) else []

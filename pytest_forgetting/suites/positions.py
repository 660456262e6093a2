"""YAML read safely, with the line and column of everything in it."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from pytest_forgetting.suites.findings import refusal
from pytest_forgetting.suites.plain_yaml import PlainLoader

SIZE_LIMIT = 64 << 20
_BREAK = "\r\n|[\r\n\x85\u2028\u2029]"
"""What ends a line in YAML 1.1, which positions are counted by."""
Path = Sequence[str | int]
_Pairs = dict[str, tuple[yaml.Node, yaml.Node]]


class Document:
    """One YAML document: its plain value, and where each part of it stands."""

    def __init__(self, text: str, shown_as: str) -> None:
        """Parse `text`.

        Raises:
            SuiteError: it is no plain YAML mapping; every finding with its position.
        """
        self.shown_as = shown_as
        self._pairs: dict[int, _Pairs] = {}
        collecting = gc.isenabled()
        gc.disable()  # a large suite makes many objects and no garbage
        try:
            loader, self.root = self._compose(text)
            if findings := list(self._odd(self.root, set())):
                raise refusal(findings)
            self.value: dict[str, Any] = self._construct(loader)
        finally:
            if collecting:
                gc.enable()

    def _compose(self, text: str) -> tuple[PlainLoader, yaml.MappingNode]:
        try:
            loader = PlainLoader(text)
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = "1:1" if mark is None else _within(text, mark)
            told = f"{error.problem or error.context}; wanted plain YAML"
            raise refusal([f"{self.shown_as}:{where}: {told}"]) from None
        except yaml.YAMLError as error:
            where, told = _unreadable(text, error)
            raise refusal([f"{self.shown_as}:{where}: cannot be read as YAML: {told}"]) from None
        if not isinstance(root, yaml.MappingNode):
            told = "found no mapping at the top; wanted keys such as 'forgetting: qa'"
            raise refusal([f"{self.shown_as}:1:1: {told}"])
        return loader, root

    def _construct(self, loader: PlainLoader) -> dict[str, Any]:
        try:
            value: dict[str, Any] = loader.construct_document(self.root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or self.root.start_mark
            told = f"{error.problem or error.context}; suites are plain data"
            raise refusal([f"{self.shown_as}:{mark.line + 1}:{mark.column + 1}: {told}"]) from None
        return value

    def _odd(self, node: yaml.Node, seen: set[int]) -> Iterator[str]:
        """Aliases, keys given twice or that are no text."""
        if id(node) in seen:
            yield f"{self._at(node)}: found an alias; wanted every value written out"
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    yield f"{self._at(key)}: found a key that is no text"
                elif (other := first.setdefault(key.value, key)) is not key:
                    line = other.start_mark.line + 1
                    yield f"{self._at(key)}: key '{key.value}' given twice (first on line {line})"
                yield from self._odd(value, seen)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from self._odd(value, seen)

    def _at(self, node: yaml.Node) -> str:
        return f"{self.shown_as}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def node(self, path: Path, *, key: bool = False) -> yaml.Node:
        """The node at `path`, or its nearest ancestor; with `key` the last key's own."""
        node: yaml.Node = self.root
        for n, part in enumerate(path):
            found: yaml.Node | None = None
            if isinstance(node, yaml.MappingNode):
                pairs = self._pairs_of(node)
                if part in pairs:
                    found = pairs[part][0 if key and n == len(path) - 1 else 1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = node.value[part]
            if found is None:
                return node
            node = found
        return node

    def _pairs_of(self, node: yaml.MappingNode) -> _Pairs:
        """Key and value by the key's text, kept: a mapping of many wrong keys is asked for each of them."""
        if id(node) not in self._pairs:
            self._pairs[id(node)] = {name.value: (name, value) for name, value in node.value}
        return self._pairs[id(node)]

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


def _unreadable(text: str, error: yaml.YAMLError) -> tuple[str, str]:
    """Line and column of a character that YAML does not have, and what is said of it."""
    told = str(error).splitlines()[0]
    if not isinstance(error, yaml.reader.ReaderError):
        return "1:1", told
    return _end(text.encode()[: error.position].decode(errors="ignore")), told


def _within(text: str, mark: yaml.Mark) -> str:
    """Line and column of `mark`; libyaml counts a line too many at an end without a line break."""
    lines = len(re.findall(_BREAK, text)) + 1
    return f"{mark.line + 1}:{mark.column + 1}" if mark.line < lines else _end(text)


def _end(text: str) -> str:
    """Line and column behind `text`."""
    lines = re.split(_BREAK, text)
    return f"{len(lines)}:{len(lines[-1]) + 1}"

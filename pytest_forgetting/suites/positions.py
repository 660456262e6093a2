"""YAML read safely, with the line and column of everything in it."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import yaml

from pytest_forgetting.suites.refusal import refusal
from pytest_forgetting.suites.written_numbers import as_written, other_base

SIZE_LIMIT = 64 << 20
DEPTH_LIMIT = 50
LONGEST_NUMBER = 100
"""Characters of a number; longer ones take minutes to be read, or cannot be shown."""
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{name}" for name in ("str", "int", "bool", "null", "map", "seq")}
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_OTHERWISE = {"timestamp": "a date", "value": "a default", "merge": "a merge of mappings"}
"""What YAML reads unquoted text as that suites have no use for, by the ends of its tags."""
_BREAK = "\r\n|[\r\n\x85\u2028\u2029]"
"""What ends a line in YAML 1.1, which positions are counted by."""
Path = Sequence[str | int]
_Pairs = dict[str, tuple[yaml.Node, yaml.Node]]


class _Loader(_Safe):  # type: ignore[misc]  # one of two classes, as libyaml is there or not
    """Follows no document deeper than suites go: libyaml's composer recurses in C, and would end the process."""

    depth = 0

    def descend_resolver(self, parent: Any, index: Any) -> None:  # noqa: ARG002 - yaml's signature
        """Called where a node begins."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT + 1:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEPTH_LIMIT}", problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        """Called where it ends."""
        self.depth -= 1

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """A number with a point or an exponent."""
        try:
            return as_written(node.value)
        except ValueError:
            return float(self.construct_yaml_float(node))


_Loader.add_constructor(f"{_TAG}float", _Loader.construct_number)


class Document:
    """One YAML document: its plain value, and where each part of it stands."""

    ahead = 0
    """Lines of the text before the first one of the file."""

    def __init__(self, text: str, shown_as: str) -> None:
        """Parse `text`.

        Raises:
            SuiteError: it is no plain YAML mapping; every finding with its position.
        """
        self.shown_as = shown_as
        self._text = text
        self._pairs: dict[int, _Pairs] = {}
        collecting = gc.isenabled()
        gc.disable()  # a large suite makes many objects and no garbage
        try:
            loader = _Loader(text)
            self.root = self._compose(loader)
            if findings := list(dict.fromkeys(self._odd(self.root))):
                raise refusal(findings)
            self.value: dict[str, Any] = self._construct(loader)
        finally:
            if collecting:
                gc.enable()

    def _compose(self, loader: Any) -> yaml.MappingNode:
        try:
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise refusal([f"{self.shown_as}{_told(error, self._text, self.ahead)}"]) from None
        except yaml.reader.ReaderError:
            raise refusal([f"{self.shown_as}{self._unprintable()}; wanted plain text"]) from None
        except (yaml.YAMLError, RecursionError) as error:
            raise refusal([f"{self.shown_as}:1:1: cannot be read as YAML: {str(error).splitlines()[0]}"]) from None
        if not isinstance(root, yaml.MappingNode):
            raise refusal([f"{self.shown_as}:1:1: found no mapping at the top; wanted keys such as 'forgetting: qa'"])
        return root

    def _unprintable(self) -> str:
        """The first character that YAML has no place for, and where it stands."""
        odd = yaml.reader.Reader.NON_PRINTABLE.search(self._text)
        lines = re.split(_BREAK, self._text[: odd.start()] if odd else "")
        place = f":{len(lines) - self.ahead}:{len(lines[-1]) + 1}"
        return f"{place}: found " + (f"the character U+{ord(odd[0]):04X}" if odd else "an odd character")

    def _construct(self, loader: Any) -> dict[str, Any]:
        try:
            value: dict[str, Any] = loader.construct_document(self.root)
        except Exception as error:  # PyYAML lets through whatever Python's own conversions raise
            raise refusal(list(self._unmade(loader, self.root)) or [f"{self.shown_as}:1:1: {error}"]) from None
        return value

    def _unmade(self, loader: Any, node: yaml.Node) -> Iterator[str]:
        """Values that their own tags do not fit."""
        if isinstance(node, yaml.ScalarNode):
            try:
                loader.construct_object(node)
            except Exception:
                tag = node.tag.replace(_TAG, "!!")
                yield f"{self._at(node)}: found {node.value!r:.60} under the tag {tag}; {_QUOTED}"
            return
        for each in node.value:
            for part in each if isinstance(each, tuple) else (each,):
                yield from self._unmade(loader, part)

    def _odd(self, node: yaml.Node, seen: set[int] | None = None) -> Iterator[str]:
        """Aliases, keys given twice or that are no text, and values that are no plain data."""
        seen = set() if seen is None else seen
        if id(node) in seen:
            yield f"{self._at(node)}: found an alias; wanted every value written out"
            return
        seen.add(id(node))
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            yield f"{self._at(node)}: found a number of {len(node.value)} characters; wanted at most {LONGEST_NUMBER}"
        elif (node.tag not in _PLAIN or node.tag in _NUMBERS) and (told := _strange(node)) is not None:
            yield f"{self._at(node)}: {told}"
        if isinstance(node, yaml.MappingNode):
            yield from self._odd_keys(node)
            for _, value in node.value:
                yield from self._odd(value, seen)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from self._odd(value, seen)

    def _odd_keys(self, node: yaml.MappingNode) -> Iterator[str]:
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield f"{self._at(key)}: found a key that is no text"
            elif key.tag == f"{_TAG}merge":
                yield f"{self._at(key)}: found a merge of mappings ({key.value}); wanted every value written out"
            elif key.tag != f"{_TAG}str":
                yield f"{self._at(key)}: found the key {key.value}, which YAML does not read as text; {_QUOTED}"
            elif (other := first.setdefault(key.value, key)) is not key:
                line = other.start_mark.line + 1 - self.ahead
                yield f"{self._at(key)}: key '{key.value}' given twice (first on line {line})"

    def _at(self, node: yaml.Node) -> str:
        return f"{self.shown_as}:{node.start_mark.line + 1 - self.ahead}:{node.start_mark.column + 1}"

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


_QUOTED = "wanted it in quotes, as text"
_REMEDIES = {
    "mapping values are not allowed": "wanted quotes around a text that holds ': ', or other indentation",
    "found character that cannot start": "wanted quotes around a text that begins with such a character",
    "found a tab": "wanted blanks",
    "nested deeper": "wanted plain keys and lists",
    "found invalid Unicode character escape code": "wanted the character itself",
    "found undefined alias": "wanted quotes around a text that begins with *",
}
"""What helps, by the beginning of what libyaml finds."""


def _told(error: yaml.MarkedYAMLError, text: str, ahead: int) -> str:
    """``:line:column: what was found; what was wanted``."""
    mark, problem = error.problem_mark or error.context_mark, str(error.problem or error.context)
    begun = error.context_mark
    if error.problem and error.context and begun and mark and begun.line != mark.line:
        problem += f" {error.context}, which begins on line {begun.line + 1 - ahead}"
    if problem.startswith("but found another document"):
        problem = "found a second document"
    if problem.startswith("found character that cannot start") and mark and _at_tab(text, mark):
        problem = "found a tab character before a value"
    wanted = next((helps for start, helps in _REMEDIES.items() if problem.startswith(start)), "wanted plain YAML")
    place = ":1:1" if mark is None else f":{_within(text, mark, ahead)}"
    return f"{place}: {problem}; {wanted}"


def _at_tab(text: str, mark: yaml.Mark) -> bool:
    lines = re.split(_BREAK, text)
    return mark.line < len(lines) and lines[mark.line][mark.column :].startswith("\t")


def _within(text: str, mark: yaml.Mark, ahead: int) -> str:
    """Line and column of `mark`; libyaml counts a line too many at an end without a line break."""
    lines = re.split(_BREAK, text)
    line, column = (mark.line, mark.column) if mark.line < len(lines) else (len(lines) - 1, len(lines[-1]))
    return f"{line + 1 - ahead}:{column + 1}"


def _strange(node: yaml.Node) -> str | None:
    """What is wrong with a value whose tag is none of the plain ones; a number has to be a finite one."""
    kind = node.tag.removeprefix(_TAG)
    if node.tag in _NUMBERS and (base := other_base(node.value)) is not None:
        return f"YAML reads {node.value!r:.60} as {base}; {_QUOTED}"
    if kind == "int":
        return None
    if kind == "float":
        return None if _is_finite(node.value) else f"found {node.value}; wanted a finite number, or a text in quotes"
    if kind in _OTHERWISE:
        return f"YAML reads {node.value!r:.60} as {_OTHERWISE[kind]}; {_QUOTED}"
    return f"found the tag {node.tag.replace(_TAG, '!!')}; suites are plain data"


def _is_finite(text: str) -> bool:
    plain = text.lower().lstrip("+-")
    if plain in (".nan", ".inf"):
        return False
    try:
        return isfinite(float(plain.replace("_", "")))
    except ValueError:  # such as 1:30.5, or nothing that a number could be made of, which is told elsewhere
        return True

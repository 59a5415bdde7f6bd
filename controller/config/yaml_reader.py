"""Typed reading of a YAML file that collects problems instead of stopping at the first.

A read function takes an `Item` and returns its value, or raises `ValueError` saying what to write instead;
`Section.take` turns that into a problem with file, line and key, and goes on with the default.
"""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml

from controller.config.errors import ConfigProblem

T = TypeVar("T")

_STRING = "tag:yaml.org,2002:str"
_INTEGER = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_NULL = "tag:yaml.org,2002:null"
_KINDS = {
    _INTEGER: "a number",
    _FLOAT: "a number",
    _NULL: "nothing",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:map": "a section",
    "tag:yaml.org,2002:seq": "a list",
}


class Document:
    """One file and the problems found in it so far."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._problems: list[ConfigProblem] = []

    @property
    def problems(self) -> tuple[ConfigProblem, ...]:
        return tuple(sorted(self._problems, key=lambda problem: problem.line))

    def add(self, line: int, key: str, advice: str) -> None:
        self._problems.append(ConfigProblem(file=self.file, line=line, key=key, advice=advice))

    def read(self) -> "Section":
        """The file's top level; empty, with a problem, where the file cannot be read."""
        try:
            node = yaml.compose(self.file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            self.add(0, "", f"cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self.add(0, "", "is not UTF-8 text; save it as UTF-8")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.add(mark.line + 1 if mark else 0, "", f"is not YAML here: {error.problem or error.context}")
        except yaml.YAMLError:
            self.add(0, "", "is not YAML: it has characters that YAML does not allow")
        else:
            if node is None or isinstance(node, yaml.MappingNode):
                return Section(self, node, "", line=1)
            self.add(node.start_mark.line + 1, "", "must be keys with values, e.g. `data_dir: var`")
        return Section(self, None, "", line=0)


class Item:
    """One value in the file."""

    def __init__(self, document: Document, node: yaml.Node, path: str, line: int) -> None:
        self._document = document
        self._node = node
        self._path = path
        self.line = line

    @property
    def file(self) -> Path:
        return self._document.file

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    @property
    def is_section(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_null(self) -> bool:
        return str(self._node.tag) == _NULL

    @property
    def kind(self) -> str:
        """What it is, for a person; never the value, which may be a secret."""
        return _KINDS.get(str(self._node.tag), "text")

    def is_text(self, text: str) -> bool:
        """Whether it is exactly this word."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.tag == _STRING and self._node.value == text

    def text(self, example: str) -> str:
        if isinstance(self._node, yaml.ScalarNode) and self._node.tag == _STRING and self._node.value.strip():
            return str(self._node.value).strip()
        quoted = isinstance(self._node, yaml.ScalarNode) and self._node.tag not in (_STRING, _NULL)
        hint = "; put it in quotes if it is meant as text" if quoted else ""
        raise ValueError(f"must be text, e.g. {example}, not {self.kind}{hint}")

    def integer(self, *, minimum: int, maximum: int) -> int:
        """A whole number in the range, both ends included."""
        advice = f"must be a whole number from {minimum} to {maximum}"
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag != _INTEGER:
            raise ValueError(f"{advice}, not {self.kind}")
        value = int(str(self._node.value).replace("_", ""), base=0)
        if not minimum <= value <= maximum:
            raise ValueError(f"{advice}, not {value}")
        return value

    def number(self, *, minimum: float, maximum: float) -> float:
        """A number in the range, both ends included."""
        advice = f"must be a number from {minimum:g} to {maximum:g}"
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag not in (_INTEGER, _FLOAT):
            raise ValueError(f"{advice}, not {self.kind}")
        try:
            value = float(self._node.value)
        except ValueError:  # YAML's own forms: 0x10, 1:30, .inf
            value = float("nan")
        if not minimum <= value <= maximum:
            raise ValueError(f"{advice}, not {self._node.value}")
        return value

    def section(self) -> "Section":
        if not isinstance(self._node, yaml.MappingNode):
            raise ValueError(f"must be a section: keys with values, indented below it, not {self.kind}")
        return Section(self._document, self._node, self._path, line=self.line)

    def each(self, read: Callable[["Item"], T]) -> tuple[T, ...]:
        """What `read` makes of the entries of a list; an entry with a problem is left out."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise ValueError(f"must be a list, e.g. [a, b], not {self.kind}")
        values: list[T] = []
        for position, node in enumerate(self._node.value):
            item = Item(self._document, node, f"{self._path}[{position}]", node.start_mark.line + 1)
            try:
                values.append(read(item))
            except ValueError as error:
                item.problem(str(error))
        return tuple(values)

    def problem(self, advice: str) -> None:
        self._document.add(self.line, self._path, advice)


class Section:
    """Keys with values. Take every known key once, then `finish`."""

    def __init__(self, document: Document, node: yaml.MappingNode | None, path: str, *, line: int) -> None:
        self._document = document
        self._path = path
        self._line = line
        self._known: list[str] = []
        self._items: dict[str, Item] = {}
        for key_node, value_node in node.value if node else []:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            item = Item(document, value_node, self._path_of(key), key_node.start_mark.line + 1)
            if key in self._items:
                item.problem(f"stands here twice, first in line {self._items[key].line}; keep one")
            else:
                self._items[key] = item

    def take(self, key: str, read: Callable[[Item], T], default: T) -> T:
        """The value of `key`; `default` where it is absent, empty or wrong."""
        self._known.append(key)
        item = self._items.get(key)
        if item is None or item.is_null:
            return default
        try:
            return read(item)
        except ValueError as error:
            item.problem(str(error))
            return default

    def require(self, key: str, read: Callable[[Item], T], *, example: str) -> T | None:
        """The value of `key`; None, with a problem, where it is absent, empty or wrong."""
        if self.line_of(key) is None:
            self._document.add(self._line, self._path_of(key), f"is missing; write `{key}: {example}`")
        return self.take(key, read, None)

    def line_of(self, key: str) -> int | None:
        """Where `key` has a value; None where it is absent or empty."""
        item = self._items.get(key)
        return None if item is None or item.is_null else item.line

    def problem(self, key: str, advice: str) -> None:
        """A problem of `key` that shows only beside other keys."""
        self._document.add(self.line_of(key) or self._line, self._path_of(key), advice)

    def finish(self) -> None:
        """Report every key that nobody took."""
        for key, item in self._items.items():
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1, cutoff=0.5)
                known = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(self._known)}"
                item.problem(f"is not a key here; {known}")

    def _path_of(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

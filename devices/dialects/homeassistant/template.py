"""Home Assistant's templates, as far as discovery needs them, evaluated without ever running Jinja's generated code.

A template comes from whoever can publish a discovery message, so it is hostile until proven otherwise. Jinja only
parses it; what we evaluate is a whitelist of its nodes (`expressions.py`), over JSON values, with filters of our own
(`filters.py`):

- refused when registered (`InvalidPayload`): over 4,096 characters, nested deeper than 40, loops, macros, includes,
  `**`, unknown filters, functions and methods, `*` on a text or list literal;
- ended as "no update" when rendered: a missing key, a payload that is not JSON, any error, a text over 64 KiB on the
  way, a result over 4,096 characters, a number beyond 64 bits, more than 512 Ki characters touched by all templates of
  one device on one message: each template counts as four times its own length, and what its filters look at.

`*` is for numbers only. `value_json.update` is the key "update", never a method: there are no attributes of Python
objects. A container is built only from plain values and literals, so that references cannot multiply.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from jinja2 import Environment, TemplateError, nodes

from devices.device import Value
from devices.dialects.homeassistant.expressions import Expression, Scope, compiled, truth
from devices.dialects.homeassistant.filters import NoUpdate, limited, text_of
from devices.dialects.homeassistant.payload import MISSING, Payload
from devices.errors import InvalidPayload

MAX_SOURCE: Final = 4096
MAX_RESULT: Final = 4096
MAX_DEPTH: Final = 40
WORK_OF_SOURCE: Final = 4  # for each character of a template: what its steps cost before they touch a text
CACHED_TEMPLATES: Final = 4096  # a school's few hundred distinct texts; compiled per text, not per property

_RENDER_ERRORS = (NoUpdate, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
_PARSER = Environment(autoescape=False)  # only parses
_PATH = re.compile(
    r"""\s*\{\{\s*value_json((?:\.[A-Za-z_][A-Za-z0-9_]*|\['[^'"\\\]]+'\]|\["[^'"\\\]]+"\])+)\s*\}\}\s*""", re.ASCII
)
_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_]*)|\[['"]([^'"]+)['"]\]""", re.ASCII)


Statement = Callable[[Scope, list[str]], None]


class Template(Protocol):
    """A compiled template."""

    def render(self, payload: Payload) -> str | None:
        """The stripped text for a received payload; None where there is no update."""

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        """The stripped text for a command; `names` are what Home Assistant adds for some commands (`position`)."""


class PlainValue:
    """No template: the payload itself."""

    def render(self, payload: Payload) -> str | None:
        return payload.text.strip()

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return text_of(value)


class JsonPath:
    """`{{ value_json.a['b'] }}`, nine in ten of all templates: a few look-ups, no evaluation."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps = steps

    def render(self, payload: Payload) -> str | None:
        found = payload.json
        for step in self._steps:
            found = found.get(step, MISSING) if isinstance(found, dict) else MISSING
        try:
            return _result(text_of(found))
        except _RENDER_ERRORS:
            return None

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return None


class Program:
    """Any other template."""

    def __init__(self, body: Statement, work: int) -> None:
        self._body = body
        self._work = work

    def render(self, payload: Payload) -> str | None:
        if payload.work < self._work:
            payload.work = -1
            return None
        scope = Scope(payload, work=payload.work - self._work)
        text = self._run(scope)
        payload.work = scope.work
        return text

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return self._run(Scope(None, {**names, "value": value}))

    def _run(self, scope: Scope) -> str | None:
        out: list[str] = []
        try:
            self._body(scope, out)
            return _result("".join(out))
        except _RENDER_ERRORS:
            return None


PLAIN_VALUE: Final = PlainValue()


def _result(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_RESULT:
        raise NoUpdate
    text.encode()  # a lone surrogate from a literal cannot be stored or sent
    if "\x00" in text:
        raise NoUpdate
    return text


@lru_cache(maxsize=CACHED_TEMPLATES)
def compile_template(source: str) -> Template:
    """Raises `InvalidPayload` where the template is too long, not Jinja, or does what devices have no need to do."""
    if len(source) > MAX_SOURCE:
        raise InvalidPayload(f"template of {len(source)} characters; at most {MAX_SOURCE}")
    if path := _PATH.fullmatch(source):
        return JsonPath(tuple(dotted or quoted for dotted, quoted in _STEP.findall(path[1])))
    try:
        return Program(_body(_PARSER.parse(source).body, MAX_DEPTH), WORK_OF_SOURCE * len(source))
    except TemplateError as error:
        raise InvalidPayload(f"template: {error}") from error
    except (RecursionError, ValueError, OverflowError) as error:
        if isinstance(error, InvalidPayload):
            raise
        raise InvalidPayload("template: nested too deeply or with an impossible literal") from error


# Statements


def _body(body: list[nodes.Node], depth: int) -> Statement:
    statements = [_statement(node, depth - 1) for node in body]

    def run(scope: Scope, out: list[str]) -> None:
        for statement in statements:
            statement(scope, out)

    return run


def _statement(node: nodes.Node, depth: int) -> Statement:
    if depth <= 0:
        raise InvalidPayload("template: nested too deeply")
    match node:
        case nodes.Output():
            return _output(node, depth)
        case nodes.If():
            return _if(node, depth)
        case nodes.Assign(target=nodes.Name(name=name)):
            return _assign(name, compiled(node.node, depth - 1))
    raise InvalidPayload(f"template: {type(node).__name__} is not allowed")


def _output(node: nodes.Output, depth: int) -> Statement:
    parts = [compiled(part, depth - 1) for part in node.nodes]

    def run(scope: Scope, out: list[str]) -> None:
        for part in parts:
            out.append(text_of(part(scope)))
            limited(sum(map(len, out)))

    return run


def _if(node: nodes.If, depth: int) -> Statement:
    branches = [(compiled(each.test, depth - 1), _body(each.body, depth - 1)) for each in [node, *node.elif_]]
    otherwise = _body(node.else_, depth - 1)

    def run(scope: Scope, out: list[str]) -> None:
        for test, body in branches:
            if truth(test(scope)):
                return body(scope, out)
        return otherwise(scope, out)

    return run


def _assign(name: str, value: Expression) -> Statement:
    def run(scope: Scope, out: list[str]) -> None:
        scope.names[name] = value(scope)

    return run

"""Home Assistant's templates, as far as discovery needs them, evaluated without ever running Jinja's generated code.

A template comes from whoever can publish a discovery message, so it is hostile until proven otherwise. Jinja only
parses it; what we evaluate is a whitelist of its nodes (`expressions.py`), over JSON values, with filters of our own
(`filters.py`):

- refused when registered (`InvalidPayload`): over 4,096 characters or 1,000 words and signs, nested deeper than 40,
  loops, macros, includes, unknown names, filters, functions, methods and arguments, `*` on a text or list literal;
- ended as "no update" when rendered: a missing key, a part of a missing key, a payload that is not the JSON that the
  template reads, any error, a text over 64 KiB on the way, a result over 4,096 characters, a number beyond 64 bits,
  more than 256 Ki characters touched by it, or 512 Ki by all templates of one device on one message: each counts as
  four times its own length, and what it looks at and makes.

A missing key is false where a template asks for its truth or compares it, as in Home Assistant. `*` is for numbers
only. `value_json.update` is the key "update", never a method: there are no attributes of Python objects. A container
is built only from plain values and literals, so that references cannot multiply.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from jinja2 import Environment, TemplateError, nodes

from devices.device import Value
from devices.dialects.homeassistant.expressions import Expression, compiled, truth
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.scope import MAX_RENDERING, Scope
from devices.dialects.homeassistant.values import NoUpdate, text_of
from devices.errors import InvalidPayload

MAX_SOURCE: Final = 4096
MAX_TOKENS: Final = 1000  # Jinja takes about 8 µs for each
MAX_RESULT: Final = 4096  # characters of a value
MAX_COMMAND: Final = 16 * 1024  # characters of a command
MAX_DEPTH: Final = 40
WORK_OF_SOURCE: Final = 4  # for each character of a template: what its steps cost before they touch a text
CACHED_TEMPLATES: Final = 4096  # a school's few hundred distinct texts; compiled per text, not per property

_RENDER_ERRORS = (NoUpdate, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
_PARSER = Environment(autoescape=False)  # only parses
_PATH = re.compile(
    r"""\s*\{\{\s*value_json((?:\.[A-Za-z_][A-Za-z0-9_]*|\['[^'"\\\]]+'\]|\["[^'"\\\]]+"\])+)\s*\}\}\s*""", re.ASCII
)
_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_]*)|\[['"]([^'"]+)['"]\]""", re.ASCII)
_ASKING = frozenset({"defined", "undefined", "default", "d"})
_TOKEN = re.compile(r"\w+|[^\w\s]")

Statement = Callable[[Scope], None]


class Template(Protocol):
    """A compiled template."""

    @property
    def needs(self) -> frozenset[str]:
        """The names that it neither sets nor asks about: without them it has nothing to say."""

    def render(self, payload: Payload) -> str | None:
        """The stripped text for a received payload; None where there is no update."""

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        """The stripped text for a command; `names` are what Home Assistant adds for some commands (`position`)."""


class PlainValue:
    """No template: the payload itself."""

    needs: frozenset[str] = frozenset()

    def render(self, payload: Payload) -> str | None:
        return payload.text.strip()

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return text_of(value)


class JsonPath:
    """`{{ value_json.a['b'] }}`, nine in ten of all templates: a few look-ups, no evaluation."""

    needs = frozenset({"value_json"})

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps = steps

    def render(self, payload: Payload) -> str | None:
        found = payload.needs_json()
        for step in self._steps:
            if not isinstance(found, dict) or step not in found:
                return None
            found = found[step]
        try:
            return _result(text_of(found), MAX_RESULT)
        except _RENDER_ERRORS:
            return None

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return None


class Program:
    """Any other template."""

    def __init__(self, body: Statement, needs: frozenset[str], work: int) -> None:
        """`work`: what each rendering costs at least."""
        self.needs = needs
        self._body = body
        self._work = work

    def render(self, payload: Payload) -> str | None:
        payload.work -= self._work
        if payload.work < 0:
            payload.overworked = True
            return None
        given = min(MAX_RENDERING, payload.work)
        scope = Scope(payload, work=given)
        text = self._run(scope, MAX_RESULT)
        payload.work -= given - scope.work
        payload.overworked |= scope.work < 0
        return text

    def render_value(self, value: Value, /, **names: Value) -> str | None:
        return self._run(Scope(None, {**names, "value": value}), MAX_COMMAND)

    def _run(self, scope: Scope, limit: int) -> str | None:
        try:
            self._body(scope)
            return _result("".join(scope.written), limit)
        except _RENDER_ERRORS:
            return None


PLAIN_VALUE: Final = PlainValue()


def _result(text: str, limit: int) -> str:
    text = text.strip()
    if len(text) > limit:
        raise NoUpdate
    text.encode()  # a lone surrogate from a literal cannot be stored or sent
    if "\x00" in text:
        raise NoUpdate
    return text


def compile_template(source: str) -> Template:
    """Raises `InvalidPayload` where the template is too long, not Jinja, or does what devices have no need to do."""
    if len(source) > MAX_SOURCE:
        raise InvalidPayload(f"template of {len(source)} characters; at most {MAX_SOURCE}")
    outcome = _outcome(source)
    if isinstance(outcome, str):
        raise InvalidPayload(outcome)
    return outcome


@lru_cache(maxsize=CACHED_TEMPLATES)
def _outcome(source: str) -> Template | str:
    """The template, or why it is refused: finding that out costs as much, so it is remembered, too."""
    try:
        return _compile(source)
    except InvalidPayload as error:
        return str(error)


def _compile(source: str) -> Template:
    """Raises `InvalidPayload`."""
    if path := _PATH.fullmatch(source):
        return JsonPath(tuple(dotted or quoted for dotted, quoted in _STEP.findall(path[1])))
    if sum(1 for _ in _TOKEN.finditer(source)) > MAX_TOKENS:
        raise InvalidPayload(f"template of more than {MAX_TOKENS} words and signs")
    try:
        parsed = _PARSER.parse(source)
        body = _body(parsed.body, MAX_DEPTH)
    except TemplateError as error:
        raise InvalidPayload(f"template: {error}") from error
    except (RecursionError, ValueError, OverflowError) as error:
        if isinstance(error, InvalidPayload):
            raise
        raise InvalidPayload("template: nested too deeply or with an impossible literal") from error
    return Program(body, _needs(parsed), WORK_OF_SOURCE * len(source))


def _needs(parsed: nodes.Template) -> frozenset[str]:
    names = list(parsed.find_all(nodes.Name))
    called = {id(call.node) for call in parsed.find_all(nodes.Call)}
    questions = [each.node for each in parsed.find_all((nodes.Test, nodes.Filter)) if each.name in _ASKING]
    there_or_not = {each.name for each in names if each.ctx == "store"}
    there_or_not |= {asked.name for asked in questions if isinstance(asked, nodes.Name)}
    return frozenset(each.name for each in names if id(each) not in called) - there_or_not


# Statements


def _body(body: list[nodes.Node], depth: int) -> Statement:
    statements = [_statement(node, depth - 1) for node in body]

    def run(scope: Scope) -> None:
        for statement in statements:
            statement(scope)

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

    def run(scope: Scope) -> None:
        for part in parts:
            scope.write(text_of(part(scope)))

    return run


def _if(node: nodes.If, depth: int) -> Statement:
    branches = [(compiled(each.test, depth - 1), _body(each.body, depth - 1)) for each in [node, *node.elif_]]
    otherwise = _body(node.else_, depth - 1)

    def run(scope: Scope) -> None:
        for test, body in branches:
            if truth(test(scope)):
                return body(scope)
        return otherwise(scope)

    return run


def _assign(name: str, value: Expression) -> Statement:
    def run(scope: Scope) -> None:
        scope.names[name] = value(scope)

    return run

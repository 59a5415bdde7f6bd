"""The expressions of discovery templates: a whitelist of Jinja's syntax nodes, made into functions over JSON values.

Whatever is not listed in `_COMPILERS` is refused when a template is compiled. What is listed costs work in proportion
to the texts it touches, and a `Scope` has only so much (`payload.MAX_WORK`).
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from jinja2 import nodes

from devices.dialects.homeassistant.filters import (
    FILTERS,
    FUNCTIONS,
    METHODS,
    PASSES_MISSING,
    TESTS,
    NoUpdate,
    limited,
    text_of,
)
from devices.dialects.homeassistant.payload import MAX_WORK, MISSING, Payload
from devices.errors import InvalidPayload


@dataclass(slots=True)
class Scope:
    """What a template sees, the payload and the names it has set, and how much work it may still do."""

    payload: Payload | None
    names: dict[str, object] = field(default_factory=dict)
    work: int = MAX_WORK

    def find(self, name: str) -> object:
        if name in self.names:
            return self.names[name]
        if self.payload is not None and name == "value":
            return self.payload.text
        if self.payload is not None and name == "value_json":
            return self.payload.json
        return MISSING

    def spend(self, value: object) -> None:
        """Account for looking at all of `value`. Raises `NoUpdate` once too much was done."""
        if isinstance(value, str):
            self.work -= len(value)
        elif isinstance(value, list | dict) and self.payload is not None:
            self.work -= len(self.payload.text)  # nothing in it is larger than what it came from
        if self.work < 0:
            raise NoUpdate


Expression = Callable[[Scope], object]


def compiled(node: nodes.Node, depth: int) -> Expression:
    """`node` as a function; `depth` is how much deeper it may nest. Raises `InvalidPayload` where it is not allowed."""
    if depth <= 0:
        raise InvalidPayload("template: nested too deeply")
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise InvalidPayload(f"template: {type(node).__name__} is not allowed")
    return compiler(node, depth - 1)


def truth(value: object) -> bool:
    return value is not MISSING and bool(value)


def looked_up(container: object, key: object) -> object:
    """An item, never an attribute; `MISSING` where there is none."""
    if isinstance(container, dict):
        return container.get(key, MISSING) if isinstance(key, str | int | float | bool | None) else MISSING
    if isinstance(container, list | str) and isinstance(key, int) and -len(container) <= key < len(container):
        return container[key]
    return MISSING


def _constant(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Const | nodes.TemplateData)
    value: object = node.value if isinstance(node, nodes.Const) else node.data
    if isinstance(value, int | float) and (not math.isfinite(value) or abs(value) >= 2**63):
        raise InvalidPayload("template: a number out of range")
    return lambda scope: value


def _name(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Name)
    name = node.name
    return lambda scope: scope.find(name)


def _lookup(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Getattr | nodes.Getitem)
    container = compiled(node.node, depth)
    if isinstance(node, nodes.Getattr):
        attribute = node.attr
        return lambda scope: looked_up(container(scope), attribute)
    key = compiled(node.arg, depth)
    return lambda scope: looked_up(container(scope), key(scope))


_LITERALS = (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict)


def _item(node: nodes.Node, depth: int) -> Expression:
    """Part of a container: a plain value, or itself a literal, so that containers cannot multiply by reference."""
    expression = compiled(node, depth)
    if isinstance(node, _LITERALS):
        return expression

    def plain(scope: Scope) -> object:
        value = expression(scope)
        if isinstance(value, list | dict):
            raise NoUpdate
        return value

    return plain


def _list(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.List | nodes.Tuple)
    items = [_item(item, depth) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _dict(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Dict)
    items = [(compiled(pair.key, depth), _item(pair.value, depth)) for pair in node.items]
    return lambda scope: {key(scope): value(scope) for key, value in items}


def _choice(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.CondExpr)
    test, then = compiled(node.test, depth), compiled(node.expr1, depth)
    otherwise: Expression = compiled(node.expr2, depth) if node.expr2 is not None else (lambda scope: MISSING)
    return lambda scope: then(scope) if truth(test(scope)) else otherwise(scope)


def _logic(node: nodes.Node, depth: int) -> Expression:
    if isinstance(node, nodes.Not):
        inner = compiled(node.node, depth)
        return lambda scope: not truth(inner(scope))
    assert isinstance(node, nodes.And | nodes.Or)
    left, right = compiled(node.left, depth), compiled(node.right, depth)
    stop = isinstance(node, nodes.Or)

    def run(scope: Scope) -> object:
        first = left(scope)
        return first if truth(first) is stop else right(scope)

    return run


_Comparison = Callable[[object, object], bool]


def _ordered(compare: Callable[[float, float], bool], texts: Callable[[str, str], bool]) -> _Comparison:
    def ordered(a: object, b: object) -> bool:
        if isinstance(a, int | float) and isinstance(b, int | float):
            return compare(a, b)
        if isinstance(a, str) and isinstance(b, str):
            return texts(a, b)
        raise NoUpdate

    return ordered


def _contains(container: object, value: object) -> bool:
    if isinstance(container, str):
        return isinstance(value, str) and value in container
    if isinstance(container, list | dict) and isinstance(value, str | int | float | bool | None):
        return value in container
    raise NoUpdate


_COMPARISONS: dict[str, _Comparison] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": _ordered(operator.lt, operator.lt),
    "lteq": _ordered(operator.le, operator.le),
    "gt": _ordered(operator.gt, operator.gt),
    "gteq": _ordered(operator.ge, operator.ge),
    "in": lambda a, b: _contains(b, a),
    "notin": lambda a, b: not _contains(b, a),
}


def _compare(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Compare)
    first = compiled(node.expr, depth)
    rest = [(_COMPARISONS[operand.op], compiled(operand.expr, depth)) for operand in node.ops]

    def run(scope: Scope) -> object:
        left = first(scope)
        for compare, expression in rest:
            right = expression(scope)
            scope.spend(left)
            scope.spend(right)
            if not compare(left, right):
                return False
            left = right
        return True

    return run


_ARITHMETIC: dict[type[nodes.Node], Callable[[float, float], float]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
}


def _arithmetic(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.BinExpr)
    operands = (node.left, node.right)
    if isinstance(node, nodes.Mul) and any(
        isinstance(each, nodes.Const) and not isinstance(each.value, int | float) or isinstance(each, _LITERALS[1:])
        for each in operands
    ):
        raise InvalidPayload("template: * is for numbers")
    left, right = (compiled(each, depth) for each in operands)
    calculate, adds = _ARITHMETIC[type(node)], isinstance(node, nodes.Add)

    def run(scope: Scope) -> object:
        a, b = left(scope), right(scope)
        if adds and isinstance(a, str) and isinstance(b, str):
            limited(len(a) + len(b))
            scope.spend(a)
            scope.spend(b)
            return a + b
        if not isinstance(a, int | float) or not isinstance(b, int | float):
            raise NoUpdate
        return _in_range(calculate(a, b))

    return run


def _sign(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Neg | nodes.Pos)
    inner, factor = compiled(node.node, depth), -1 if isinstance(node, nodes.Neg) else 1

    def run(scope: Scope) -> object:
        value = inner(scope)
        if not isinstance(value, int | float):
            raise NoUpdate
        return factor * value

    return run


def _in_range(value: float) -> float:
    if abs(value) >= 2**63:
        raise NoUpdate
    return value


def _join(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Concat)
    parts = [compiled(part, depth) for part in node.nodes]

    def run(scope: Scope) -> object:
        texts = [text_of(part(scope)) for part in parts]
        limited(sum(map(len, texts)))
        joined = "".join(texts)
        scope.spend(joined)
        return joined

    return run


def _filter(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Filter)
    if node.node is None or node.name not in FILTERS:
        raise InvalidPayload(f"template: filter {node.name[:40]!r} is not known")
    return _called(FILTERS[node.name], [node.node, *node.args], node, depth, node.name in PASSES_MISSING)


def _test(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Test)
    if node.name not in TESTS:
        raise InvalidPayload(f"template: test {node.name[:40]!r} is not known")
    return _called(TESTS[node.name], [node.node, *node.args], node, depth, passes_missing=True)


def _call(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Call)
    match node.node:
        case nodes.Name(name=name) if name in FUNCTIONS:
            return _called(FUNCTIONS[name], node.args, node, depth, name in PASSES_MISSING)
        case nodes.Getattr(node=target, attr=attribute) if attribute in METHODS:
            return _called(METHODS[attribute], [target, *node.args], node, depth, passes_missing=False)
    raise InvalidPayload("template: a function or method that is not known")


def _called(
    function: Callable[..., object],
    arguments: list[nodes.Expr],
    node: nodes.Filter | nodes.Test | nodes.Call,
    depth: int,
    passes_missing: bool,
) -> Expression:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise InvalidPayload("template: * and ** in a call are not allowed")
    positional = [compiled(argument, depth) for argument in arguments]
    keywords = {str(pair.key): compiled(pair.value, depth) for pair in node.kwargs}

    def run(scope: Scope) -> object:
        values = [expression(scope) for expression in positional]
        if values and values[0] is MISSING and not passes_missing:
            raise NoUpdate
        for value in values:
            scope.spend(value)
        return function(*values, **{key: expression(scope) for key, expression in keywords.items()})

    return run


_COMPILERS: dict[type[nodes.Node], Callable[[nodes.Node, int], Expression]] = {
    nodes.Const: _constant,
    nodes.TemplateData: _constant,
    nodes.Name: _name,
    nodes.Getattr: _lookup,
    nodes.Getitem: _lookup,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.CondExpr: _choice,
    nodes.And: _logic,
    nodes.Or: _logic,
    nodes.Not: _logic,
    nodes.Compare: _compare,
    nodes.Add: _arithmetic,
    nodes.Sub: _arithmetic,
    nodes.Mul: _arithmetic,
    nodes.Div: _arithmetic,
    nodes.FloorDiv: _arithmetic,
    nodes.Mod: _arithmetic,
    nodes.Neg: _sign,
    nodes.Pos: _sign,
    nodes.Concat: _join,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
}

"""The expressions of discovery templates: a whitelist of Jinja's syntax nodes, made into functions over JSON values.

Whatever is not listed in `_COMPILERS` is refused when a template is compiled. What is listed costs work in proportion
to the texts it touches, of which a `Scope` has only so much, and gives a bounded value (`values.py`).
"""

from collections.abc import Callable
from functools import lru_cache
from inspect import Signature, signature

from jinja2 import nodes

from devices.dialects.homeassistant import comparisons, numbers
from devices.dialects.homeassistant.filters import ASKS, CHECKS, FILTERS, FUNCTIONS, METHODS, PASSES_MISSING, TESTS
from devices.dialects.homeassistant.payload import MISSING
from devices.dialects.homeassistant.scope import Scope
from devices.dialects.homeassistant.values import LARGEST, NoUpdate, bounded, limited, text_of
from devices.errors import InvalidPayload

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
    """An item, never an attribute; `MISSING` where there is none. Raises `NoUpdate` for what has no items.

    A part of something that is not there, or is not what the template takes it for, is no answer: taken as missing, it
    would choose the `else` of a condition, and a message that says nothing of a value would set it.
    """
    if isinstance(container, dict):
        return container.get(key, MISSING) if isinstance(key, str | int | float | bool | None) else MISSING
    if not isinstance(container, list | str) or not isinstance(key, int):
        raise NoUpdate
    return container[key] if -len(container) <= key < len(container) else MISSING


def _constant(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Const | nodes.TemplateData)
    value: object = node.value if isinstance(node, nodes.Const) else node.data
    if isinstance(value, int | float) and not -LARGEST < value < LARGEST:
        raise InvalidPayload("template: a number out of range")
    return lambda scope: value


def _name(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Name)
    name = node.name
    return lambda scope: bounded(scope.find(name))


def _asked(node: nodes.Expr, depth: int) -> Expression:
    """What a template asks about: a name may be absent here."""
    if not isinstance(node, nodes.Name):
        return compiled(node, depth)
    name = node.name
    return lambda scope: bounded(scope.asked(name))


def _lookup(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Getattr | nodes.Getitem)
    container = compiled(node.node, depth)
    if isinstance(node, nodes.Getattr):
        attribute = node.attr
        return lambda scope: bounded(looked_up(container(scope), attribute))
    key = compiled(node.arg, depth)
    return lambda scope: bounded(looked_up(container(scope), key(scope)))


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


def _compare(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Compare)
    first = compiled(node.expr, depth)
    rest = [(comparisons.OPERATORS[operand.op], compiled(operand.expr, depth)) for operand in node.ops]

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


def _arithmetic(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.BinExpr)
    operands = (node.left, node.right)
    if isinstance(node, nodes.Mul) and any(
        isinstance(each, nodes.Const) and not isinstance(each.value, int | float) or isinstance(each, _LITERALS[1:])
        for each in operands
    ):
        raise InvalidPayload("template: * is for numbers")
    left, right = (compiled(each, depth) for each in operands)
    calculate, adds = numbers.OPERATORS[type(node)], isinstance(node, nodes.Add)

    def run(scope: Scope) -> object:
        a, b = left(scope), right(scope)
        if adds and isinstance(a, str) and isinstance(b, str):
            limited(len(a) + len(b))
            return scope.spent_on(a + b)
        if not isinstance(a, int | float) or not isinstance(b, int | float):
            raise NoUpdate
        return bounded(calculate(a, b))

    return run


def _sign(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Neg | nodes.Pos)
    inner, factor = compiled(node.node, depth), -1 if isinstance(node, nodes.Neg) else 1

    def run(scope: Scope) -> object:
        value = inner(scope)
        if not isinstance(value, int | float):
            raise NoUpdate
        return bounded(factor * value)

    return run


def _join(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Concat)
    parts = [compiled(part, depth) for part in node.nodes]

    def run(scope: Scope) -> object:
        texts = [text_of(part(scope)) for part in parts]
        limited(sum(map(len, texts)))
        return scope.spent_on("".join(texts))

    return run


def _filter(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Filter)
    if node.node is None or node.name not in FILTERS:
        raise InvalidPayload(f"template: filter {node.name[:40]!r} is not known")
    return _called(FILTERS[node.name], [node.node, *node.args], node, node.name, depth)


def _test(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Test)
    if node.name not in TESTS:
        raise InvalidPayload(f"template: test {node.name[:40]!r} is not known")
    return _called(TESTS[node.name], [node.node, *node.args], node, node.name, depth)


def _call(node: nodes.Node, depth: int) -> Expression:
    assert isinstance(node, nodes.Call)
    match node.node:
        case nodes.Name(name=name) if name in FUNCTIONS:
            return _called(FUNCTIONS[name], node.args, node, name, depth)
        case nodes.Getattr(node=target, attr=name) if name in METHODS:
            return _called(METHODS[name], [target, *node.args], node, name, depth)
    raise InvalidPayload("template: a function or method that is not known")


def _called(
    function: Callable[..., object],
    arguments: list[nodes.Expr],
    node: nodes.Filter | nodes.Test | nodes.Call,
    name: str,
    depth: int,
) -> Expression:
    _check_arguments(function, arguments, node, name)
    first = _asked if function in ASKS else compiled
    positional = [(compiled if index else first)(argument, depth) for index, argument in enumerate(arguments)]
    keywords = {str(pair.key): compiled(pair.value, depth) for pair in node.kwargs}
    ends_missing = function not in PASSES_MISSING and not isinstance(node, nodes.Test)

    def run(scope: Scope) -> object:
        values = [expression(scope) for expression in positional]
        if ends_missing and values and values[0] is MISSING:
            raise NoUpdate
        named = {key: expression(scope) for key, expression in keywords.items()}
        for value in (*values, *named.values()):
            scope.spend(value)
        return scope.spent_on(bounded(function(*values, **named)))

    return run


def _check_arguments(
    function: Callable[..., object],
    arguments: list[nodes.Expr],
    node: nodes.Filter | nodes.Test | nodes.Call,
    name: str,
) -> None:
    """Raises `InvalidPayload` where `function` does not follow these arguments: better now than at each message."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise InvalidPayload("template: * and ** in a call are not allowed")
    try:
        bound = _signature(function).bind(*arguments, **{str(pair.key): pair.value for pair in node.kwargs})
    except TypeError as error:
        raise InvalidPayload(f"template: {name[:40]!r} with arguments that are not followed: {error}") from error
    if (check := CHECKS.get(function)) is not None:
        check(bound.arguments)


@lru_cache(maxsize=256)
def _signature(function: Callable[..., object]) -> Signature:
    return signature(function)


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
    nodes.Pow: _arithmetic,
    nodes.Neg: _sign,
    nodes.Pos: _sign,
    nodes.Concat: _join,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
}

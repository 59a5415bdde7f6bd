"""However a template is put together: its numbers, its texts, its work and the cost of compiling it stay bounded."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from devices.dialects.homeassistant.comparisons import TESTS as COMPARING
from devices.dialects.homeassistant.expressions import Expression, compiled
from devices.dialects.homeassistant.filters import FILTERS, FUNCTIONS, METHODS, TESTS
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.scope import MAX_RENDERING, Scope
from devices.dialects.homeassistant.template import MAX_TOKENS, _outcome, compile_template
from devices.dialects.homeassistant.values import MAX_TEXT, NoUpdate
from devices.errors import InvalidPayload
from testing.rounds import rounds

ERRORS = (NoUpdate, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "~", "==", "<", ">=", "in", "not in", "and", "or")
LITERALS = (
    "9007199254740993",
    "9223372036854775807",
    "0.1",
    "0",
    "-1",
    "63",
    "1e300",
    "true",
    "none",
    "'ß'",
    "' 9 '",
    "[]",
    "''",
)
NAMES = ("value", "value_json", "value_json.n", "value_json.t", "value_json.l", "value_json.d", "value_json.gone", "a")
PAYLOAD = Payload(
    json.dumps(
        {"n": 10**400, "t": "ΐ" * 40_000, "l": [2**62, 2**63, "x"] * 50, "d": {"t": "ß" * 9, "n": 2**80}}
    ).encode()
)

FORMS = (
    *(f"({{}} {operator} {{}})" for operator in OPERATORS),
    *(
        f"({{}}|{name}{arguments})"
        for name in sorted(FILTERS)
        for arguments in ("", "({})", "({}, {})", "({}, {}, {})")
    ),
    *(f"({{}}.{name}({arguments}))" for name in sorted(METHODS) for arguments in ("", "{}", "{}, {}")),
    *(f"{name}({arguments})" for name in sorted(FUNCTIONS) for arguments in ("{}", "{}, {}", "{}, {}, {}")),
    *(f"({{}} is {name})" for name in sorted(TESTS.keys() - COMPARING.keys())),
    *(f"({{}} is {name}({{}}))" for name in sorted(COMPARING) if name.isidentifier() and name != "in"),
    *(
        "(-{})",
        "(not {})",
        "({} if {} else {})",
        "{}[{}]",
        "[{}, {}, {}]",
        "[{}]",
        "{{{}: {}}}",
        "('%9.2f'|format({}))",
    ),
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Anything on the whitelist, grown from a seed in up to eight steps."""
    grown = [draw(st.sampled_from(LITERALS + NAMES))]
    for form in draw(st.lists(st.sampled_from(FORMS), max_size=8)):
        parts = [
            draw(st.sampled_from([*grown[-3:], *LITERALS, *NAMES])) for _ in range(form.replace("{{", "").count("{}"))
        ]
        grown.append(form.format(*[grown[-1], *parts[1:]] if parts else []))
    return str(grown[-1])


def _compiled(source: str) -> Expression | None:
    """The expression alone, as compiled; None where it is refused."""
    [output] = Environment(autoescape=False).parse("{{ " + source + " }}").body
    assert isinstance(output, nodes.Output)
    try:
        return compiled(output.nodes[0], 40)
    except InvalidPayload:
        return None


def _parts(value: object) -> Iterator[object]:
    yield value
    for each in value if isinstance(value, list) else [*value, *value.values()] if isinstance(value, dict) else ():
        yield from _parts(each)


def _in_payload(value: object) -> bool:
    return isinstance(value, list | dict)  # a container of the payload's is handed on as it came; its items are not


@settings(max_examples=rounds(300, 20_000), deadline=None)
@given(expressions(), expressions())
@example("9007199254740993|multiply(9007199254740993)", "9007199254740993|add(9223372036854775807)")
@example("(9007199254740993 ** 63)", "a ** a")
@example("-9223372036854775807 - 9223372036854775807", "a|abs")
@example("value_json.t|upper|title|upper", "a ~ a")
@example("value_json.n", "(a|first)")
@example("value_json.l[1]", "value_json.l|max")
@example("'1e999'|float", "a - a")
@example("'ff'|int(0, 16)", "a|round(-400)")
def test_no_expression_gives_a_number_or_a_text_out_of_range(first: str, second: str) -> None:
    scope = Scope(PAYLOAD)
    for source in (first, second):
        expression = _compiled(source)
        if expression is None:
            continue
        try:
            value = scope.names["a"] = expression(scope)
        except ERRORS:
            continue
        assert scope.work >= 0
        for each in () if _in_payload(value) else _parts(value):
            if isinstance(each, int | float):
                assert -(2**63) < each < 2**63
            if isinstance(each, str):
                assert len(each) <= MAX_TEXT


STEPS = [
    *(f"a|{name}" for name in sorted(FILTERS)),
    *(f"a.{name}()" for name in sorted(METHODS)),
    *(f"a|multiply({factor})" for factor in ("a", "9007199254740993", "-1")),
    *(f"(a {operator} {other})" for operator in OPERATORS for other in ("a", "9007199254740993")),
    "-a",
    "a|add(a)",
    "a|replace('a', 'aaaaaaaa')",
    "a|replace(old='', new=a)",
    "a.replace('a', a)",
    "a.split('a')",
    "a.split('a')|join(a)",
    "[a, a, a, a, a]|join",
    "[a, a, a, a, a]|to_json",
    "{a: a, 'b': a}|to_json",
    "a|to_json|to_json",
    "a|from_json",
    "value_json|to_json",
    "[a, a]|max",
    "min(a, a)",
    "'%99.99f%s'|format(1, a)",
    "a|truncate(60000, true, a)",
    "value_json.l|join(a)",
    "value_json[a]",
    "(a if a in value_json else a ~ 'a')",
]
STARTS = ["9007199254740993", "'aa'", "value", "value_json.l", "value_json.t", "10"]


def _rendered(source: str, payload: Payload) -> Scope:
    """What is left after rendering a template's statements."""
    scope = Scope(payload)
    for statement in Environment(autoescape=False).parse(source).body:
        assert isinstance(statement, nodes.Assign)
        name = statement.target
        assert isinstance(name, nodes.Name)
        try:
            scope.names[name.name] = compiled(statement.node, 40)(scope)
        except (*ERRORS, InvalidPayload):
            break
        held = scope.names[name.name]
        size = sum(len(each) if isinstance(each, str | list | dict) else 1 for each in _parts(held))
        assert size <= max(MAX_RENDERING, 2 * len(payload.text))
        if isinstance(held, int | float):
            assert abs(held) < 2**63
    return scope


@pytest.mark.parametrize("start", STARTS)
def test_no_step_however_often_it_is_taken_outgrows_its_bounds(start: str) -> None:
    """Multiplied so often, a number would fill the memory; and everything else in its place."""
    for step in STEPS:
        source = f"{{% set a = {start} %}}" + f"{{% set a = {step} %}}" * 60
        assert _rendered(source, PAYLOAD).work >= -2 * MAX_TEXT, step  # what was noticed after one step too many


def test_whatever_a_call_looks_at_is_accounted_for() -> None:
    text = "a" * 10_000
    payload = Payload(json.dumps({"t": text, "l": [text] * 3}).encode())
    for source, least in {
        "value_json.t|upper": 20_000,  # what it looks at and what it makes
        "value_json.t|replace(old='b', new='c')": 20_000,
        "'b'|replace(old='b', new=value_json.t)": 20_000,
        "value_json.l|to_json": 60_000,
        "[value_json.t, value_json.t]|join": 40_000,
        "value_json.t == value_json.l": 40_000,
        "value_json.t is equalto(value_json.t)": 20_000,
        "value_json.t ~ value_json.t": 20_000,
        "'b' in value_json.t": 10_000,
        "max(value_json.t, value_json.t)": 30_000,
    }.items():
        scope, expression = Scope(payload), _compiled(source)
        assert expression is not None
        expression(scope)
        assert MAX_RENDERING - scope.work >= least, source


@pytest.mark.parametrize(
    "step",
    ["a|multiply(a)", "a|add(a)", "a + a", "a * a", "a ** 2", "a - -a", "a|abs + a", "[a, a]|max * a", "a.get(a, a)"],
)
def test_the_template_that_froze_the_controller_is_no_update(step: str) -> None:
    source = "{% set a = 9007199254740993 %}" + f"{{% set a = {step} %}}" * 60 + "{{ 'x' }}"
    assert compile_template(source).render(Payload(b"1")) is None
    assert compile_template(source).render_value(1) is None  # command templates share the code


COSTLY = [
    "1+",
    "1,",
    "{{1}}",
    "a.a",
    "|abs",
    "[",
    "(",
    "not ",
    "<1",
    "~1",
    "{%if 1%}",
    "{%set a=1%}",
    "{1:1},",
    "'',",
    "-",
]


@pytest.mark.parametrize("piece", COSTLY)
def test_compiling_looks_at_no_more_than_so_many_tokens(piece: str) -> None:
    source = ("{{ " + piece * 4096)[:4096]
    with pytest.raises(InvalidPayload, match=f"more than {MAX_TOKENS} words and signs"):
        compile_template(source)


def test_a_refused_template_is_not_compiled_again() -> None:
    source = "{{ [" + "1, " * 400 + "] | no_such_filter }}"
    whys = []
    before = _outcome.cache_info()
    for _ in range(3):
        with pytest.raises(InvalidPayload) as refusal:
            compile_template(source)
        whys.append(str(refusal.value))
    after = _outcome.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)
    assert whys == ["template: filter 'no_such_filter' is not known"] * 3

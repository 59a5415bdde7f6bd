import time

import pytest

from devices.dialects.homeassistant.payload import MAX_PAYLOAD_BYTES, Payload
from devices.dialects.homeassistant.template import compile_template
from devices.errors import InvalidPayload

STATE = Payload(b'{"x": 1.5, "on": true, "n": null, "s": "ON", "l": [1, 2], "update": {"state": "idle", "items": 3}}')

RENDERED = [
    ("{{ value_json.x }}", "1.5"),
    ("{{value_json['s']}}", "ON"),
    ('{{ value_json["update"].state }}', "idle"),
    ("{{ value_json.update.state }}", "idle"),  # an item, not the method of a dict
    ("{{ value_json.update.items }}", "3"),
    ("{{ value_json.on }}", "True"),
    ("{{ value_json.n }}", "None"),
    ("{{ value_json.l[1] }}", "2"),
    ("{% set v = {None: None, 'idle': 'Idle'} %}{{ v[value_json.update.state] }}", "Idle"),
    ("{% if value_json.x > 2 %}a{% elif value_json.s == 'ON' %}b{% else %}c{% endif %}", "b"),
    ("{{ 'on' if value_json.s == 'ON' else 'off' }}", "on"),
    ("{{ (value_json.x / 3 * 100) | round }}", "50"),
    ("{{ value_json.x | round(1) | float + 1 }}", "2.5"),
    ("{{ value_json.s | lower }}-{{ value_json.s ~ 1 }}", "on-ON1"),
    ("{{ value_json.gone | default('none', true) }}", "none"),
    ("{{ value_json.gone.deeper | default(7) }}", "7"),
    ("{{ value_json.get('gone', 4) | int * 2 }}", "8"),
    ("{{ iif(value_json.on, 'yes', 'no') }}", "yes"),
    ("{{ value_json.update | to_json }}", '{"state":"idle","items":3}'),
    ("{% set j = '[1, 2]' | from_json %}{{ j[0] + j[1] }}", "3"),
    ("{{ value_json.gone is defined }} {{ value_json.n is none }}", "False True"),
    ("{{ value.split('\"')[1] }}", "x"),
    ("{{ 'x' in value_json and value_json.s in ['ON', 'OFF'] }}", "True"),
    ("  plain  ", "plain"),
]


@pytest.mark.parametrize(("source", "expected"), RENDERED)
def test_template_renders_what_devices_use(source: str, expected: str) -> None:
    assert compile_template(source).render(STATE) == expected


NO_UPDATE = [
    "{{ value_json.gone }}",
    "{{ value_json.gone.deeper }}",
    "{{ value_json.gone + 1 }}",
    "{{ value_json.gone | is_defined }}",
    "{{ value_json.s | float }}",
    "{{ value_json.x / 0 }}",
    "{{ value_json.update }}",
    "{{ value_json.__class__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ unknown_name }}",
    "{{ '%9999999d' % 1 }}",
    "{{ value * 100000000 }}",
    "{{ 9223372036854775807 * 9223372036854775807 }}",
    "{{ value_json.l + value_json.l }}",
    "{{ '\\ud800' }}",
    "{% set a = [value_json, value_json] %}{{ a | to_json }}",
]


@pytest.mark.parametrize("source", NO_UPDATE)
def test_template_without_an_answer_is_no_update(source: str) -> None:
    assert compile_template(source).render(STATE) is None


@pytest.mark.parametrize("payload", [b"ON", b"", b"{", b'{"x": NaN}', b'{"x": "\\ud800"}', b'{"x": "\\u0000"}'])
def test_template_on_a_payload_that_is_not_json_is_no_update(payload: bytes) -> None:
    assert compile_template("{{ value_json.x }}").render(Payload(payload)) is None
    assert compile_template("{{ value_json.x | float }}").render(Payload(payload)) is None


REFUSED = [
    "{{ 'a' * 10**8 }}",
    "{{ 'a' * 100000000 }}",
    "{{ [0] * 100000000 }}",
    "{{ 2 ** 99 }}",
    "{{ 99999999999999999999 }}",
    "{{ 1e999 }}",
    "{% for i in range(1000000000) %}{{ i }}{% endfor %}",
    "{{ range(1000000000) | list }}",
    "{{ lipsum(1000000) }}",
    "{{ cycler.__init__.__globals__.os.system('id') }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ value.format(1) }}",
    "{{ value | format(1) }}",
    "{{ value | attr('__class__') }}",
    "{{ value | regex_replace('(a+)+$', '') }}",
    "{{ value_json | map('upper') | list }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% set x.y = 1 %}",
    "{% set x %}{{ value }}{% endset %}",
    "{{ value[0:1] }}",
    "{{ float(*value_json) }}",
    "{{ unclosed",
    "{% if %}",
    "{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}",
    "{{ " + "not " * 800 + "1 }}",
    "{{ " + "1+" * 1900 + "1 }}",
    "{% if 1 %}" * 100 + "{% endif %}" * 100,
    "x" * 4097,
]


@pytest.mark.parametrize("source", REFUSED)
def test_template_that_devices_have_no_need_of_is_refused(source: str) -> None:
    with pytest.raises(InvalidPayload):
        compile_template(source)


BOMBS = [
    "{% set a = value ~ value %}" + "{% set a = a ~ a %}" * 200 + "{{ a }}",
    "{% set a = value %}" + "{% set a = a | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') %}" * 60 + "{{ a }}",
    "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 200 + "{{ a | to_json }}",
    "".join("{{ value_json | to_json | length }}" for _ in range(100)),
    "{{ value | lower }}" * 200,
]


@pytest.mark.parametrize("source", BOMBS)
def test_template_that_multiplies_its_input_ends_soon(source: str) -> None:
    payload = Payload(b'["' + b"a" * (MAX_PAYLOAD_BYTES - 4) + b'"]')
    template = compile_template(source)
    start = time.perf_counter()
    assert template.render(payload) is None
    assert time.perf_counter() - start < 1.0


def test_result_is_never_longer_than_a_value_may_be() -> None:
    assert compile_template("{{ value }} ").render(Payload(b"a" * 4096)) == "a" * 4096
    assert compile_template("{{ value }} ").render(Payload(b"a" * 4097)) is None


def test_command_template_sees_the_value_and_no_payload() -> None:
    assert compile_template('{"on": {{ iif(value == "ON", "true", "false") }}}').render_value("ON") == '{"on": true}'
    assert compile_template("{{ position + 1 }}").render_value(7, position=8) == "9"
    assert compile_template("{{ value_json.x }}").render_value(7) is None


def test_the_same_text_is_compiled_once() -> None:
    assert compile_template("{{ value_json.same | int }}") is compile_template("{{ value_json.same | int }}")

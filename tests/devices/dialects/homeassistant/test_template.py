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
    ("{{ value_json.get('gone', 4) | int * 2 }}", "8"),
    ("{{ iif(value_json.on, 'yes', 'no') }}", "yes"),
    ("{{ value_json.update | to_json }}", '{"state":"idle","items":3}'),
    ("{% set j = '[1, 2]' | from_json %}{{ j[0] + j[1] }}", "3"),
    ("{{ value_json.gone is defined }} {{ value_json.n is none }}", "False True"),
    ("{{ value.split('\"')[1] }}", "x"),
    ("{{ value_json.gone | default('none') }}", "none"),
    ("{{ 'JSON' if value_json is defined else 'text' }}", "JSON"),
    ("{{ 10 ** 2 }} {{ 10 ** -1 }} {{ 2.0 ** 3 }} {{ 2 ** 62 }}", "100 0.1 8.0 4611686018427387904"),
    ("{{ 5 | multiply(2) }} {{ 5 | add(2) }} {{ 'x' | multiply(2, 0) }}", "10.0 7.0 0"),
    ("{{ 96.83 | round(0, 'floor') }} {{ 96.12 | round(1, 'ceil') }} {{ 7.3 | round(1, 'half') }}", "96 96.2 7.5"),
    ("{{ 96.5 | round(0, 'common') }} {{ 96.123 | round(2) }} {{ 'x' | round(default=1) }}", "96 96.12 1"),
    ("{{ is_number(value_json.x) }} {{ 'nan' | is_number }} {{ '4e1' is is_number }}", "True False True"),
    ("{{ min(3, 1, 2) }} {{ [3, 1] | min }} {{ max([1, 2.5]) }} {{ ['b', 'a'] | max }}", "1 1 2.5 b"),
    ("{{ 'state' in value_json.update.keys() }} {{ 'x' in value_json.update.keys() }}", "True False"),
    ("{{ value_json.l | join('+') }} {{ ['a', 1] | join }}", "1+2 a1"),
    ("{{ '%05.1f|%d %%|%s' | format(value_json.x, 3, value_json.s) }}", "001.5|3 %|ON"),
    ("{{ 'phòng học số 12' | truncate(10, false, '…', 0) }} {{ 'abc' | truncate(2, true, '', 0) }}", "phòng… ab"),
    ("{{ 'abcdefg' | truncate(4) }} {{ value_json.s | truncate }}", "abcdefg ON"),
    ("{{ value_json.s is equalto 'ON' }} {{ 3 is gt(2) }} {{ 'a' is in(['a']) }}", "True True True"),
    ("{{ 'x' in value_json and value_json.s in ['ON', 'OFF'] }}", "True"),
    ("  plain  ", "plain"),
]


@pytest.mark.parametrize(("source", "expected"), RENDERED)
def test_template_renders_what_devices_use(source: str, expected: str) -> None:
    assert compile_template(source).render(STATE) == expected


NO_UPDATE = [
    "{{ value_json.gone }}",
    "{{ value_json.gone.deeper }}",
    "{{ value_json.gone.deeper | default(7) }}",
    "{{ value_json.gone + 1 }}",
    "{{ value_json.gone | is_defined }}",
    "{{ value_json.s | float }}",
    "{{ value_json.x / 0 }}",
    "{{ value_json.update }}",
    "{{ value_json.__class__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ this.state }}",
    "{{ value_json.x if value_json.gone else entity_id }}",
    "{{ 2 ** 99 }}",
    "{{ (0 - 8) ** 0.5 }}",
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


READS_JSON = [
    "{{ value_json.x }}",
    "{{ value_json.x | float }}",
    "{{ value_json.x | float(0) }}",
    "{{ value_json.x | default('OFF') }}",
    "{% if value_json.x %}ON{% else %}OFF{% endif %}",
    "{% if value_json %}ON{% else %}OFF{% endif %}",
    "{{ 'ON' if value_json.x == 1 else 'OFF' }}",
    "{{ 'ON' if value_json == 1 else 'OFF' }}",
    "{{ 'ON' if 'x' in value_json else 'OFF' }}",
    "{{ 'OFF' if not value_json.x else 'ON' }}",
    "{{ value_json.x or 'OFF' }}",
    "{{ iif(value_json.x, 'ON', 'OFF') }}",
    "{{ iif(value_json, 'ON', 'OFF') }}",
    "{% set j = value_json %}{{ 'ON' if j else 'OFF' }}",
    "{% set j = value | from_json %}{{ 'ON' if j.x else 'OFF' }}",
    "{{ {true: 'ON', false: 'OFF'}[value_json.x is defined] }}",
]
NO_JSON = [b"ON", b"", b"{", b'{"x":tru', b'{"x": NaN}', b'{"x":1,"y":nan}', b'{"x": "\\ud800"}', b'{"x": "\\u0000"}']


@pytest.mark.parametrize("source", READS_JSON)
@pytest.mark.parametrize("payload", NO_JSON)
def test_template_never_makes_a_value_of_a_payload_that_is_not_the_json_it_reads(source: str, payload: bytes) -> None:
    assert compile_template(source).render(Payload(payload)) is None


@pytest.mark.parametrize(
    "payload", [b'{"other": 1}', b'{"up": null}', b'{"up": 4}', b'{"up": "no"}', b"[]", b"5", b"null"]
)
def test_part_of_what_is_not_there_is_no_answer(payload: bytes) -> None:
    template = compile_template("{% if value_json.up.state %}online{% else %}offline{% endif %}")
    assert template.render(Payload(b'{"up": {"state": true}}')) == "online"
    assert template.render(Payload(b'{"up": {"state": false}}')) == "offline"
    assert template.render(Payload(b'{"up": {}}')) == "offline"  # as Home Assistant: it asks whether it is true
    assert template.render(Payload(payload)) is None


def test_template_may_ask_whether_the_payload_is_json() -> None:
    template = compile_template("{{ value_json.x if value_json is defined else value }}")
    heard = Payload(b"21")
    assert (compile_template("{{ value if value_json is undefined else 'x' }}").render(heard), heard.unreadable) == (
        "x",
        "",
    )
    text = Payload(b"warm")
    assert (template.render(text), text.unreadable) == ("warm", "")
    assert compile_template("{{ (value_json | default({})).x | default('none') }}").render(text) == "none"


def test_payload_that_is_not_the_json_that_a_template_reads_is_noted() -> None:
    broken, empty = Payload(b'{"co2":812,"pm":nan}'), Payload(b"")
    for source in ("{{ value_json.co2 }}", "{{ value_json.co2 | int }}"):
        assert compile_template(source).render(broken) is None
        assert compile_template(source).render(empty) is None
    assert broken.unreadable.startswith("not JSON")
    assert empty.unreadable == ""  # what was retained is cleared


REFUSED = [
    "{{ 'a' * 10**8 }}",
    "{{ 'a' * 100000000 }}",
    "{{ [0] * 100000000 }}",
    "{{ value | round(1, 'up') }}",
    "{{ value | round(1, value) }}",
    "{{ value | round(99) }}",
    "{{ value | round(1, 'floor', 0, 7) }}",
    "{{ value | truncate(9, unknown=1) }}",
    "{{ value | replace('a') }}",
    "{{ '%(x)s' | format(1) }}",
    "{{ '%9999d' | format(1) }}",
    "{{ '%d %d' | format(1) }}",
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
    "{% set a = value ~ value %}" + "{% set a = a ~ a %}" * 80 + "{{ a }}",
    "{% set a = value %}" + "{% set a = a | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') %}" * 50 + "{{ a }}",
    "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 80 + "{{ a | to_json }}",
    "".join("{{ value_json | to_json | length }}" for _ in range(90)),
    "{{ value | lower }}" * 130,
]


@pytest.mark.parametrize("source", BOMBS)
def test_template_that_multiplies_its_input_ends_soon(source: str) -> None:
    payload = Payload(b'["' + b"a" * (MAX_PAYLOAD_BYTES - 4) + b'"]')
    template = compile_template(source)
    start = time.process_time()
    assert template.render(payload) is None
    assert time.process_time() - start < 1.0


def test_result_is_never_longer_than_a_value_may_be() -> None:
    assert compile_template("{{ value }} ").render(Payload(b"a" * 4096)) == "a" * 4096
    assert compile_template("{{ value }} ").render(Payload(b"a" * 4097)) is None


def test_command_template_sees_the_value_and_no_payload() -> None:
    assert compile_template('{"on": {{ iif(value == "ON", "true", "false") }}}').render_value("ON") == '{"on": true}'
    assert compile_template("{{ position + 1 }}").render_value(7, position=8) == "9"
    assert compile_template("{{ value_json.x }}").render_value(7) is None


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ value_json.x }}", {"value_json"}),
        ("{{ entity_id }}{{ value }}", {"entity_id", "value"}),
        ("{% set a = value %}{% if b is defined %}{{ int(a) + b }}{% endif %}", {"value"}),
        ("{{ a if a is defined }}{{ c | default(value) }}", {"value"}),
        ("{% set x = 1 %}{{ x }}", set()),
    ],
)
def test_template_says_which_names_it_cannot_do_without(source: str, names: set[str]) -> None:
    assert compile_template(source).needs == names


def test_the_same_text_is_compiled_once() -> None:
    assert compile_template("{{ value_json.same | int }}") is compile_template("{{ value_json.same | int }}")

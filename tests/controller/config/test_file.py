"""The sample equals the defaults; good files give whole configurations; bad files say what to write instead."""

import logging
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from controller.certificate import make_certificate
from controller.config.errors import ConfigError
from controller.config.file import read_config
from controller.config.model import (
    Address,
    BridgeConfig,
    Config,
    DatabaseConfig,
    EmbeddedBrokerConfig,
    ExternalBrokerConfig,
    HttpConfig,
    LessonsConfig,
    LocalNodesConfig,
    LoggingConfig,
    MqttConfig,
    RemoteNodeConfig,
    Secret,
    TlsConfig,
    TurnConfig,
    default_config,
)

SAMPLE = Path(__file__).parents[3] / "config.yaml"


def write(directory: Path, text: str) -> Path:
    file = directory / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(directory: Path, text: str) -> list[str]:
    """What is wrong with the text, each as `LINE: KEY: ADVICE`."""
    file = write(directory, text)
    with pytest.raises(ConfigError) as caught:
        read_config(file, environ={})
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


def test_sample_is_exactly_the_defaults(tmp_path: Path) -> None:
    sample = write(tmp_path, SAMPLE.read_text(encoding="utf-8"))
    from_sample = read_config(sample, environ={})
    from_nothing = read_config(write(tmp_path, ""), environ={})
    assert from_sample == from_nothing == default_config(tmp_path / "var")


def test_default_config_may_be_given_a_relative_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_config(Path("var")) == default_config(tmp_path / "var")


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("p@ss/word\n")
    (tmp_path / "ca.pem").write_text("an authority")
    files = make_certificate(tmp_path / "tls", names=["127.0.0.1"], now=datetime.now(UTC))
    text = """
        data_dir: data
        http:
          listen: "[::1]:8443"
          public_url: https://nhipcau.example/
          tls: {certificate: tls/server.pem, key: tls/server.key}
          trusted_proxies: [127.0.0.1, 10.0.0.0/8]
        database:
          url: postgresql://nhipcau@db.example:5433/rooms
          password: {file: db}
        mqtt:
          broker: mqtts://mqtt.example
          username: nhipcau
          password: {env: MQTT_PASSWORD}
          ca_file: ca.pem
          home_assistant_prefix: homeassistant/
        bridge:
          nodes:
            - {url: "https://10.0.0.7:7880/", secret: {env: NODE_7}}
        lessons: {grace_minutes: 0.5}
        logging: {level: debug}
        """
    config = read_config(write(tmp_path, text), environ={"MQTT_PASSWORD": "m", "NODE_7": "n"})
    assert config == Config(
        data_dir=tmp_path / "data",
        http=HttpConfig(
            listen=Address("::1", 8443),
            public_url="https://nhipcau.example",
            tls=TlsConfig(certificate=files.certificate, key=files.key),
            trusted_proxies=(ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")),
        ),
        database=DatabaseConfig(url="postgresql+asyncpg://nhipcau:p%40ss%2Fword@db.example:5433/rooms"),
        mqtt=MqttConfig(
            broker=ExternalBrokerConfig(
                address=Address("mqtt.example", 8883),
                tls=True,
                username="nhipcau",
                password=Secret("m"),
                ca_file=tmp_path / "ca.pem",
            ),
            home_assistant_prefix="homeassistant",
        ),
        bridge=BridgeConfig(nodes=(RemoteNodeConfig(url="https://10.0.0.7:7880", secret=Secret("n")),)),
        lessons=LessonsConfig(grace=timedelta(seconds=30)),
        logging=LoggingConfig(level=logging.DEBUG),
    )


def test_local_parts_are_read(tmp_path: Path) -> None:
    text = """
        http: {listen: auto}
        database: {url: "sqlite:///rooms.sqlite"}
        mqtt: {embedded: {listen: auto}}
        bridge:
          local: {count: 2, udp_listen: "[::]:9000", advertise: [192.0.2.1, "2001:db8::1"]}
          turn:
            urls: ["turn:turn.example.edu.vn?transport=udp", "turns:turn.example.edu.vn:443?transport=tcp"]
            secret: {env: TURN}
            lifetime_hours: 2
        """
    config = read_config(write(tmp_path, text), environ={"TURN": "shared with coturn"})
    assert config == Config(
        data_dir=tmp_path / "var",
        http=HttpConfig(listen=Address("127.0.0.1", 0)),
        database=DatabaseConfig(url=f"sqlite+aiosqlite:///{tmp_path}/rooms.sqlite"),
        mqtt=MqttConfig(broker=EmbeddedBrokerConfig(listen=Address("127.0.0.1", 0))),
        bridge=BridgeConfig(
            nodes=LocalNodesConfig(
                count=2,
                udp_listen=Address("::", 9000),
                advertise=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
            ),
            turn=TurnConfig(
                urls=("turn:turn.example.edu.vn?transport=udp", "turns:turn.example.edu.vn:443?transport=tcp"),
                secret=Secret("shared with coturn"),
                lifetime=timedelta(hours=2),
            ),
        ),
    )


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    text = """
        database: {url: "postgresql://nhipcau@db/rooms", password: {env: SECRET}}
        mqtt: {broker: "mqtts://mqtt.example", username: nhipcau, password: {env: SECRET}}
        bridge: {nodes: [{url: "http://10.0.0.7:1", secret: {env: SECRET}}]}
        """
    config = read_config(write(tmp_path, text), environ={"SECRET": "hunter2"})
    assert "hunter2" in config.database.url
    assert "hunter2" not in repr(config)


def test_prefix_names_the_school() -> None:
    assert MqttConfig().home_assistant_prefix_of("le-loi") == "sc/1/le-loi/ha"
    assert MqttConfig(home_assistant_prefix="homeassistant").home_assistant_prefix_of("le-loi") == "homeassistant"


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """htpp: {listen: 127.0.0.1:80}
http:
  listen: "80"
  trusted_proxies:
    - 10.0.0.0/8
    - 10.0.0.1/8
database:
  url: mysql://db/rooms
lessons:
  grace_minutes: ten
  grace_minutes: 10
"""
    assert problems(tmp_path, text) == [
        "1: htpp: is not a key here; did you mean `http`?",
        "3: http.listen: must be HOST:PORT, e.g. 127.0.0.1:8080 (port 0: a free one)",
        "6: http.trusted_proxies[1]: must be an IP address or network, e.g. 127.0.0.1 or 10.0.0.0/8, not 10.0.0.1/8",
        "8: database.url: must be sqlite, sqlite:///FILE or postgresql://USER@HOST/NAME",
        "10: lessons.grace_minutes: must be a number from 0 to 240, not text",
        "11: lessons.grace_minutes: stands here twice, first in line 10; keep one",
    ]


SECRET_ADVICE = "write `{file: path}` or `{env: NAME}`: a secret does not stand in this file"
DATABASE = "database: {url: 'postgresql://n@db/rooms', password: "
BAD_FILES = {
    # The file as a whole
    "a: [": "1: is not YAML here: expected the node content, but found '<stream end>'",
    "a: b: c": "1: is not YAML here: mapping values are not allowed here",
    "- a": "1: must be keys with values, e.g. `data_dir: var`",
    "just text": "1: must be keys with values, e.g. `data_dir: var`",
    "a: *b": "1: is not YAML here: found undefined alias 'b'",
    "--- {}\n--- {}": "2: is not YAML here: but found another document",
    "\x07": " is not YAML: it has characters that YAML does not allow",
    # Unknown keys
    "debug: true": "1: debug: is not a key here; known here: data_dir, http, database, mqtt, bridge, lessons, logging",
    "http: {lisen: auto}": "1: http.lisen: is not a key here; did you mean `listen`?",
    "lessons: {grace: 5}": "1: lessons.grace: is not a key here; did you mean `grace_minutes`?",
    "mqtt:\n  embedded:\n    port: 1883": "3: mqtt.embedded.port: is not a key here; known here: listen",
    "? [a]\n: 1": "1: ?: is not a key here; known here: data_dir, http, database, mqtt, bridge, lessons, logging",
    # Types
    "data_dir: 5": "1: data_dir: must be text, e.g. var, not a number; put it in quotes if it is meant as text",
    "data_dir: [a]": "1: data_dir: must be text, e.g. var, not a list",
    "http: 8080": "1: http: must be a section: keys with values, indented below it, not a number",
    "logging: {level: yes}": "1: logging.level: must be text, e.g. info, not true or false; "
    "put it in quotes if it is meant as text",
    "http: {trusted_proxies: 10.0.0.1}": "1: http.trusted_proxies: must be a list, e.g. [a, b], not text",
    "bridge: {local: {count: 1.5}}": "1: bridge.local.count: must be a whole number from 1 to 64, not a number",
    # Values
    "data_dir: config.yaml": "1: data_dir: must be a directory; {directory}/config.yaml is a file",
    "http: {listen: '127.0.0.1:99999'}": "1: http.listen: must be HOST:PORT, e.g. 127.0.0.1:8080 (port 0: a free one)",
    "http: {listen: 'a b:80'}": "1: http.listen: must be HOST:PORT, e.g. 127.0.0.1:8080 (port 0: a free one)",
    "http: {listen: '127.0.0.1:80/x'}": "1: http.listen: must be HOST:PORT, e.g. 127.0.0.1:8080 (port 0: a free one)",
    "http: {public_url: nhipcau.example}": "1: http.public_url: must be an address that begins with https:// or "
    "http://, e.g. https://nhipcau.example.edu.vn",
    "http: {public_url: 'https://a.example/b'}": "1: http.public_url: must end after the host: "
    "the pages stand at the top, e.g. https://nhipcau.example.edu.vn",
    "http: {tls: {certificate: config.yaml}}": "1: http.tls.key: is missing; write `key: certificate.key`",
    "http: {tls: {certificate: config.yaml, key: none.key}}": "1: http.tls.key: must be a file that exists; "
    "there is none at {directory}/none.key",
    "http: {tls: {certificate: config.yaml, key: config.yaml}}": "1: http.tls.key: is not the unencrypted PEM key "
    "of config.yaml; give that certificate's key",
    "mqtt: {broker: 'http://mqtt.example'}": "1: mqtt.broker: must be embedded or mqtts://HOST:PORT "
    "(mqtt:// without TLS)",
    "mqtt: {broker: 'mqtts://a:hunter2@mqtt.example'}": "1: mqtt.broker: has a name in it; "
    "write `username` and `password: {file: path}` as keys of their own",
    "mqtt: {username: nhipcau}": "1: mqtt.username: is for a broker of your own; "
    "the embedded one needs none: remove it",
    "mqtt: {broker: 'mqtt://mqtt.example', ca_file: config.yaml}": "1: mqtt.ca_file: needs a broker with TLS; "
    "write `broker: mqtts://...`",
    "mqtt: {embedded: {listen: '127.0.0.1:8080'}}": "1: mqtt.embedded.listen: is the address of `http.listen` too; "
    "give another port than 8080",
    "mqtt: {home_assistant_prefix: 'ha/#'}": "1: mqtt.home_assistant_prefix: must be the beginning of an MQTT topic "
    "without + # $ or spaces, e.g. sc/1/{school}/ha",
    "mqtt: {home_assistant_prefix: 'sc/{room}'}": "1: mqtt.home_assistant_prefix: must be the beginning of an MQTT "
    "topic without + # $ or spaces, e.g. sc/1/{school}/ha",
    "bridge: {nodes: remote}": "1: bridge.nodes: must be local, or a list of nodes: "
    "`- {url: https://HOST:PORT, secret: {file: path}}`",
    "bridge: {nodes: []}": "1: bridge.nodes: is an empty list; write local, or one node, or let nodes register",
    "bridge:\n  nodes:\n    - url: https://a.example\n": "3: bridge.nodes[0].secret: is missing; "
    "write `secret: {file: path}`",
    "bridge: {local: {count: 0}}": "1: bridge.local.count: must be a whole number from 1 to 64, not 0",
    "bridge: {local: {count: 2, udp_listen: '0.0.0.0:65535'}}": "1: bridge.local.count: needs 2 ports from 65535 on; "
    "choose a lower port",
    "bridge: {local: {advertise: [0.0.0.0]}}": "1: bridge.local.advertise[0]: must be one machine's IP address, "
    "not 0.0.0.0",
    "bridge: {local: {udp_listen: '0.0.0.0:1', advertise: ['2001:db8::1']}}": "1: bridge.local.advertise: has an IPv6 "
    'address, but nodes listen on 0.0.0.0 alone; write `udp_listen: "[::]:7881"`',
    "bridge: {turn: {urls: ['http://x']}}": "1: bridge.turn.urls[0]: must be turn:HOST:PORT or "
    "turns:HOST:PORT, with ?transport=udp or tcp, e.g. turn:turn.example.edu.vn:3478?transport=udp",
    "bridge: {turn: {urls: ['turn:x']}}": "1: bridge.turn.secret: is missing; write `secret: {file: path}`, the "
    "servers' static-auth-secret",
    "lessons: {grace_minutes: -1}": "1: lessons.grace_minutes: must be a number from 0 to 240, not -1",
    "lessons: {grace_minutes: .nan}": "1: lessons.grace_minutes: must be a number from 0 to 240, not .nan",
    "logging: {level: loud}": "1: logging.level: must be one of debug, info, warning, error",
    # Secrets
    "database: {url: 'postgresql://n:hunter2@db/rooms'}": "1: database.url: has the password in it; "
    "take it out and add `password: {file: path}` below `url`",
    "database: {password: {env: HOME}}": "1: database.password.env: names the environment variable HOME, "
    "which is not set; set it before starting",
    DATABASE + "hunter2}": f"1: database.password: {SECRET_ADVICE}",
    DATABASE + "12345}": f"1: database.password: {SECRET_ADVICE}",
    DATABASE + "{}}": f"1: database.password: {SECRET_ADVICE}",
    DATABASE + "{file: config.yaml, env: A}}": "1: database.password: has both file and env; keep one",
    DATABASE + "{file: none}}": "1: database.password.file: cannot be read: {directory}/none: "
    "No such file or directory",
    DATABASE + "{env: not a name}}": "1: database.password.env: must be the name of an environment variable, "
    "e.g. NHIPCAU_PASSWORD",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_bad_file_says_what_to_write_instead(tmp_path: Path, text: str) -> None:
    expected = BAD_FILES[text].replace("{directory}", str(tmp_path))
    assert expected in problems(tmp_path, text)


@pytest.mark.parametrize("text", BAD_FILES)
def test_problem_never_repeats_a_secret(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in "".join(problems(tmp_path, text))


def test_password_without_a_postgresql_url_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("hunter2")
    text = "database: {password: {file: db}}"
    assert problems(tmp_path, text) == ["1: database.password: belongs to a postgresql url; remove it"]


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    make_certificate(tmp_path / "a", names=["127.0.0.1"], now=now)
    make_certificate(tmp_path / "b", names=["127.0.0.1"], now=now)
    assert problems(tmp_path, "http:\n  tls:\n    certificate: a/server.pem\n    key: b/server.key") == [
        "4: http.tls.key: is not the unencrypted PEM key of server.pem; give that certificate's key"
    ]


def test_http_address_beside_tls_is_refused(tmp_path: Path) -> None:
    make_certificate(tmp_path, names=["127.0.0.1"], now=datetime.now(UTC))
    text = "http:\n  tls: {certificate: server.pem, key: server.key}\n  public_url: http://nhipcau.example"
    assert problems(tmp_path, text) == ["3: http.public_url: must begin with https:// because `tls` is set"]


def test_missing_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file or directory$"):
        read_config(tmp_path / "none.yaml")


def test_file_in_another_encoding_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes("data_dir: cầu".encode("utf-16"))
    with pytest.raises(ConfigError, match="is not UTF-8 text; save it as UTF-8$"):
        read_config(file)


def test_addresses_have_one_form_however_they_are_written(tmp_path: Path) -> None:
    text = 'http: {trusted_proxies: ["::ffff:127.0.0.1", "::ffff:10.0.0.0/104"]}\n'
    text += 'bridge: {local: {advertise: ["::ffff:192.0.2.1"]}}\n'
    config = read_config(write(tmp_path, text))
    assert config.http.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
    assert config.bridge.nodes == LocalNodesConfig(advertise=(ip_address("192.0.2.1"),))

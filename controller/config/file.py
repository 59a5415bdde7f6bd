"""Reads `config.yaml` into `controller.config`; reports everything that is wrong with it at once."""

import os
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from controller.config import values as values
from controller.config.errors import ConfigError
from controller.config.model import (
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
    sqlite_url,
)
from controller.config.yaml_reader import Document, Item, Section
from webrtc.shared.token import MIN_SECRET_LENGTH

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_ADVICE = "write `{file: path}` or `{env: NAME}`: a secret does not stand in this file"


def read_config(file: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `file`; what it leaves out has the sample's value.

    Relative paths are relative to the file's directory. Raises `ConfigError` with all problems found.
    """
    document = Document(file)
    config = _Reader(file.absolute().parent, environ).config(document.read())
    if document.problems:
        raise ConfigError(document.problems)
    return config


class _Reader:
    """One method per section of the file, in its order."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._directory = directory
        self._environ = environ

    def config(self, top: Section) -> Config:
        data_dir = top.take("data_dir", self._data_dir, self._directory / "var")
        default = default_config(data_dir)
        http = top.take("http", lambda item: self._http(item.section()), default.http)
        database = top.take("database", lambda item: self._database(item.section(), data_dir), default.database)
        mqtt = top.take("mqtt", lambda item: self._mqtt(item.section(), http), default.mqtt)
        bridge = top.take("bridge", lambda item: self._bridge(item.section()), default.bridge)
        lessons = top.take("lessons", lambda item: self._lessons(item.section()), default.lessons)
        log = top.take("logging", lambda item: self._logging(item.section()), default.logging)
        top.finish()
        return Config(
            data_dir=data_dir, http=http, database=database, mqtt=mqtt, bridge=bridge, lessons=lessons, logging=log
        )

    def _http(self, section: Section) -> HttpConfig:
        default = HttpConfig()
        http = HttpConfig(
            listen=section.take("listen", values.listen, default.listen),
            public_url=section.take("public_url", values.public_url, default.public_url),
            tls=section.take("tls", lambda item: self._tls(item.section()), default.tls),
            trusted_proxies=section.take(
                "trusted_proxies", lambda item: item.each(values.network), default.trusted_proxies
            ),
        )
        if http.public_url and http.public_url.startswith("http:") and section.line_of("tls"):
            section.problem("public_url", "must begin with https:// because `tls` is set")
        section.finish()
        return http

    def _tls(self, section: Section) -> TlsConfig | None:
        certificate = section.require("certificate", self._existing_file, example="certificate.pem")
        key = section.require("key", self._existing_file, example="certificate.key")
        section.finish()
        if certificate is None or key is None:
            return None
        try:
            # The password function keeps OpenSSL from asking at the terminal for the key's passphrase.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password=lambda: "")
        except (ssl.SSLError, ValueError):
            section.problem("key", f"is not the unencrypted PEM key of {certificate.name}; give that certificate's key")
        except OSError as error:
            section.problem("key", f"cannot be read: {error.strerror}")
        return TlsConfig(certificate=certificate, key=key)

    def _database(self, section: Section, data_dir: Path) -> DatabaseConfig:
        url = section.take("url", self._database_url, None) or make_url(default_config(data_dir).database.url)
        password = section.take("password", self._secret, None)
        if password is not None and url.drivername == "postgresql+asyncpg":
            url = url.set(password=password.value)
        elif password is not None:
            section.problem("password", "belongs to a postgresql url; remove it")
        section.finish()
        return DatabaseConfig(url=url.render_as_string(hide_password=False))

    def _database_url(self, item: Item) -> URL | None:
        """None stands for `sqlite`: the file in data_dir."""
        forms = "sqlite, sqlite:///FILE or postgresql://USER@HOST/NAME"
        text = item.text("sqlite")
        if text == "sqlite":
            return None
        try:
            url = make_url(text)
        except (ArgumentError, ValueError) as error:
            raise ValueError(f"must be {forms}") from error
        if url.password is not None:
            raise ValueError("has the password in it; take it out and add `password: {file: path}` below `url`")
        if url.drivername == "sqlite" and url.database and not url.host:
            return make_url(sqlite_url(self._directory / url.database))
        if url.drivername == "postgresql" and url.host and url.database:
            return url.set(drivername="postgresql+asyncpg")
        raise ValueError(f"must be {forms}")

    def _mqtt(self, section: Section, http: HttpConfig) -> MqttConfig:
        default = MqttConfig()
        external = section.take("broker", values.broker, None)
        username = section.take("username", lambda item: item.text("nhipcau"), None)
        password = section.take("password", self._secret, None)
        ca_file = section.take("ca_file", self._existing_file, None)
        embedded = section.take("embedded", lambda item: self._embedded(item.section(), http), EmbeddedBrokerConfig())
        prefix = section.take("home_assistant_prefix", values.discovery_prefix, default.home_assistant_prefix)
        if external is None:
            for key in ("username", "password", "ca_file"):
                if section.line_of(key):
                    section.problem(key, "is for a broker of your own; the embedded one needs none: remove it")
        elif password is not None and username is None:
            section.problem("password", "needs `username` beside it")
        elif ca_file is not None and external[0] != "mqtts":
            section.problem("ca_file", "needs a broker with TLS; write `broker: mqtts://...`")
        section.finish()
        if external is None:
            return MqttConfig(broker=embedded, home_assistant_prefix=prefix)
        scheme, address = external
        broker = ExternalBrokerConfig(
            address=address, tls=scheme == "mqtts", username=username, password=password, ca_file=ca_file
        )
        return MqttConfig(broker=broker, home_assistant_prefix=prefix)

    def _embedded(self, section: Section, http: HttpConfig) -> EmbeddedBrokerConfig:
        listen = section.take("listen", values.listen, EmbeddedBrokerConfig().listen)
        if listen == http.listen and listen.port != 0:
            section.problem("listen", f"is the address of `http.listen` too; give another port than {listen.port}")
        section.finish()
        return EmbeddedBrokerConfig(listen=listen)

    def _bridge(self, section: Section) -> BridgeConfig:
        remote = section.take("nodes", self._nodes, None)
        registration = section.take("registration", self._node_secret, None)
        local = section.take("local", lambda item: _local_nodes(item.section()), LocalNodesConfig())
        turn = section.take("turn", lambda item: self._turn(item.section()), None)
        if remote == () and section.line_of("registration") is None:
            section.problem("nodes", "is an empty list; write local, or one node, or let nodes register")
        section.finish()
        return BridgeConfig(nodes=local if remote is None else remote, registration=registration, turn=turn)

    def _turn(self, section: Section) -> TurnConfig | None:
        """None stands for no servers."""
        urls: tuple[str, ...] = section.take("urls", lambda item: item.each(values.turn_url), ())
        secret = section.take("secret", self._secret, None)
        lifetime = section.take("lifetime_hours", lambda item: values.hours(item, least=1, most=48), timedelta(hours=6))
        if urls and section.line_of("secret") is None:
            section.problem("secret", "is missing; write `secret: {file: path}`, the servers' static-auth-secret")
        section.finish()
        return TurnConfig(urls=urls, secret=secret, lifetime=lifetime) if urls and secret is not None else None

    def _nodes(self, item: Item) -> tuple[RemoteNodeConfig, ...] | None:
        """None stands for `local`."""
        if not item.is_list:
            if item.text("local") == "local":
                return None
            raise ValueError("must be local, or a list of nodes: `- {url: https://HOST:PORT, secret: {file: path}}`")
        nodes = tuple(node for node in item.each(lambda entry: self._node(entry.section())) if node is not None)
        if len({node.name for node in nodes}) < len(nodes):
            raise ValueError("names one node twice; keep one")
        return nodes

    def _node(self, section: Section) -> RemoteNodeConfig | None:
        url = section.require("url", values.node_url, example="https://HOST:PORT")
        secret = section.require("secret", self._secret, example="{file: path}")
        section.finish()
        return None if url is None or secret is None else RemoteNodeConfig(url=url, secret=secret)

    def _node_secret(self, item: Item) -> Secret:
        secret = self._secret(item)
        if len(secret.value.encode()) < MIN_SECRET_LENGTH:
            raise ValueError(
                f"is too short; take {MIN_SECRET_LENGTH} characters at least, e.g. of `openssl rand -hex 32`"
            )
        return secret

    def _lessons(self, section: Section) -> LessonsConfig:
        default = LessonsConfig()
        lessons = LessonsConfig(
            grace=section.take("grace_minutes", lambda item: values.minutes(item, most=240), default.grace),
        )
        section.finish()
        return lessons

    def _logging(self, section: Section) -> LoggingConfig:
        level = section.take("level", values.level, LoggingConfig().level)
        section.finish()
        return LoggingConfig(level=level)

    def _data_dir(self, item: Item) -> Path:
        path = self._directory / item.text("var")
        if path.exists() and not path.is_dir():
            raise ValueError(f"must be a directory; {path} is a file")
        return path

    def _existing_file(self, item: Item) -> Path:
        path = self._directory / item.text("certificate.pem")
        if not path.is_file():
            raise ValueError(f"must be a file that exists; there is none at {path}")
        return path

    def _secret(self, item: Item) -> Secret:
        if not item.is_section:
            raise ValueError(_SECRET_ADVICE)
        section = item.section()
        file = section.take("file", self._secret_file, None)
        variable = section.take("env", self._secret_variable, None)
        section.finish()
        named = [key for key in ("file", "env") if section.line_of(key)]
        if len(named) != 1:
            raise ValueError(_SECRET_ADVICE if not named else "has both file and env; keep one")
        return file or variable or Secret("")  # the last only beside a problem already reported

    def _secret_file(self, item: Item) -> Secret:
        path = self._directory / item.text("password.txt")
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ValueError(f"cannot be read: {path}: {reason}") from error
        if not value:
            raise ValueError(f"is an empty file: {path}; write the secret into it")
        return Secret(value)

    def _secret_variable(self, item: Item) -> Secret:
        name = item.text("NHIPCAU_PASSWORD")
        if not _VARIABLE.fullmatch(name):
            raise ValueError("must be the name of an environment variable, e.g. NHIPCAU_PASSWORD")
        if not self._environ.get(name):
            raise ValueError(f"names the environment variable {name}, which is not set; set it before starting")
        return Secret(self._environ[name])


def _local_nodes(section: Section) -> LocalNodesConfig:
    default = LocalNodesConfig()
    nodes = LocalNodesConfig(
        count=section.take("count", values.node_count, default.count),
        udp_listen=section.take("udp_listen", values.listen, default.udp_listen),
        advertise=section.take("advertise", lambda item: item.each(values.advertised), default.advertise),
    )
    if ":" not in nodes.udp_listen.host and any(address.version == 6 for address in nodes.advertise):
        section.problem(
            "advertise",
            f'has an IPv6 address, but nodes listen on {nodes.udp_listen.host} alone; write `udp_listen: "[::]:7881"`',
        )
    if nodes.udp_listen.port and nodes.udp_listen.port + nodes.count - 1 > 65535:
        section.problem("count", f"needs {nodes.count} ports from {nodes.udp_listen.port} on; choose a lower port")
    section.finish()
    return nodes

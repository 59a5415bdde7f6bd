"""The configuration as the rest of the controller sees it: frozen, checked, complete.

`controller/config/file.py` reads `config.yaml` into these; the sample at the root of the project explains every key.
Paths are absolute here, secrets are resolved and never shown by `repr`.
"""

import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from controller.network import IPAddress, IPNetwork
from rooms.lesson import END_GRACE


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or key; ask for `value` where it is used."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or connect. Port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    certificate: Path  # PEM, the server's certificate first, then the chain
    key: Path  # PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    listen: Address = Address("127.0.0.1", 8080)
    public_url: str | None = None  # without a slash at the end; None: made from `listen` and `tls`
    tls: TlsConfig | None = None
    trusted_proxies: tuple[IPNetwork, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    url: str = field(repr=False)  # for SQLAlchemy: sqlite+aiosqlite or postgresql+asyncpg, with its password


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBrokerConfig:
    """A broker that the controller starts itself."""

    listen: Address = Address("127.0.0.1", 1883)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalBrokerConfig:
    """A broker that somebody else runs."""

    address: Address
    tls: bool
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None  # None: the system's authorities


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttConfig:
    broker: EmbeddedBrokerConfig | ExternalBrokerConfig = EmbeddedBrokerConfig()
    home_assistant_prefix: str = "sc/1/{school}/ha"

    def home_assistant_prefix_of(self, school: str) -> str:
        """The discovery prefix of one school, without a slash at the end."""
        return self.home_assistant_prefix.replace("{school}", school)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNodesConfig:
    """Bridge nodes on this machine, started and watched by the controller."""

    count: int = 1
    udp_listen: Address = Address("::", 7881)  # the first node's; the next ones take the ports after it
    advertise: tuple[IPAddress, ...] = ()  # empty: this machine's own addresses, found at start


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteNodeConfig:
    """A bridge node on another machine, by its control address."""

    url: str  # without a slash at the end
    secret: Secret

    @property
    def name(self) -> str:
        """What it is called in lists and logs."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.url.partition("://")[2]).strip("-")[:64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnConfig:
    """TURN servers that somebody else runs, for clients that reach a node by no other way."""

    urls: tuple[str, ...]  # the preferred one first
    secret: Secret  # coturn's static-auth-secret
    lifetime: timedelta  # of the credentials that clients get


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeConfig:
    nodes: LocalNodesConfig | tuple[RemoteNodeConfig, ...] = LocalNodesConfig()
    registration: Secret | None = None  # of nodes that make themselves known; None: none may
    turn: TurnConfig | None = None  # for local nodes and those that register; others have it as arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonsConfig:
    grace: timedelta = END_GRACE  # a live lesson goes on this long after its end, then is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    level: int = logging.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    data_dir: Path
    database: DatabaseConfig
    http: HttpConfig = HttpConfig()
    mqtt: MqttConfig = MqttConfig()
    bridge: BridgeConfig = BridgeConfig()
    lessons: LessonsConfig = LessonsConfig()
    logging: LoggingConfig = LoggingConfig()


def sqlite_url(file: Path) -> str:
    """SQLAlchemy's URL of a SQLite database in `file`, an absolute path."""
    return f"sqlite+aiosqlite:///{file}"


def default_config(data_dir: Path) -> Config:
    """Everything as in the sample, kept in `data_dir`; `dataclasses.replace` changes what differs."""
    data_dir = data_dir.absolute()
    return Config(data_dir=data_dir, database=DatabaseConfig(url=sqlite_url(data_dir / "nhipcau.sqlite")))

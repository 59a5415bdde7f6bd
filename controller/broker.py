"""The embedded MQTT broker: Mosquitto where it is installed, otherwise amqtt, with one interface."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from controller.config import Address, EmbeddedBrokerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLogin:
    """How to reach the embedded broker as the controller, which may read and write everything."""

    address: Address
    username: str
    password: str = field(repr=False)


def username_of(school: str) -> str:
    """The broker's name for a school's devices and gateways."""
    return f"school-{school}"


def hash_password(plain: str) -> str:
    """Mosquitto's own form, `$7$iterations$salt$hash` (PBKDF2-SHA512); slow on purpose, about 0.1 s."""
    raise NotImplementedError


class EmbeddedBroker:
    def __init__(
        self,
        config: EmbeddedBrokerConfig,
        *,
        directory: Path,
        home_assistant_prefix: str = "sc/1/{school}/ha",
        engine: str = "auto",
    ) -> None:
        """`directory` holds its files (`data_dir/broker`). `engine`: auto, mosquitto or amqtt."""
        raise NotImplementedError

    async def run(self) -> None:
        """Keep the broker running until cancelled, then stop it."""
        raise NotImplementedError

    async def ready(self) -> BrokerLogin:
        """How to connect, once the broker listens."""
        raise NotImplementedError

    async def set_schools(self, schools: Mapping[str, str]) -> None:
        """Exactly these schools may connect from now on: id -> password hash. Connected clients stay connected."""
        raise NotImplementedError

"""One connection to an MQTT 3.1.1 broker, on the event loop: no threads, no callbacks outside."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is and who we are."""

    host: str
    port: int = 1883
    tls: bool = False
    ca_file: Path | None = None  # None: the system's authorities
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""  # "": the broker chooses one
    keepalive_s: int = 30

"""Which topics carry discovery, and which topics a device may name in it."""

import re
from dataclasses import dataclass
from typing import Final

from devices.device import Namespace
from devices.dialects.base import root
from devices.errors import InvalidPayload

MAX_TOPIC: Final = 512  # characters; MQTT allows 65,535 bytes, no device needs them
DEVICE_FORM: Final = "device"

_CONFIG = re.compile(r"([a-z_]{1,64})/(?:[A-Za-z0-9_-]{1,256}/)?([A-Za-z0-9_-]{1,256})/config", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f+#]")


@dataclass(frozen=True, slots=True)
class TopicRules:
    """A school's discovery prefix, and the topics its devices may use.

    The controller reads and writes every school's topics, so a device that could name any topic could make it read or
    command another school's devices. `free` lifts this where a broker serves one school only.
    """

    namespace: Namespace
    prefix: str  # without a trailing slash
    free: bool = False

    def filters(self) -> tuple[str, str]:
        return f"{self.prefix}/+/+/config", f"{self.prefix}/+/+/+/config"

    def config(self, topic: str) -> tuple[str, str] | None:
        """(component or `device`, object id) of a discovery topic; None where it is none of ours."""
        if not topic.startswith(f"{self.prefix}/"):
            return None
        match = _CONFIG.fullmatch(topic, len(self.prefix) + 1)
        return (match[1], match[2]) if match else None

    def checked(self, topic: str) -> str:
        """Raises `InvalidPayload` for a topic with wildcards, of the broker's own, or outside the school."""
        if not topic or len(topic) > MAX_TOPIC or _FORBIDDEN.search(topic) or topic.startswith("$"):
            raise InvalidPayload(f"{topic[:80]!r} is no topic that a device may use")
        if not self.free and not topic.startswith((root(self.namespace), f"{self.prefix}/")):
            raise InvalidPayload(f"topic {topic[:80]!r} is outside the school's own part of the broker")
        if self.config(topic) is not None:
            raise InvalidPayload(f"topic {topic[:80]!r} is for discovery")
        return topic

"""Time-limited credentials for TURN servers that share a secret with us, as coturn has them (`use-auth-secret`).

The form is that of draft-uberti-behave-turn-rest-00: whoever knows the secret can check by user name and password alone
that we made them, and until when they are good. No TURN server runs here: clients reach nodes directly, over TCP where
UDP is blocked. A relay is for networks that let nothing pass but its port.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_URL = re.compile(r"turns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?")  # RFC 7065 3.1
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnServers:
    """`urls`: `turn:` and `turns:` URLs, the preferred one first. `secret`: coturn's `static-auth-secret`.

    `lifetime`: how long credentials are good to begin with; what was begun with them goes on.
    """

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    lifetime: timedelta

    def credentials(self, name: str, now: datetime) -> tuple[str, str]:
        """User name and password for `name`, which the TURN server logs and counts its quotas by."""
        expiry = int((now + self.lifetime).timestamp())
        username = f"{expiry}:{_NOT_IN_NAMES.sub('-', name)}"
        return username, b64encode(hmac.digest(self.secret.encode(), username.encode(), "sha1")).decode()

    def links(self, name: str, now: datetime) -> Iterator[str]:
        """The values of `Link` headers that name these servers to a client (RFC 9725 4.6)."""
        username, password = self.credentials(name, now)
        for url in self.urls:
            yield (
                f'<{url}>; rel="ice-server"; username="{username}"; credential="{password}"; credential-type="password"'
            )


class Relays:
    """The TURN servers that a node hands out. A controller may change them while the node runs."""

    def __init__(self, servers: TurnServers | None = None) -> None:
        self.servers = servers


def is_turn_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None

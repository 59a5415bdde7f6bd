"""A node registers with a controller on another machine, for a lease that it renews: neither must remember the other.

A controller that restarts knows its nodes again within seconds. A node that no longer renews its lease is forgotten.
The node sends POST /api/v1/nodes with its secret as bearer token. The answer has the length of the lease, and the TURN
servers for clients with their shared secret. That secret goes only to a node that has sent its own secret, which is the
right to all that the node carries; and it goes over the same connection, so it is protected as well.
"""

import asyncio
import logging
import random
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp

from webrtc.errors import RegistrationRefused
from webrtc.node.status import NodeStatus
from webrtc.shared.turn import Relays, TurnServers, is_turn_url

TIMEOUT = aiohttp.ClientTimeout(total=5)
RETRY_S = (0.5, 5.0)  # first and longest
REFUSED_RETRY_S = 15.0  # a wrong secret seldom becomes right by itself
MAX_TURN_URLS = 16
MAX_TURN_LIFETIME_S = 30 * 86_400
RENEWALS = 3  # in a lease, so that one lost request ends none

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """`url`: of the controller. `name`: of this node there. `control_url`: by which the controller reaches this node.

    `ca_file`: the authority of the controller's certificate, where the system does not know it.
    """

    url: str
    name: str
    control_url: str | None = None  # None: where the control interface listens
    ca_file: Path | None = None


class Registration:
    """Keeps this node registered with one controller. `control_url`, `udp_port`: as they are since it was started.

    `relays`: gets the controller's TURN servers at each renewal; None: the node has its own.
    """

    def __init__(
        self,
        settings: ControllerSettings,
        *,
        secret: str,
        status: NodeStatus,
        control_url: str,
        udp_port: int,
        relays: Relays | None = None,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._status = status
        self._control_url = settings.control_url or control_url
        self._udp_port = udp_port
        self._relays = relays

    async def run(self) -> None:
        """Renew the lease until cancelled. Logs once when the controller goes, comes back or refuses."""
        known, delay_s = None, RETRY_S[0]
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=self._connector()) as http:
            while True:
                try:
                    lease_s = await self._renew(http)
                except RegistrationRefused as error:
                    self._log_change(known, "refused", logging.WARNING, f"refuses this node: {error}")
                    known, pause_s = "refused", REFUSED_RETRY_S
                except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
                    self._log_change(known, "lost", logging.WARNING, f"cannot be reached: {type(error).__name__}")
                    known, pause_s = "lost", delay_s * random.uniform(0.5, 1.0)
                    delay_s = min(delay_s * 2, RETRY_S[1])
                else:
                    self._log_change(known, "known", logging.INFO, f"knows this node as {self._settings.name}")
                    known, pause_s, delay_s = "known", lease_s / RENEWALS, RETRY_S[0]
                await asyncio.sleep(pause_s)

    async def _renew(self, http: aiohttp.ClientSession) -> float:
        """The lease's length in seconds. Raises `RegistrationRefused`, `ValueError` for an answer that is none."""
        body = {
            "name": self._settings.name,
            "url": self._control_url,
            "node": self._status.node,
            "udp_port": self._udp_port,
            "capacity": self._status.capacity,
            "version": self._status.version,
        }
        headers = {"Authorization": f"Bearer {self._secret}"}
        async with http.post(f"{self._settings.url}/api/v1/nodes", json=body, headers=headers) as response:
            if 400 <= response.status < 500:
                raise RegistrationRefused(f"{response.status} {(await response.text())[:300]}")
            response.raise_for_status()
            answer = await response.json()
        lease_s = answer.get("lease_s") if isinstance(answer, dict) else None
        if not isinstance(lease_s, int | float) or not 0.1 <= lease_s <= 3600:
            raise ValueError("no lease in the answer")
        if self._relays is not None:
            self._relays.servers = _turn_servers(answer.get("turn"))
        return float(lease_s)

    def _connector(self) -> aiohttp.TCPConnector:
        if self._settings.ca_file is None:
            return aiohttp.TCPConnector()
        return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self._settings.ca_file))

    def _log_change(self, before: str | None, now: str, level: int, text: str) -> None:
        if now != before:
            logger.log(level, "controller %s %s", self._settings.url, text)


def _turn_servers(answer: object) -> TurnServers | None:
    """Raises `ValueError` where it is neither None nor {"urls": [...], "secret": text, "lifetime_s": number}."""
    if answer is None:
        return None
    given = answer if isinstance(answer, dict) else {}
    urls, secret, lifetime_s = given.get("urls"), given.get("secret"), given.get("lifetime_s")
    if (
        not isinstance(urls, list)
        or not 1 <= len(urls) <= MAX_TURN_URLS
        or not all(isinstance(url, str) and is_turn_url(url) for url in urls)
        or not (isinstance(secret, str) and secret)
        or not (isinstance(lifetime_s, int | float) and 1 <= lifetime_s <= MAX_TURN_LIFETIME_S)
    ):
        raise ValueError("no TURN servers in the answer")
    return TurnServers(urls=tuple(urls), secret=secret, lifetime=timedelta(seconds=lifetime_s))

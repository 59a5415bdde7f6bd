"""Nodes on other machines that make themselves known: each holds a lease, and is forgotten when it runs out unheard."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.config.model import TurnConfig
from controller.processes.own_time import OwnTime

LEASE_S = 15.0
"""A node renews it three times as often. It is no means to see that a node is dead: that takes a second or two."""
MAX_NODES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a node says of itself. `url`: its control address, without a slash at the end."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a node gets for making itself known. `turn`: what it shall offer its clients; None: nothing."""

    lease_s: float
    turn: TurnConfig | None


class Lease:
    """The right of one registration to stand in the list of nodes."""

    def __init__(self, registration: Registration, own_time: OwnTime) -> None:
        self.registration = registration
        self._own_time = own_time
        self._renewed_at = own_time.now()

    def renew(self) -> None:
        self._renewed_at = self._own_time.now()

    async def over(self, in_use: Callable[[], bool]) -> None:
        """Return once it has run out while the node is not `in_use`."""
        while True:
            left_s = self._renewed_at + LEASE_S - self._own_time.now()
            if left_s <= 0 and not in_use():
                return
            await self._own_time.sleep(left_s if left_s > 0 else LEASE_S)

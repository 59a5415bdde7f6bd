"""Who has WebSockets open: not too many of them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from controller.web.errors import TooManySockets

MOST_OF_A_LOGIN = 30  # pages of one person, who forgets to close them; displays have fewer
MOST_OF_A_NETWORK = 600  # a school of 100 rooms behind one address, and its people
RETRY_AFTER_S = 10.0


class OpenSockets:
    """How many WebSockets each has open: they stay for hours, and each change is rendered for all of them."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, owner: str, network: str) -> Iterator[None]:
        """One more, of the login, token or display `owner`; "" is nobody known. Raises `TooManySockets`."""
        keys = [(f"network {network}", MOST_OF_A_NETWORK)] + ([(owner, MOST_OF_A_LOGIN)] if owner else [])
        if any(self._open[key] >= most for key, most in keys):
            raise TooManySockets(RETRY_AFTER_S)
        self._open.update(key for key, _ in keys)
        try:
            yield
        finally:
            for key, _ in keys:
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]


OPEN_SOCKETS = web.AppKey("open_sockets", OpenSockets)

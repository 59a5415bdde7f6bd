"""File descriptors: as many as we may have, and a reserve that connections from outside never get.

Without a reserve, whoever opens enough connections keeps the database, the broker and the nodes from being reached, and
asyncio's accept loop fills the log (CPython's `_accept_connection` logs each of 128 attempts, again and again).
"""

import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

RESERVE = 128
"""Descriptors kept for the database, children, the broker and nodes; a quarter of a limit that is very low."""
MOST = 1 << 20
"""More than anybody has displays; some programs that we start count through all that they may have."""
SAY_EVERY_S = 60.0
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def raise_limit() -> None:
    """Have as many descriptors as the system gives us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError) as error:
        logger.warning("file descriptors stay limited to %d: %s", soft, error)


def last_for_strangers() -> int:
    """The highest descriptor that a connection from outside may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = MOST if limit == resource.RLIM_INFINITY else limit
    return limit - min(RESERVE, limit // 4) - 1


class ReservingSocket(socket.socket):
    """A listening socket whose connections leave the reserve alone: one that would not is closed at once.

    The kernel gives the lowest free descriptor, so its number says how many are taken.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, listener: socket.socket) -> None:
        """Takes `listener` over."""
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.detach())
        self._said_at = float("-inf")
        self._resting = False
        self._refused = 0

    def twin(self) -> "ReservingSocket":
        """Another one for the same connections; closing it leaves this one listening."""
        return ReservingSocket(socket.socket(fileno=os.dup(self.fileno())))

    def accept(self) -> tuple[socket.socket, object]:
        """As `socket.accept`. Raises `ConnectionAbortedError` for one that was closed: asyncio tries again later."""
        if self._resting:  # asyncio goes on at once after an error, though it has said that it pauses
            self._resting = False
            raise BlockingIOError(errno.EAGAIN, "no descriptors")
        try:
            connection, address = super().accept()
        except OSError as error:
            self._resting = error.errno in _EXHAUSTED
            raise
        if connection.fileno() <= last_for_strangers():
            return connection, address
        connection.close()
        self._say()
        raise ConnectionAbortedError(errno.ECONNABORTED, "only the reserve of file descriptors is left")

    def _say(self) -> None:
        self._refused += 1
        now = self.clock()
        if now - self._said_at >= SAY_EVERY_S:
            logger.warning("%d connections closed at once: file descriptors run out", self._refused)
            self._said_at, self._refused = now, 0

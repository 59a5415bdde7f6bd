"""A real listening socket, and as few descriptors as the test allows."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from controller.processes.descriptors import ReservingSocket, last_for_strangers, raise_limit


@contextmanager
def limited_to(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_limit_is_raised_to_what_is_allowed() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with limited_to(200):
        raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 1 << 20)


def test_connections_stop_where_the_reserve_begins(caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(ReservingSocket(socket.create_server(("127.0.0.1", 0))))
        strangers = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(60)]
        lowest = os.dup(0)
        os.close(lowest)
        with limited_to((lowest + 20) * 4 // 3 + 2):  # a quarter of it is kept
            accepted, refused = 0, 0
            for _ in strangers:
                try:
                    connection, _address = listener.accept()
                except ConnectionAbortedError:
                    refused += 1
                else:
                    assert stack.enter_context(connection).fileno() <= last_for_strangers()
                    accepted += 1
            assert 10 <= accepted <= 30
            assert accepted + refused == 60
            os.close(os.open(os.devnull, os.O_RDONLY))  # what the program itself needs is there
    assert len(caplog.messages) == 1


def test_accept_without_any_descriptor_is_tried_once_and_not_again_at_once() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(ReservingSocket(socket.create_server(("127.0.0.1", 0))))
        stack.enter_context(socket.create_connection(listener.getsockname()))
        lowest = os.dup(0)
        os.close(lowest)
        with limited_to(lowest):
            with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
                listener.accept()
            with pytest.raises(BlockingIOError):  # asyncio takes this for "no more for now"
                listener.accept()

"""Tests are marked by what their code can start, and one that starts something else fails."""

import sys
from collections.abc import Callable

import pytest

from testing import chromium as chromium_module
from testing.browser import page_of
from testing.installation import House
from testing.webrtc.nodes import node_here, node_process
from tests.controller.web.house import open_house
from tests.tiers import kinds_started, started_by


async def _in_a_nested_function() -> None:
    async def inner() -> None:
        async with node_process():
            pass

    await inner()


async def _through_a_module() -> None:
    async with chromium_module.chromium():
        pass


class _Helper:
    async def start(self) -> None:
        await _in_a_nested_function()


async def _through_a_class() -> None:
    await _Helper().start()


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        (_in_a_nested_function, {"node"}),
        (_through_a_class, {"node"}),
        (_through_a_module, {"browser"}),
        (House, {"broker", "node"}),
        (page_of, set()),  # it is given a browser
        (node_here, set()),
        (open_house, set()),
    ],
)
def test_kinds_are_read_from_the_code(code: Callable[..., object], kinds: set[str]) -> None:
    assert kinds_started(code) == kinds


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ((sys.executable, "-m", "webrtc.node", "--udp", "127.0.0.1:0"), ("node",)),
        ((sys.executable, "-m", "controller", "run"), ("node", "broker")),
        ((sys.executable, "-m", "controller", "check-config"), ()),
        (("/usr/sbin/mosquitto", "-c", "file"), ("broker",)),
        ((sys.executable, "-c", "print()"), ()),
    ],
)
def test_kinds_are_read_from_a_command_line(command: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    assert started_by(list(command)) == kinds

"""What each test starts, read from its code: no test is marked by hand.

A test is marked with every kind of process that its own code or that of its fixtures can start. `make quick` runs what
is not marked. The reading follows names, through the functions and classes of `tests` and `testing`, and does not run
anything; `Watch` fails a test that starts what it is not marked with.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

KINDS = {
    "browser": "starts a browser",
    "node": "starts a bridge node as a process",
    "broker": "starts an MQTT broker",
}
WHOLE = ("node", "broker")  # what a controller starts
STARTERS: dict[str, tuple[str, ...]] = {
    "controller.broker.embedded.EmbeddedBroker": ("broker",),
    "testing.chromium.chromium": ("browser",),
    "testing.firefox.firefox": ("browser",),
    "testing.installation.House": WHOLE,
    "testing.webrtc.nodes.node_process": ("node",),
    "tests.controller.conducted.open_house": ("node",),
    "tests.controller.nodes.test_bridges.following": ("node",),
    "tests.controller.web.house.open_house": (),  # its broker is not run
    "tests.controller.test_main.start": WHOLE,
    "testing.mosquitto.Broker": ("broker",),
    "tests.e2e.test_demo.test_the_demo_shows_two_classes_after_one_tap": WHOLE,
}
_PROGRAMS = {"chromium": ("browser",), "firefox-esr": ("browser",), "firefox": ("browser",), "mosquitto": ("broker",)}
_MODULES = {"webrtc.node": ("node",), "controller.broker.amqtt": ("broker",), "controller": WHOLE}
_COMMANDS_THAT_RUN = {"run", "demo"}


def mark(item: pytest.Item) -> None:
    """Give the test a mark for each kind of process it can start."""
    for kind in sorted(_kinds_of(item)):
        item.add_marker(kind)


def _kinds_of(item: pytest.Item) -> set[str]:
    if not isinstance(item, pytest.Function):
        return set()
    fixtures = [defined[-1].func for defined in item._fixtureinfo.name2fixturedefs.values()]  # the nearest of each name
    return {kind for function in (item.function, *fixtures) for kind in kinds_started(inspect.unwrap(function))}


@functools.cache
def kinds_started(start: Callable[..., object]) -> frozenset[str]:
    """What can be started from a function, by the names that its code and the code it calls use."""
    kinds: set[str] = set()
    seen: set[int] = set()
    waiting: list[object] = [start]
    while waiting:
        found = waiting.pop()
        if callable(found):
            found = inspect.unwrap(found)
        if id(found) in seen:
            continue
        seen.add(id(found))
        starter = STARTERS.get(f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}")
        if starter is not None:
            kinds.update(starter)
        elif _is_of_tests(found):
            waiting.extend(_used_by(found))
    return frozenset(kinds)


def _is_of_tests(found: object) -> bool:
    return str(getattr(found, "__module__", "")).partition(".")[0] in ("tests", "testing")


def _used_by(found: object) -> Iterator[object]:
    """What the code of a function, or of a class's methods, has names for."""
    if isinstance(found, type):
        yield from found.__bases__
        yield from vars(found).values()
    elif isinstance(found, property):
        yield found.fget
    elif isinstance(found, classmethod | staticmethod):
        yield found.__func__
    elif isinstance(found, FunctionType):
        names = set(_names(found.__code__))
        for name in names & found.__globals__.keys():
            value: Any = found.__globals__[name]
            yield value
            if isinstance(value, ModuleType):
                yield from (vars(value)[attribute] for attribute in names & vars(value).keys())


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


class Watch:
    """Knows what has been started since a test began, by Python's own audit events (PEP 578)."""

    def __init__(self) -> None:
        self._started: set[str] = set()
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        self._started.clear()

    def unmarked(self, item: pytest.Item) -> set[str]:
        """The kinds that were started and that the test is not marked with."""
        return {kind for kind in self._started if item.get_closest_marker(kind) is None}

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            self._started.update(started_by([str(each) for each in arguments[1]]))


def started_by(command: list[str]) -> tuple[str, ...]:
    """The kinds of processes that a command line starts."""
    name = Path(command[0]).name
    if name in _PROGRAMS:
        return _PROGRAMS[name]
    module = command[command.index("-m") + 1] if "-m" in command[:-1] else ""
    if module == "controller" and not _COMMANDS_THAT_RUN & set(command):
        return ()
    return _MODULES.get(module, ())

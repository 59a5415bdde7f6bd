"""The WebSockets that are served: their handlers, and all that the document says of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter

from controller.web.display_events import display_events
from controller.web.events import events
from controller.web.messages import FROM_DISPLAY, FROM_PAGE, TO_DISPLAY, TO_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRoute:
    """One WebSocket below `API`: who may open it (as OpenAPI says it), what we send there, and what we take."""

    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    security: list[Mapping[str, list[str]]]
    sends: TypeAdapter[Any]
    takes: TypeAdapter[Any]


SOCKETS = (
    SocketRoute(
        path="/events",
        handler=events,
        summary="What changes, as far as whoever is logged in may see it",
        security=[{"login": []}, {"token": []}],
        sends=TO_PAGE,
        takes=FROM_PAGE,
    ),
    SocketRoute(
        path="/display/events",
        handler=display_events,
        summary="A display's: a pairing code until it has a room, then what it shall show and do",
        security=[],
        sends=TO_DISPLAY,
        takes=FROM_DISPLAY,
    ),
)

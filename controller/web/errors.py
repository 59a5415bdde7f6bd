"""The one table from what went wrong to the answer: problem details (RFC 9457) with a stable `type`.

An error's type is its class in words: `RoomNotFound` is `/problems/room-not-found`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web
from pydantic import ValidationError

from controller.config.errors import ConfigError
from controller.errors import ControllerError
from controller.operator.errors import ControllerAway, DutyChanged, OperatorRefused
from devices.errors import DevicesError, QueueFull
from rooms.errors import RoomsError, VersionConflict
from rooms.people.errors import (
    HiddenObject,
    LoginFailed,
    LoginsBusy,
    NotLoggedIn,
    PeopleError,
    TooManyAttempts,
    WeakPassword,
)
from webrtc.errors import WebrtcError

OURS = (ControllerError, DevicesError, RoomsError, WebrtcError)
"""Only these are mapped; all else is a fault of the program: 500."""

OF_THE_SHELL = (ConfigError, ControllerAway, DutyChanged, OperatorRefused)
"""Ours, but no answers: whoever types a command reads them."""

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotLoggedIn, 401),
    (LoginFailed, 401),
    (TooManyAttempts, 429),
    (QueueFull, 503),
    (VersionConflict, 412),
    (LookupError, 404),
    (ValueError, 422),
    (PermissionError, 403),
    (TimeoutError, 504),
    (ConnectionError, 503),
    (RuntimeError, 409),
)
"""The first row that the error is an instance of."""

FIELD_CODES = {
    "missing": "missing",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "pattern",
}
"""From pydantic's types to the codes in `errors[]` that a page has words for; all others are "other"."""

RETRY_AFTER_S = 1


class WebError(ControllerError):
    """A request that is wrong before any service sees it."""

    status = 400


class InvalidJson(WebError, ValueError):
    pass


class InvalidRequest(WebError, ValueError):
    """`errors`: where it is wrong (a JSON pointer under /body or /query), what is, and that in one of a few codes."""

    status = 422

    def __init__(self, errors: tuple[tuple[str, str] | tuple[str, str, str], ...]) -> None:
        self.errors = tuple((each[0], each[1], each[2] if len(each) == 3 else "other") for each in errors)
        super().__init__("; ".join(f"{where}: {what}" for where, what, _ in self.errors))

    @classmethod
    def of(cls, error: ValidationError, part: str) -> "InvalidRequest":
        return cls(
            tuple(
                ("/".join(["", part, *map(str, found["loc"])]), found["msg"], FIELD_CODES.get(found["type"], "other"))
                for found in error.errors(include_url=False, include_input=False, include_context=False)[:20]
            )
        )


class UnsupportedMediaType(WebError, ValueError):
    status = 415


class PreconditionRequired(WebError, RuntimeError):
    status = 428


class PreconditionFailed(WebError, RuntimeError):
    status = 412


class CsrfRefused(WebError, PermissionError):
    status = 403


class OriginRefused(WebError, PermissionError):
    status = 403


class HostRefused(WebError, PermissionError):
    status = 421  # RFC 9110 15.5.20


class TooManyRequests(WebError, RuntimeError):
    status = 429

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after = timedelta(seconds=retry_after_s)
        super().__init__("there is too much from your network, try again in a while")


class TooManySockets(TooManyRequests):
    """Pages of one login, or of one network."""


class NodeAway(WebError, ConnectionError):
    status = 503


class NodeSilent(WebError, TimeoutError):
    status = 504


RAISED_BY_AIOHTTP = (
    web.HTTPNotFound(),
    web.HTTPMethodNotAllowed("GET", ()),
    web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2),
    web.HTTPExpectationFailed(),
)
"""As its router and its reader of bodies do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    more: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        body = {"type": f"/problems/{self.type}", "title": self.title, "status": self.status, "detail": self.detail}
        return web.Response(
            body=json.dumps({**body, **self.more}, ensure_ascii=False).encode(),
            status=self.status,
            content_type="application/problem+json",
            headers=self.headers,
        )


def problem_of(error: Exception) -> Problem | None:
    """The problem that `error` is to whoever asked; None: a fault of ours that they can do nothing about."""
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    if not isinstance(error, OURS):
        return None
    status = _status(error)
    words = f"{error.kind}-not-found" if isinstance(error, HiddenObject) else _words(type(error).__name__)
    headers: dict[str, str] = {}
    more: dict[str, object] = {}
    if isinstance(error, TooManyAttempts | LoginsBusy | TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after.total_seconds())))
    elif status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, WeakPassword):
        more["reason"] = error.reason.value
    if isinstance(error, InvalidRequest):
        more["errors"] = [{"where": where, "code": code, "detail": what} for where, what, code in error.errors]
    # What does not exist and what must not be seen are answered in the same words.
    detail = "" if status == 404 else str(error)[:1000]
    return Problem(type=words, title=_title(words), status=status, detail=detail, headers=headers, more=more)


def problem_type(error: Exception) -> str:
    """What an error of ours is called where it is no answer to a request."""
    return _words(type(error).__name__)


def problem_types() -> tuple[str, ...]:
    """Every `type` that an answer can have, without `/problems/`: each error of ours, and what aiohttp raises."""
    own = {_words(each.__name__) for base in OURS for each in _below(base)}
    http = {_of_http(each).type for each in RAISED_BY_AIOHTTP}
    none = {_words(each.__name__) for each in (PeopleError, HiddenObject, WebError, *OF_THE_SHELL)}
    return tuple(sorted((own - none) | http | {"internal-error"}))


def _below(base: type[Exception]) -> Iterator[type[Exception]]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def fault(id: str) -> Problem:
    """What is said of an unexpected error; the log has the rest under the same id."""
    detail = f"Something failed on our side. If it stays so, tell your technician this number: {id}"
    return Problem(type="internal-error", title="Internal error", status=500, detail=detail, more={"id": id})


def _status(error: Exception) -> int:
    if isinstance(error, WebError):
        return error.status
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def _of_http(error: web.HTTPException) -> Problem:
    words = _words(error.reason.replace(" ", "").replace("-", "")) if error.reason else "http"
    kept: Iterable[str] = ("Accept-Encoding", "Allow", "Retry-After")
    headers = {name: error.headers[name] for name in kept if name in error.headers}
    return Problem(type=words, title=error.reason, status=error.status, headers=headers)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _title(words: str) -> str:
    return words.replace("-", " ").capitalize()

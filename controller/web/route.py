"""The route decorator: JSON in and out through pydantic models, and all that the OpenAPI document says of a route.

A handler is `async def name(call: Call, body: Model, query: Model) -> Value | None`; `body` and `query` only where it
takes them. What it takes and answers is read from its annotations, so that what is served and what is described are the
same.
"""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from controller.schema import KEY_PATTERN, Nothing, adapter
from controller.web.call import SERVICES, Call
from controller.web.compression import holds_secret, json_answer
from controller.web.errors import InvalidJson, InvalidRequest, UnsupportedMediaType
from controller.web.guard import SAFE_METHODS, check_origin, check_settled, identify

API = "/api/v1"
PUBLIC_LIMIT_B = 16 * 1024  # of a body from somebody nobody knows
MOST_KEYS = 64  # of one object: each that is unknown is worked out into a sentence

Handler = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path below `API`."""

    method: str
    path: str
    tag: str
    handler: Handler
    summary: str
    public: bool  # nobody has to be logged in
    unsettled: bool  # also for who must choose a password of their own first
    status: int
    also: tuple[int, ...]  # other successes
    problems: tuple[int, ...]
    if_match: bool
    body: type[BaseModel] | None
    query: type[BaseModel]
    answer: TypeAdapter[Any] | None
    compressible: bool  # its answer may be

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    async def serve(self, request: web.Request) -> web.Response:
        services = request.app[SERVICES]
        call = Call(request=request, services=services, status=self.status, asked=services.clock())
        if request.method not in SAFE_METHODS:
            check_origin(request, services)
        if not self.public:
            call.who = await identify(request, services)
            if not self.unsettled:
                check_settled(call.who)
            call.known_rights = services.people.accounts.rights(call.who.account)
        arguments: dict[str, BaseModel] = {}
        query = _query(request, self.query)
        if self.query is not Nothing:
            arguments["query"] = query
        if self.body is not None:
            arguments["body"] = await _body(
                request, self.body, PUBLIC_LIMIT_B if self.public else request.client_max_size
            )
        answer = await self.handler(call, **arguments)
        if self.answer is None:
            return call.finish(web.Response(status=call.status))
        body = self.answer.dump_json(answer, by_alias=True)
        return call.finish(json_answer(request, body, status=call.status, compressible=self.compressible))


class Routes:
    """The routes of one noun."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Route] = []

    def __call__(
        self,
        method: str,
        path: str,
        *,
        public: bool = False,
        unsettled: bool = False,
        status: int = 200,
        also: tuple[int, ...] = (),
        problems: tuple[int, ...] = (),
        if_match: bool = False,
    ) -> Callable[[Handler], Handler]:
        """`problems`: those that this handler adds to what every route of its shape can answer."""

        def add(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            answer = None if hints["return"] is type(None) else adapter(hints["return"])
            self.all.append(
                Route(
                    method=method,
                    path=path,
                    tag=self.tag,
                    handler=handler,
                    summary=(inspect.getdoc(handler) or "").split("\n")[0],
                    public=public,
                    unsettled=unsettled,
                    status=204 if answer is None else status,
                    also=also,
                    problems=problems,
                    if_match=if_match,
                    body=hints.get("body"),
                    query=hints.get("query", Nothing),
                    answer=answer,
                    compressible=method in SAFE_METHODS and answer is not None and not holds_secret(answer),
                )
            )
            return handler

        return add


def add_routes(app: web.Application, routes: Sequence[Route]) -> None:
    """A path parameter that cannot be an id of ours is no path of ours: 404."""
    for route in routes:
        path = re.sub(r"{(\w+)}", rf"{{\1:{KEY_PATTERN}}}", route.path)
        app.router.add_route(route.method, API + path, route.serve)


def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise InvalidRequest(((f"/query/{name}", "given twice"),))
        given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidRequest.of(error, "query") from error


async def _body(request: web.Request, model: type[BaseModel], most_b: int) -> BaseModel:
    if request.content_type != "application/json":
        raise UnsupportedMediaType("send application/json")
    data = await request.read()
    if len(data) > most_b:
        raise web.HTTPRequestEntityTooLarge(max_size=most_b, actual_size=len(data))
    value = parse_json(data)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequest.of(error, "body") from error


def parse_json(data: bytes | str) -> object:
    """What `data` says in JSON, in UTF-8. Raises `InvalidJson`, also for NaN and Infinity and for what is very wide."""
    try:
        text = data if isinstance(data, str) else data.decode()
        parsed: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_narrow)
    except (ValueError, RecursionError) as error:
        raise InvalidJson("this is not JSON") from error
    return parsed


def _narrow(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > MOST_KEYS:
        raise ValueError("more keys than any object of ours has")
    return dict(pairs)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")

"""The served document: that it is valid, and that what is served keeps to it."""

import asyncio
import sys
from pathlib import Path

import jsonschema_rs

from controller.web.server import ROUTES
from rooms.people.account import Role
from testing.rounds import rounds
from tests.controller.web.house import HOST, House

RUN_TIMEOUT_S = 100  # it takes about 20 on a machine that does nothing else
EXCLUDED = ",".join(
    (
        "positive_data_acceptance",  # a lesson that ends before it starts fits the schema, and is refused all the same
        "ignored_auth",  # the header given here stays when it tries a wrong cookie; test_rights.py asks without a login
        "allow_header_conformance",  # the router says PUT for `/scenes/suggest`, which is a scene's name there
        "ensure_resource_availability",  # takes a room's id in a scene's path for the scene's
    )
)


async def test_document_is_served_and_has_every_route(house: House) -> None:
    visitor = await house.visitor()
    status, document = await visitor.ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    paths = document["paths"]
    assert isinstance(paths, dict)
    described = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert described == {(route.method, route.path) for route in ROUTES}


async def test_document_has_the_websockets(house: House) -> None:
    visitor = await house.visitor()
    _, document = await visitor.ask("GET", "/openapi.json")
    sockets = document["x-websockets"]
    assert isinstance(sockets, dict)
    kinds = {
        path: tuple(
            sorted(each["discriminator"]["mapping"]) for each in (socket["sends"], socket["takes"]) if "oneOf" in each
        )
        for path, socket in sockets.items()
    }
    assert kinds == {
        "/events": (
            [
                *("device", "device_removed", "error", "hello", "lesson", "lesson_removed"),
                *("pong", "room", "room_removed", "watch"),
            ],
        ),
        "/display/events": (
            ["call", "error", "paired", "pairing", "pong", "state"],
            ["part", "ping", "report", "sending"],
        ),
    }


async def test_schemas_of_the_document_are_json_schemas(house: House) -> None:
    visitor = await house.visitor()
    _, document = await visitor.ask("GET", "/openapi.json")
    components = document["components"]
    assert isinstance(components, dict)
    for schema in components["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


async def test_server_keeps_to_its_document(house: House, tmp_path: Path) -> None:
    program = await house.program(HOST, Role.ADMINISTRATOR)
    run = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{house.url}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {program.token}"),
        *("--seed", "1", "--max-examples", str(rounds(2, 10)), "--phases", "examples,coverage,fuzzing"),
        *("--exclude-path-regex", "/apply$"),  # answered when the slowest step has settled: a minute for a projector
        *("--exclude-checks", EXCLUDED, "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(RUN_TIMEOUT_S):
        output, _ = await run.communicate()
    assert run.returncode == 0, output.decode()

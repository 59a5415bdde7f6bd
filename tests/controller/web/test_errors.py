"""What is answered when something fails: each type has words in the app, each wrong field a code."""

import json
from pathlib import Path

import pytest

import controller.app  # noqa: F401  # with every part of the running service come all of its errors
from controller.web.errors import FIELD_CODES, problem_types
from rooms.people.account import Role
from tests.controller.web.house import HOST, ROOMS, House

KNOWN_TO_THE_APP = Path(__file__).parents[3] / "web" / "src" / "api" / "problems.json"


def test_app_knows_every_type_of_problem() -> None:
    """The list is `problem_types()` as JSON. `words.test.ts` holds that each of it has words in every language."""
    assert json.loads(KNOWN_TO_THE_APP.read_text()) == list(problem_types())


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"school": HOST}, {"/body/name": "missing"}),
        ({"school": HOST, "name": ""}, {"/body/name": "too_short"}),
        ({"school": HOST, "name": "x" * 500}, {"/body/name": "too_long"}),
        ({"school": HOST, "name": "4\nA"}, {"/body/name": "pattern"}),
        ({"school": HOST, "name": 4}, {"/body/name": "other"}),
        ({"name": "4A"}, {"/body/school": "missing"}),
    ],
)
async def test_wrong_field_is_named_with_a_code(house: House, body: object, errors: dict[str, str]) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    status, problem = await program.ask("POST", "/rooms", body)
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    found = problem["errors"]
    assert isinstance(found, list)
    assert {each["where"]: each["code"] for each in found} == errors
    assert set(errors.values()) <= {*FIELD_CODES.values(), "other"}


async def test_name_that_is_taken_says_so(house: House) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    status, problem = await program.ask("POST", "/rooms", {"school": HOST, "name": ROOMS[HOST].name})
    assert (status, problem["type"]) == (409, "/problems/already-exists")

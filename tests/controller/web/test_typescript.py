"""The types and limits of the browser app: that they are those of the server."""

from pathlib import Path

from controller.web.openapi import openapi
from controller.web.server import ROUTES, VERSION
from controller.web.socket_route import SOCKETS
from controller.web.typescript import HEAD, contract

OF_THE_APP = Path(__file__).parents[3] / "web" / "src" / "api" / "contract.ts"


def test_app_has_what_the_server_serves() -> None:
    served = contract(openapi(ROUTES, SOCKETS, version=VERSION))
    assert OF_THE_APP.read_text() == served, "what is served has changed: run `make contract`"


def test_each_kind_of_schema_has_its_type() -> None:
    lesson = {
        "description": "A lesson.\n\n`floor`: who has it.",
        "properties": {
            "kind": {"$ref": "#/components/schemas/Kind"},
            "floor": {"anyOf": [{"$ref": "#/components/schemas/FloorJson"}, {"type": "null"}]},
            "who": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "flows": {"type": "object", "additionalProperties": {"type": "integer"}},
            "value": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
            "any": {"additionalProperties": True, "type": "object"},
        },
        "required": ["kind", "floor", "who"],
    }
    document = {
        "x-constants": {"LONGEST_S": 5, "ROLES": ["teacher"]},
        "x-websockets": {
            "/events": {"sends": {"oneOf": [{"type": "string"}, {"const": 1}]}, "takes": {"type": "null"}}
        },
        "components": {
            "schemas": {
                "LessonJson-Output": lesson,
                "Kind": {"enum": ["lesson", "meeting"], "type": "string"},
                "FloorJson": {"properties": {}},
            }
        },
    }
    assert (
        contract(document).removeprefix(HEAD)
        == """
export const LONGEST_S = 5;
export const ROLES = ["teacher"] as const;

export interface Floor {

}

export type Kind = "lesson" | "meeting";

/**
 * A lesson.
 *
 * `floor`: who has it.
 */
export interface Lesson {
  kind: Kind;
  floor: Floor | null;
  who: (string | null)[];
  flows?: Record<string, number>;
  value?: number;
  any?: Record<string, unknown>;
}

/** What the WebSocket /events sends. */
export type EventsSends = string | 1;

/** What the WebSocket /events takes. */
export type EventsTakes = null;
"""
    )

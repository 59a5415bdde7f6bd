"""The OpenAPI 3.1 document, made from the routes and the WebSockets that are served.

OpenAPI has no WebSockets: they stand in `x-websockets`, by path, with the schemas of what each `sends` and `takes`. Nor
has it values: those that pages and the server go by stand in `x-constants`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core.core_schema import DataclassField, ModelField, TypedDictField

from controller.schema import KEY_PATTERN, Nothing, adapter
from controller.web.constants import CONSTANTS
from controller.web.errors import FIELD_CODES, problem_types
from controller.web.guard import CSRF_HEADER, LOGIN_COOKIE, SAFE_METHODS
from controller.web.route import API, Route
from controller.web.socket_route import SocketRoute

Json = dict[str, Any]
Schemas = Mapping[tuple[int, JsonSchemaMode], Json]
"""By the adapter's identity: a type has one, for both ways."""

REFERENCES = "#/components/schemas/{model}"
PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{each}" for each in problem_types()], "description": "stable"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "where": {"type": "string", "description": "a JSON pointer under /body or /query"},
                    "code": {"type": "string", "enum": sorted({*FIELD_CODES.values(), "other"})},
                    "detail": {"type": "string"},
                },
                "required": ["where", "code", "detail"],
            },
        },
    },
}


class Served(GenerateJsonSchema):
    """What is sent has all its fields, and what comes in is told apart by its `type`."""

    def field_is_required(self, field: ModelField | DataclassField | TypedDictField, total: bool) -> bool:
        schema = field["schema"]
        inner = schema["schema"] if schema["type"] == "default" else schema
        is_tag = inner["type"] == "literal" and len(inner["expected"]) == 1
        return self.mode == "serialization" or is_tag or super().field_is_required(field, total)


def openapi(routes: Sequence[Route], sockets: Sequence[SocketRoute], *, version: str) -> Json:
    """The document for these routes and WebSockets."""
    schemas, components = _schemas(routes, sockets)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nhịp Cầu", "version": version},
        "servers": [{"url": API}],
        "security": [{"login": [], "csrf": []}, {"token": []}],
        "paths": paths,
        "x-constants": CONSTANTS,
        "x-websockets": {each.path: _socket(each, schemas) for each in sockets},
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "securitySchemes": {
                "login": {"type": "apiKey", "in": "cookie", "name": LOGIN_COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(routes: Sequence[Route], sockets: Sequence[SocketRoute]) -> tuple[Schemas, Json]:
    """The schema of all that goes in and out, and what they refer to."""
    sent = [route.answer for route in routes if route.answer is not None] + [each.sends for each in sockets]
    taken = [adapter(route.body) for route in routes if route.body is not None] + [each.takes for each in sockets]
    inputs: list[tuple[int, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((id(each), "serialization", each) for each in sent),
        *((id(each), "validation", each) for each in taken),
    ]
    schemas, definitions = TypeAdapter.json_schemas(inputs, ref_template=REFERENCES, schema_generator=Served)
    components: Json = definitions["$defs"]
    some = {
        "title": "DisplayCallChange",
        "description": "What is another in a call: some of its fields.",
        "required": [],
    }
    components["DisplayCallChange"] = {**components["DisplayCall"], **some}
    components["CallChange"]["properties"]["call"] = {"$ref": REFERENCES.format(model="DisplayCallChange")}
    return schemas, components


def _socket(each: SocketRoute, schemas: Schemas) -> Json:
    return {
        "summary": each.summary,
        "security": each.security,
        "sends": schemas[id(each.sends), "serialization"],
        "takes": schemas[id(each.takes), "validation"],
    }


def _operation(route: Route, schemas: Schemas) -> Json:
    operation: Json = {
        "operationId": route.handler.__name__,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if route.public:
        operation["security"] = []
    elif route.method in SAFE_METHODS:
        operation["security"] = [{"login": []}, {"token": []}]
    if route.body is not None:
        content = {"application/json": {"schema": schemas[id(adapter(route.body)), "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$"}}
        for name in route.parameters
    ]
    if route.query is not Nothing:
        schema = route.query.model_json_schema(by_alias=True)
        for name, each in schema["properties"].items():
            required = name in schema.get("required", [])
            # A query has no null: what is left out is left out.
            plain = next((one for one in each.get("anyOf", []) if one != {"type": "null"}), each)
            found.append({"name": name, "in": "query", "required": required, "schema": _without_default(plain)})
    if route.if_match:
        text = "the version that this changes, as it was in ETag"
        found.append({"name": "If-Match", "in": "header", "description": text, "schema": {"type": "string"}})
    return found


def _without_default(schema: Json) -> Json:
    return {name: value for name, value in schema.items() if name not in ("default", "title")}


def _responses(route: Route, schemas: Schemas) -> Json:
    responses: Json = {}
    for status in (route.status, *route.also):
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if route.answer is not None:
            responses[str(status)] = {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": schemas[id(route.answer), "serialization"]}},
            }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(_problems(route)):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


def _problems(route: Route) -> set[int]:
    found = {422, *route.problems}  # 422: every route refuses a query it does not know
    if not route.public:
        found |= {401, 403}
    elif route.method not in SAFE_METHODS:
        found |= {403}  # another site's page
    if route.parameters:
        found |= {404}
    if route.body is not None:
        found |= {400, 413, 415}
    if route.if_match:
        found |= {412, 428}
    return found

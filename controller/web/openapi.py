"""The OpenAPI 3.1 document, made from the routes that are served."""

from collections.abc import Sequence
from http import HTTPStatus

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from controller.web.errors import FIELD_CODES, problem_types
from controller.web.guard import CSRF_HEADER, LOGIN_COOKIE, SAFE_METHODS
from controller.web.route import API, Route
from controller.schema import KEY_PATTERN, Nothing

Json = dict[str, object]

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


def openapi(routes: Sequence[Route], *, version: str) -> Json:
    """The document for these routes."""
    schemas, components = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nhịp Cầu", "version": version},
        "servers": [{"url": API}],
        "security": [{"login": [], "csrf": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "securitySchemes": {
                "login": {"type": "apiKey", "in": "cookie", "name": LOGIN_COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[type[BaseModel], Json], Json]:
    """Each body's and answer's schema, and what they refer to."""
    modes: dict[type[BaseModel], JsonSchemaMode] = {}
    for route in routes:
        if route.answer is not None:
            modes[route.answer] = "serialization"
        if route.body is not None:
            modes[route.body] = "validation"  # of a model used for both, the stricter: what is taken
    by_model, definitions = models_json_schema(list(modes.items()), ref_template=REFERENCES)
    return {model: by_model[model, mode] for model, mode in modes.items()}, definitions.get("$defs", {})


def _operation(route: Route, schemas: dict[type[BaseModel], Json]) -> Json:
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
        content = {"application/json": {"schema": schemas[route.body]}}
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


def _responses(route: Route, schemas: dict[type[BaseModel], Json]) -> Json:
    responses: Json = {}
    for status in (route.status, *route.also):
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if route.answer is not None:
            responses[str(status)] = {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": schemas[route.answer]}},
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

"""The served document as TypeScript: what the browser app's `web/src/api/contract.ts` has to be.

`make contract` writes that file. It is kept in the repository: the app is built where the controller's own packages are
not installed, and editors find it. A test holds that it is what the server serves.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from controller.web.openapi import openapi
from controller.web.server import ROUTES, VERSION
from controller.web.socket_route import SOCKETS

Json = Mapping[str, Any]

HEAD = "// Written by `make contract` from what the server serves (controller/web/typescript.py). Do not edit.\n"
PROBLEM = "Problem"
"""Is left out: its types are in `web/src/api/problems.json`, and the app has a class of its own for it."""
PLAIN = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def contract(document: Json) -> str:
    """Each value of `x-constants`, each schema, and what each WebSocket sends and takes."""
    served = {name: schema for name, schema in document["components"]["schemas"].items() if name != PROBLEM}
    schemas = {_name(name): schema for name, schema in served.items()}
    if len(schemas) != len(served):
        raise ValueError("two schemas have one name")
    constants = document["x-constants"].items()
    parts = [HEAD, "\n".join(f"export const {name} = {_value(value)};" for name, value in constants) + "\n"]
    parts += [_declared(name, schema) for name, schema in sorted(schemas.items())]
    for path, socket in document["x-websockets"].items():
        words = "".join(part.capitalize() for part in path.split("/"))
        for way in ("sends", "takes"):
            comment = f"/** What the WebSocket {path} {way}. */\n"
            parts.append(f"{comment}export type {words}{way.capitalize()} = {_type(socket[way])};\n")
    return "\n".join(parts)


def _name(model: str) -> str:
    """`LessonJson`: Lesson; `SceneJson-Input`: SceneInput; `SceneJson-Output`: Scene."""
    return re.sub(r"-Output$", "", model).replace("Json", "").replace("-", "")


def _value(value: object) -> str:
    return json.dumps(value) if isinstance(value, int | float | str) else f"{json.dumps(value)} as const"


def _declared(name: str, schema: Json) -> str:
    comment = _comment(schema.get("description", ""), "")
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    return f"{comment}export interface {name} {{\n" + "\n".join(_fields(schema)) + "\n}\n"


def _comment(text: str, indent: str) -> str:
    lines = text.strip().split("\n")
    if lines == [""]:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return "\n".join([f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]) + "\n"


def _fields(schema: Json) -> Iterator[str]:
    for name, each in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        yield f"  {name}{mark}: {_type(each)};"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rsplit("/", 1)[1])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if variants := schema.get("anyOf", schema.get("oneOf")):
        return " | ".join(dict.fromkeys(_type(each) for each in variants))
    match schema.get("type"):
        case "array":
            item = _type(schema["items"])
            return f"({item})[]" if "|" in item else f"{item}[]"
        case "object" if "properties" in schema:
            return "{ " + " ".join(field.strip() for field in _fields(schema)) + " }"
        case "object":
            values = schema.get("additionalProperties", True)
            return f"Record<string, {'unknown' if values is True else _type(values)}>"
        case str(plain):
            return PLAIN[plain]
        case _:
            return "unknown"


def main() -> None:
    print(contract(openapi(ROUTES, SOCKETS, version=VERSION)), end="")  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()

"""Which answers of the API are compressed: those that are long, are only read, and hold no secret.

Of an answer that holds a secret beside something that whoever asks can choose, its compressed length gives the secret
away byte by byte (BREACH). So an answer whose model has a token or a password in it is never compressed, whatever else
is in it, and neither is any answer to a request that changes something. Files of the app are compressed by its build.
"""

from typing import Any

from aiohttp import hdrs, web
from aiohttp.web_response import ContentCoding
from pydantic import TypeAdapter

WORTH_B = 1024
IN_A_THREAD_B = 16 * 1024  # about 0.3 ms of zlib; from here on the loop does not wait for it
SECRETS = frozenset({"csrf", "token", "password", "secret", "credential", "link"})


def holds_secret(answer: TypeAdapter[Any]) -> bool:
    """Whether a field of that name is anywhere in the answer."""
    schema = answer.json_schema(mode="serialization")
    objects = [schema, *schema.get("$defs", {}).values()]
    return any(not SECRETS.isdisjoint(each.get("properties", {})) for each in objects)


def json_answer(request: web.Request, body: bytes, *, status: int = 200, compressible: bool) -> web.Response:
    """`body` as JSON, compressed where that pays and the client takes gzip."""
    answer = web.Response(
        body=body,
        status=status,
        content_type="application/json",
        charset="utf-8",
        zlib_executor_size=IN_A_THREAD_B,
    )
    if compressible and len(body) >= WORTH_B:
        answer.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            answer.enable_compression(ContentCoding.gzip)
    return answer


def takes_gzip(accepted: str) -> bool:
    """Accept-Encoding, RFC 9110 12.5.3."""
    weights: dict[str, float] = {}
    for each in accepted.lower().split(","):
        coding, _, parameter = each.partition(";")
        weights[coding.strip()] = _weight(parameter)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0

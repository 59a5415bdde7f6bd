"""Errors as HTTP responses: one table from exception to problem details (RFC 9457)."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from webrtc.errors import (
    BridgeFull,
    BridgeNotFound,
    ConnectionNotFound,
    InvalidSdp,
    InvalidToken,
    TokenNotAllowed,
    UnsupportedSdp,
    WebrtcError,
)

logger = logging.getLogger(__name__)

# Before each class come its subclasses: the first that fits decides.
TABLE: tuple[tuple[type[WebrtcError], int, str, str], ...] = (
    (UnsupportedSdp, 422, "sdp-unsupported", "This node cannot do what the session description asks"),
    (InvalidSdp, 400, "sdp-invalid", "The session description cannot be read"),
    (InvalidToken, 401, "token-invalid", "A valid token is needed"),
    (TokenNotAllowed, 403, "token-not-allowed", "The token does not allow this"),
    (BridgeNotFound, 404, "bridge-not-found", "There is no such bridge on this node"),
    (ConnectionNotFound, 404, "connection-not-found", "There is no such connection"),
    (BridgeFull, 503, "bridge-full", "The bridge takes no more connections"),
)
FULL_RETRY_AFTER_S = 10
CLIENT_LEFT = 499  # no status of HTTP; proxies use it in their logs


class ProblemError(Exception):
    """A refusal that belongs to HTTP alone: a header is missing, a media type is wrong."""

    def __init__(self, status: int, name: str, title: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.name = name
        self.title = title
        self.headers = headers or {}


def problem(
    status: int, name: str, title: str, *, detail: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    """`name` becomes the stable `type` "/problems/<name>"."""
    body: dict[str, str | int] = {"type": f"/problems/{name}", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers every error of a request; an unexpected one is logged here and ends nothing else."""
    try:
        return await handler(request)
    except ProblemError as error:
        return problem(error.status, error.name, error.title, headers=error.headers)
    except web.HTTPException as error:
        headers = {name: error.headers[name] for name in ("Allow", "Accept-Encoding") if name in error.headers}
        return problem(error.status, f"http-{error.status}", error.reason, headers=headers)
    except WebrtcError as error:
        return _known(error)
    except ConnectionResetError:
        # In the middle of its body: nobody is left to answer, and nothing has failed.
        return web.Response(status=CLIENT_LEFT)
    except Exception:  # noqa: BLE001  one request's rim: it is logged and answered, the node goes on
        logger.exception("%s: request failed", request.method)
        return problem(500, "internal", "Something failed on this node")


def _known(error: WebrtcError) -> web.Response:
    for kind, status, name, title in TABLE:
        if isinstance(error, kind):
            headers = {}
            if status == 401:
                headers["WWW-Authenticate"] = 'Bearer realm="bridge", error="invalid_token"'
            if status == 503:
                headers["Retry-After"] = str(FULL_RETRY_AFTER_S)
            return problem(status, name, title, detail=str(error), headers=headers)
    logger.error("no answer is written for %s", type(error).__name__)
    return problem(500, "internal", "Something failed on this node")

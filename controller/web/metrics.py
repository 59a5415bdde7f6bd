"""What Prometheus is told of the HTTP edge."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class WebMetrics:
    """Counters of one application, in its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "nhipcau_http_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram("nhipcau_http_request_seconds", "Time to the answer", ["route"], registry=registry)
        self.sockets = Gauge("nhipcau_websockets", "Open WebSockets", ["kind"], registry=registry)

    def count(self, *, method: str, route: str, status: int, took_s: float) -> None:
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._requests.labels(known, route, str(status)).inc()
        if status != 101:
            self._seconds.labels(route).observe(took_s)


METRICS = web.AppKey("metrics", WebMetrics)

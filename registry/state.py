"""What the HTTP layer may know about the worker process that it runs in."""

from dataclasses import dataclass

from registry.log import RequestLog


@dataclass
class WorkerState:
    """One worker's state: written by the worker, read by `/readyz` and by the middleware.

    `draining` turns true when the worker stops: it answers what arrives on the connections that it has,
    but wants no new ones, so `/readyz` must answer 503 from then on.
    """

    request_log: RequestLog
    draining: bool = False

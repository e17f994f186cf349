"""Serving MCP over streamable HTTP: on loopback, for known hosts and origins, with a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings

from vshell.tools.authorization import LOOPBACK, check_exposure, is_authorized

_MAX_BODY_BYTES: Final = 16 * 1024 * 1024

Application = Callable[[Any, Any, Any], Awaitable[None]]


def http_application(
    server: Server[Any], *, host: str = "127.0.0.1", token: str | None = None
) -> Application:
    """Return the ASGI application; MCP is at `/mcp`.

    Requests for another host, or from pages of another origin, are refused, so that a web
    page that a name leads here cannot use it (DNS rebinding).

    Args:
        server: What `make_server` made.
        host: The address that is listened on.
        token: What every request must have as its bearer token; None: no token is needed.

    Raises:
        RangeError: It would be open to the network without a token.
    """
    check_exposure(host, token)
    names = [*(f"{each}:*" for each in ("127.0.0.1", "localhost", "[::1]"))]
    if host not in LOOPBACK:
        names.append(f"{host}:*")
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    application: Application = server.streamable_http_app(
        host=host, transport_security=security, max_request_body_size=_MAX_BODY_BYTES
    )
    return application if token is None else _guarded(application, token)


def _guarded(application: Application, token: str) -> Application:
    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if not is_authorized(headers.get(b"authorization", b""), token):
                await _refuse(send)
                return
        await application(scope, receive, send)

    return guarded


async def _refuse(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    headers = [(b"content-type", b"text/plain"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"a bearer token is needed\n"})


def serve_http(
    server: Server[Any],
    port: int,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    started: Callable[[int], None] | None = None,
) -> None:
    """Serve until the process is interrupted.

    Args:
        server: What `make_server` made.
        port: The port; 0 for any that is free.
        host: The address.
        token: As for `http_application`.
        started: Called with the port, once it is open.

    Raises:
        RangeError: As for `http_application`.
        OSError: The port cannot be had.
    """
    import socket

    import uvicorn

    application = http_application(server, host=host, token=token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        if started is not None:
            started(listening.getsockname()[1])
        settings = uvicorn.Config(
            application, log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        uvicorn.Server(settings).run(sockets=[listening])

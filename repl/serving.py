"""`tools`, `mcp` and `serve`: what the command line hands to harnesses."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from typing import Any, Final

from vshell.errors import UnavailableError

from .commands import Call, Command
from .grammar import Argument, UsageError, whole_number

_TOKEN: Final = "VSHELL_TOKEN"  # noqa: S105 - the name of a variable
_FORMS: Final = ("anthropic", "openai", "openai-responses", "mcp")


def _profile_argument() -> Argument:
    from vshell.tools import PROFILES

    return Argument(
        "profile",
        "Whose tools (default: claude).",
        ("--profile",),
        choices=PROFILES,
    )


def _host_arguments() -> list[Argument]:
    return [
        Argument("host", "The address to listen on (default: 127.0.0.1).", ("--host",)),
        Argument(
            "token",
            f"What clients must give as bearer token (default: ${_TOKEN}).",
            ("--token",),
        ),
        Argument("read_only", "Refuse every change.", ("--read-only",), value=True),
    ]


def _tools_arguments() -> Sequence[Argument]:
    return [
        _profile_argument(),
        Argument("form", "For which API (default: anthropic).", ("--form",), choices=_FORMS),
        Argument("call", "Call this tool, and print its result.", ("--call",), "TOOL"),
        Argument("arguments", "Its arguments, as JSON (default: {}).", ("--arguments",), "JSON"),
        Argument("read_only", "Only tools that read.", ("--read-only",), value=True),
    ]


def _mcp_arguments() -> Sequence[Argument]:
    port = Argument(
        "http", "Serve streamable HTTP at /mcp on this port.", ("--http",), "PORT", whole_number
    )
    return [_profile_argument(), port, *_host_arguments()]


def _serve_arguments() -> Sequence[Argument]:
    port = Argument("http", "The port (default: 7717; 0: any).", ("--http",), "PORT", whole_number)
    return [port, *_host_arguments()]


def _profile(call: Call, session: str) -> Any:
    from vshell.tools import make_profile

    context = call.open()
    context.name = call.session or session
    name = call.values.get("profile", "claude")
    return make_profile(context, name, read_only=call.values.get("read_only", False))


def _run_tools(call: Call) -> int:
    profile = _profile(call, "tools")
    name = call.values.get("call")
    if name is None:
        call.output.data(
            json.dumps(profile.schemas(call.values.get("form", "anthropic")), indent=2) + "\n"
        )
        return 0
    result = profile.run(name, call.values.get("arguments", "{}"))
    if call.output.as_json:
        call.output.json({"result": result.value, "is_error": result.is_error})
    else:
        call.output.data(result.text + "\n")
    return 1 if result.is_error else 0


def _needs(extra: str, error: ImportError) -> UnavailableError:
    return UnavailableError(
        f"the package {error.name} is not installed", hint=f"pip install 'vshell[{extra}]'"
    )


def _token(call: Call) -> str | None:
    given: str | None = call.values.get("token") or os.environ.get(_TOKEN)
    return given


def _port(call: Call, default: int) -> int:
    port: int = call.values.get("http", default)
    if not 0 <= port < 65_536:
        raise UsageError(f"a port is 0 to 65535, not {port}")
    return port


def _run_mcp(call: Call) -> int:
    try:
        from vshell.tools.mcp_server import make_server, serve_stdio
    except ImportError as error:
        raise _needs("mcp", error) from None
    server = make_server(_profile(call, "mcp"))
    if "http" not in call.values:
        import anyio

        anyio.run(serve_stdio, server)
        return 0
    from vshell.tools.mcp_http import serve_http

    host = call.values.get("host", "127.0.0.1")

    def started(port: int) -> None:
        call.output.talk(f"MCP is served at http://{host}:{port}/mcp")

    serve_http(server, _port(call, 0), host=host, token=_token(call), started=started)
    return 0


def _run_serve(call: Call) -> int:
    from vshell.tools.bridge import BridgeServer, Driver

    context = call.open()
    context.name = call.session or "http"
    host = call.values.get("host", "127.0.0.1")
    given = _token(call)
    token = given or secrets.token_urlsafe(32)
    driver = Driver(context, read_only=call.values.get("read_only", False))
    with BridgeServer(driver, _port(call, 7717), host=host, token=token) as server:
        call.output.talk(f"the bridge is at http://{host}:{server.port}/v1")
        if given is None:
            call.output.talk(f"its token is {token}")
        server.serve_forever()
    return 0


COMMANDS: Final = (
    Command(
        "tools",
        "serving",
        lambda: "Print the tools of a harness as JSON Schemas, or call one.",
        _tools_arguments,
        _run_tools,
        creates=True,
    ),
    Command(
        "mcp",
        "serving",
        lambda: "Serve the tools and files over MCP: on stdin and stdout, or HTTP.",
        _mcp_arguments,
        _run_mcp,
        creates=True,
    ),
    Command(
        "serve",
        "serving",
        lambda: "Serve files and a shell over HTTP, for sandbox drivers in any language.",
        _serve_arguments,
        _run_serve,
        creates=True,
    ),
)

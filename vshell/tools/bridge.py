"""An HTTP bridge: files and a shell for harnesses that are not written in Python.

Each verb is a POST to `/v1/VERB` with a JSON object, and answers with JSON:

| verb | takes | answers |
|---|---|---|
| `readFile` | path | `{"content": text}` |
| `readFileBuffer` | path | the bytes |
| `writeFile` | path, content; or the bytes, with the path in the query | `{}` |
| `stat` | path | `{"isFile", "isDirectory", "isSymbolicLink", "size", "mtimeMs"}` |
| `readdir` | path | `{"names": [...]}` |
| `exists` | path | `{"exists": bool}` |
| `mkdir` | path, recursive | `{}` |
| `rm` | path, recursive, force | `{}` |
| `exec` | command, cwd, env, timeoutMs, stdin | `{"stdout", "stderr", "exitCode", "timedOut"}` |

An error is `{"error": {"code", "message", "hint", "path"}}` with a fitting status. A client
that closes its connection while a command runs interrupts the command.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from vshell.errors import (
    ConflictError,
    DecodeError,
    NotFoundError,
    OperationTimeoutError,
    QuotaExceededError,
    RangeError,
    ReadOnlyError,
    TooLargeError,
    UnavailableError,
    VshellError,
)
from vshell.ops.context import Context
from vshell.ops.entries import mkdir, rm
from vshell.ops.write import write
from vshell.tools.authorization import is_authorized
from vshell.tools.commands import CommandRunner
from vshell.tools.schema import violations
from vshell.tools.schema_parts import Schema, flag, record, text, whole
from vshell.tools.session import ToolSession

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
"""The largest request: a file that is written."""

_DEFAULT_TIMEOUT_MS: Final = 120_000
_LOOK_S: Final = 0.05
_IDLE_S: Final = 60.0
_STATUSES: Final[dict[type[VshellError], HTTPStatus]] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    ReadOnlyError: HTTPStatus.FORBIDDEN,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    QuotaExceededError: HTTPStatus.INSUFFICIENT_STORAGE,
    OperationTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    UnavailableError: HTTPStatus.NOT_IMPLEMENTED,
}

_PATH: Final = text()
_ENVIRONMENT: Final[Schema] = {"type": "object", "additionalProperties": True}
SCHEMAS: Final[dict[str, Schema]] = {
    "readFile": record(("path",), path=_PATH),
    "readFileBuffer": record(("path",), path=_PATH),
    "writeFile": record(("path", "content"), path=_PATH, content=text()),
    "stat": record(("path",), path=_PATH),
    "readdir": record(("path",), path=_PATH),
    "exists": record(("path",), path=_PATH),
    "mkdir": record(("path",), path=_PATH, recursive=flag()),
    "rm": record(("path",), path=_PATH, recursive=flag(), force=flag()),
    "exec": record(
        ("command",),
        command=text(),
        cwd=text(),
        env=_ENVIRONMENT,
        timeoutMs=whole(minimum=1, maximum=3_600_000),
        stdin=text(),
    ),
}
"""What each verb takes."""

Given = Mapping[str, Any]


class Driver:
    """The verbs, on the files of a context.

    Args:
        context: Whose; its name stands in the journal.
        read_only: Refuse changes and commands.
        rules: What commands may run, as `Session.shell` takes it.
    """

    def __init__(self, context: Context, *, read_only: bool = False, rules: Any = None) -> None:
        self._context = ToolSession(context, refuse_changes=read_only)
        self._read_only = read_only
        self._rules = rules

    def do(self, verb: str, given: Given, gone: Callable[[], bool]) -> bytes | dict[str, Any]:
        """Do what a verb says.

        Args:
            verb: One of `SCHEMAS`, whose schema `given` keeps.
            given: Its arguments.
            gone: Tells whether the client has gone.

        Raises:
            VshellError: It cannot be done.
        """
        if verb == "exec":
            return self._exec(given, gone)
        where = self._context.resolve(given["path"])
        match verb:
            case "readFile":
                return {"content": self._text(where)}
            case "readFileBuffer":
                return self._bytes(where)
            case "stat":
                return self._stat(where)
            case "readdir":
                return {"names": [_sendable(name) for name in self._context.files.names(where)]}
            case "exists":
                return {"exists": self._context.files.exists(where)}
        self._change(verb, where, given)
        return {}

    def write_bytes(self, path: str, data: bytes) -> None:
        """Give a file this content.

        Raises:
            VshellError: It cannot be written.
        """
        write(self._context, path, data)

    def _change(self, verb: str, where: str, given: Given) -> None:
        recursive = given.get("recursive", False)
        if verb == "writeFile":
            write(self._context, where, given["content"])
        elif verb == "mkdir":
            mkdir(self._context, where, parents=recursive, exist_ok=recursive)
        else:
            rm(self._context, where, recursive=recursive, force=given.get("force", False))

    def _bytes(self, where: str) -> bytes:
        if self._context.files.stat(where).size > MAX_BODY_BYTES:
            raise TooLargeError(
                f"the file has more than {MAX_BODY_BYTES} bytes: {where}",
                path=where,
                hint="read parts of it with exec: head -c, tail -c",
            )
        return self._context.files.read_with_stat(where)[0]

    def _text(self, where: str) -> str:
        try:
            return self._bytes(where).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError(
                f"byte {error.start} is no UTF-8: {where}", path=where, hint="use readFileBuffer"
            ) from None

    def _stat(self, where: str) -> dict[str, Any]:
        found = self._context.files.stat(where)
        is_link = self._context.files.stat(where, follow=False).kind == "symlink"
        return {
            "isFile": found.kind == "file",
            "isDirectory": found.kind == "directory",
            "isSymbolicLink": is_link,
            "size": found.size if found.kind == "file" else 0,
            "mtimeMs": found.mtime_ns // 1_000_000,
        }

    def _exec(self, given: Given, gone: Callable[[], bool]) -> dict[str, Any]:
        if self._read_only:
            raise ReadOnlyError("commands cannot run: the workspace is served read-only")
        environment = {name: str(value) for name, value in given.get("env", {}).items()}
        runner = CommandRunner(self._context, rules=self._rules)
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_LOOK_S):
                if gone():
                    runner.interrupt()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            ran = runner.run(
                given["command"],
                timeout_s=given.get("timeoutMs", _DEFAULT_TIMEOUT_MS) / 1000,
                cwd=given.get("cwd"),
                environment=environment,
                stdin=given.get("stdin", "").encode("utf-8", "surrogateescape"),
            )
        finally:
            done.set()
            watcher.join()
            runner.restart()
        return {
            "stdout": ran.stdout.decode("utf-8", "replace"),
            "stderr": ran.stderr.decode("utf-8", "replace"),
            "exitCode": ran.exit_code,
            "timedOut": ran.timed_out,
        }


class BridgeServer(ThreadingHTTPServer):
    """The server; `serve_forever` serves, `shutdown` ends that.

    Args:
        driver: What does the work.
        port: The port; 0 for any that is free.
        host: The address.
        token: What every request must have as its bearer token.

    Raises:
        RangeError: The token is empty.
    """

    daemon_threads = True

    def __init__(self, driver: Driver, port: int, *, host: str = "127.0.0.1", token: str) -> None:
        if not token:
            raise RangeError("the token is empty", hint="give one of at least 16 characters")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.driver = driver
        self.token = token
        self.hosts = {host, "127.0.0.1", "localhost", "[::1]"}

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.server_address[1])


class _RefusedError(Exception):
    """A request that is not answered; the status and the text say why."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "vshell"
    sys_version = ""
    timeout = _IDLE_S
    server: BridgeServer

    def do_POST(self) -> None:
        try:
            answer = self._answer()
        except _RefusedError as refused:
            self.close_connection = True
            told = {"code": refused.code, "message": str(refused)}
            self._send(refused.status, {"error": told})
        except VshellError as error:
            self._send(_status_of(error), {"error": error.as_dict() | {"data": None}})
        else:
            self._send(HTTPStatus.OK, answer)

    def _answer(self) -> bytes | dict[str, Any]:
        self._check()
        parts = urlsplit(self.path)
        version, _, verb = parts.path.lstrip("/").partition("/")
        if version != "v1" or verb not in SCHEMAS:
            known = ", ".join(SCHEMAS)
            raise _RefusedError(
                HTTPStatus.NOT_FOUND, "no_such_verb", f"no such verb; there are {known}"
            )
        body = self._body()
        if self.headers.get_content_type() == "application/octet-stream":
            self._write_bytes(verb, parse_qs(parts.query).get("path", [""])[0], body)
            return {}
        return self.server.driver.do(verb, _arguments(verb, body), self._gone)

    def _write_bytes(self, verb: str, path: str, body: bytes) -> None:
        if verb != "writeFile":
            raise _RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", f"{verb} takes application/json"
            )
        self.server.driver.write_bytes(path, body)

    def _check(self) -> None:
        """Refuse whoever has no token, and web pages that a name has led here."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in self.server.hosts or "Origin" in self.headers:
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, "origin", "requests from web pages are refused"
            )
        given = self.headers.get("Authorization", "").encode("latin-1", "replace")
        if not is_authorized(given, self.server.token):
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "token", "a bearer token is needed")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "length", "a Content-Length is needed")
        if int(length[:20]) > MAX_BODY_BYTES:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                f"{MAX_BODY_BYTES} bytes are allowed; write the file in parts",
            )
        return self.rfile.read(int(length))

    def _gone(self) -> bool:
        """Whether the client has closed its side of the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _send(self, status: HTTPStatus, answer: bytes | dict[str, Any]) -> None:
        is_bytes = isinstance(answer, bytes)
        kind = "application/octet-stream" if is_bytes else "application/json"
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the client has gone

    def log_message(self, *_: object) -> None:
        """Say nothing: requests hold the names of files."""


def _arguments(verb: str, body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise _RefusedError(
            HTTPStatus.BAD_REQUEST, "arguments", "the body is no JSON object"
        ) from None
    broken = violations(SCHEMAS[verb], given)
    if broken:
        told = "; ".join(f"{each['path'] or 'body'}: {each['message']}" for each in broken[:5])
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "arguments", told)
    return dict(given)


def _status_of(error: VshellError) -> HTTPStatus:
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return status
    return HTTPStatus.BAD_REQUEST


def _sendable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""Calls OpenCode's own tools in the current directory: `opencode_tools.py PROGRAM`.

A server on loopback stands for the model and asks for one call after the other. Reads
[[tool, arguments], ...] from stdin and prints the tools' schemas and answers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MODEL = {"providerID": "scripted", "modelID": "scripted"}


class Model(ThreadingHTTPServer):
    """A model that asks for calls, and is done when there are no more."""

    def __init__(self, calls: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.calls = iter(enumerate(calls))

    def pieces(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pieces of an answer, as a stream of OpenAI's API has them."""
        # It is also asked for a title, and then without tools.
        number, call = next(self.calls, (0, None)) if asked.get("tools") else (0, None)
        if call is None:
            yield {"delta": {"role": "assistant", "content": "done"}}
            yield {"delta": {}, "finish_reason": "stop"}
            return
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        made = {"index": 0, "id": f"call-{number}", "type": "function", "function": function}
        yield {"delta": {"role": "assistant", "tool_calls": [made]}}
        yield {"delta": {}, "finish_reason": "tool_calls"}


class Answering(BaseHTTPRequestHandler):
    """Answers with a stream of events."""

    server: Model

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for piece in self.server.pieces(asked):
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "scripted",
            }
            told = {**chunk, "choices": [{"index": 0, "finish_reason": None, **piece}]}
            self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    calls = json.load(sys.stdin)
    model = Model(calls)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    settings = {
        "permission": {"*": "allow"},
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {
                    "baseURL": f"http://127.0.0.1:{model.server_port}/v1",
                    "apiKey": "none",
                },
                "models": {"scripted": {"tool_call": True}},
            }
        },
    }
    environment = os.environ | {
        "OPENCODE_CONFIG_CONTENT": json.dumps(settings),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    }
    serving = subprocess.Popen(
        [sys.argv[1], "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert serving.stdout is not None
        url = next(filter(None, map(_listening, serving.stdout)))
        print(json.dumps(_recorded(url, {name for name, _ in calls})))
    finally:
        serving.kill()
        serving.wait(20)


def _listening(line: str) -> str:
    found = re.search(r"listening on (\S+)", line)
    return found[1] if found else ""


def _recorded(url: str, wanted: set[str]) -> dict[str, Any]:
    session = _asked(url, "session", {})
    given = {"model": _MODEL, "parts": [{"type": "text", "text": "go"}]}
    _asked(url, f"session/{session['id']}/message", given)
    answers = [
        _answer(part["state"])
        for message in _asked(url, f"session/{session['id']}/message")
        for part in message["parts"]
        if part["type"] == "tool"
    ]
    named = {"provider": _MODEL["providerID"], "model": _MODEL["modelID"]}
    tools = _asked(url, "experimental/tool?" + urllib.parse.urlencode(named))
    schemas = [
        {"name": tool["id"], "parameters": tool["parameters"]}
        for tool in tools
        if tool["id"] in wanted
    ]
    return {"tools": schemas, "answers": answers}


def _answer(state: dict[str, Any]) -> dict[str, Any]:
    is_error = state["status"] == "error"
    return {"text": state["error" if is_error else "output"], "is_error": is_error}


def _asked(url: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=100) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main()

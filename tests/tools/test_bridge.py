"""The HTTP bridge: its verbs, its token, and what it refuses."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from vshell import Workspace
from vshell.errors import RangeError
from vshell.tools.bridge import MAX_BODY_BYTES, BridgeServer, Driver

TOKEN = "a token of the test"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture
def bridge(workspace: Workspace) -> Iterator[BridgeServer]:
    driver = Driver(workspace.session("bridge"))
    with BridgeServer(driver, 0, token=TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(
    bridge: BridgeServer, path: str, body: bytes | dict[str, Any], **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=30)
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    told = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, data, told)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = answer.getheader("Content-Type") == "application/json"
    return answer.status, json.loads(content) if is_json else content


def call(bridge: BridgeServer, verb: str, **given: Any) -> Any:
    status, answer = post(bridge, f"/v1/{verb}", given)
    assert status == 200, answer
    return answer


def test_the_verbs_do_what_their_names_say(bridge: BridgeServer, workspace: Workspace) -> None:
    call(bridge, "writeFile", path="/dir/a.txt", content="é\n")
    assert call(bridge, "readFile", path="/dir/a.txt") == {"content": "é\n"}
    assert call(bridge, "readFileBuffer", path="/dir/a.txt") == "é\n".encode()
    found = call(bridge, "stat", path="/dir/a.txt")
    assert (found["isFile"], found["isDirectory"], found["size"]) == (True, False, 3)
    assert call(bridge, "readdir", path="/dir") == {"names": ["a.txt"]}
    assert call(bridge, "exists", path="/dir/b") == {"exists": False}
    call(bridge, "mkdir", path="/x/y", recursive=True)
    call(bridge, "rm", path="/x", recursive=True)
    call(bridge, "rm", path="/x", force=True)
    assert not workspace.exists("/x")
    assert {change.session for change in workspace.changes().changes} == {"bridge"}


def test_bytes_are_written_as_they_are(bridge: BridgeServer, workspace: Workspace) -> None:
    data = bytes(range(256)) * 1000
    status, _ = post(bridge, "/v1/writeFile?path=/b%20c.bin", data)
    assert status == 200
    assert workspace.read_bytes("/b c.bin") == data
    assert call(bridge, "readFileBuffer", path="/b c.bin") == data


def test_errors_have_code_and_status(bridge: BridgeServer, workspace: Workspace) -> None:
    workspace.write("/b", b"\xff\xfe\xff")
    workspace.write("/d/f", "x")

    def failed(verb: str, **given: Any) -> tuple[int, str]:
        status, answer = post(bridge, f"/v1/{verb}", given)
        return status, answer["error"]["code"]

    assert failed("readFile", path="/absent") == (404, "not_found")
    assert failed("readFile", path="/b") == (400, "decode_error")
    assert failed("readFile", path="/d") == (400, "is_directory")
    assert failed("rm", path="/d") == (400, "not_empty")
    assert failed("mkdir", path="/d") == (400, "exists")
    assert failed("readFile", path="") == (400, "invalid_path")
    assert failed("readFile") == (400, "arguments")
    assert failed("readFile", path=5) == (400, "arguments")
    assert failed("readFile", path="/d/f", colour="red") == (400, "arguments")
    assert failed("noSuchVerb") == (404, "no_such_verb")


def test_requests_without_the_token_or_from_web_pages_are_refused(bridge: BridgeServer) -> None:
    def refused(**headers: str) -> int:
        return post(bridge, "/v1/exists", {"path": "/"}, **headers)[0]

    assert refused(Authorization="") == 401
    assert refused(Authorization="Bearer wrong") == 401
    assert refused(Authorization="Bearer \xe9") == 401
    assert refused(Origin="http://evil.example") == 403
    assert refused(Host="evil.example") == 403
    assert refused() == 200


def test_what_is_too_large_is_refused_before_it_is_read(bridge: BridgeServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=30)
    connection.putrequest("POST", "/v1/writeFile")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"null", b"\xff", b"[]"])
def test_a_body_that_is_no_object_is_refused(bridge: BridgeServer, body: bytes) -> None:
    kind = {"Content_Type": "application/json"}
    status, answer = post(bridge, "/v1/readFile", body, **kind)
    assert (status, answer["error"]["code"]) == (400, "arguments")


def test_read_only_refuses_changes_and_commands(workspace: Workspace) -> None:
    workspace.write("/a", "x")
    driver = Driver(workspace, read_only=True)
    with BridgeServer(driver, 0, token=TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        assert post(server, "/v1/readFile", {"path": "/a"}) == (200, {"content": "x"})
        assert post(server, "/v1/rm", {"path": "/a"})[0] == 403
        assert post(server, "/v1/exec", {"command": "ls"})[0] == 403
        server.shutdown()
        thread.join()
    assert workspace.exists("/a")


def test_a_bridge_needs_a_token(workspace: Workspace) -> None:
    with pytest.raises(RangeError, match="token"):
        BridgeServer(Driver(workspace), 0, token="")


def test_a_command_runs_with_directory_and_environment(bridge: BridgeServer) -> None:
    call(bridge, "mkdir", path="/w")
    ran = call(
        bridge, "exec", command='pwd; echo "$NAME" >&2; cat; exit 3', cwd="/w",
        env={"NAME": "value"}, stdin="in",
    )  # fmt: skip
    assert ran == {"stdout": "/w\nin", "stderr": "value\n", "exitCode": 3, "timedOut": False}


def test_a_command_that_takes_too_long_is_stopped(bridge: BridgeServer) -> None:
    ran = call(bridge, "exec", command="sleep 60", timeoutMs=100)
    assert (ran["exitCode"], ran["timedOut"]) == (124, True)


def test_a_client_that_goes_away_interrupts_its_command(
    bridge: BridgeServer, workspace: Workspace
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=30)
    body = json.dumps({"command": "echo begun > /begun; sleep 60; echo done > /done"})
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/exec", body, headers)
    changes = workspace.watch("/", since=0, timeout_s=30)
    assert any(change.path == "/begun" for change in changes)
    connection.close()
    ran = call(bridge, "exec", command="echo after")
    assert ran["stdout"] == "after\n"
    assert not workspace.exists("/done")

"""Reading ahead saves calls of the host, and shows in nothing else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from vshell import Workspace
from vshell.jail.channel import GuestChannel
from vshell.script.ahead import SteadyAnswers
from vshell.script.engine import Call, Died, Done
from vshell.script.engines.jailed import JailedGuest
from vshell.script.limits import Limits
from vshell.script.pool import scripts_of
from vshell.script.result import ScriptResult

COUNT = 40
ENGINES = {"cpython": "python", "quickjs": "javascript"}
SCANS = {
    "cpython": """
read = []
for number, path in enumerate(state.glob('/d/*')):
    text = state.read_file(path)
    read.append(text)
    {body}
read
""",
    "quickjs": """async () => {{
const read = [];
for (const [number, path] of (await state.glob('/d/*')).entries()) {{
    const text = await state.readFile(path);
    read.push(text);
    {body}
}}
return read;
}}""",
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture(autouse=True)
def files(workspace: Workspace) -> None:
    with workspace.transaction():
        for number in range(COUNT):
            workspace.write(f"/d/{number:02}", f"text {number}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that the host was really asked for."""
    found: list[str] = []
    answer = SteadyAnswers.answer

    def noting(self: SteadyAnswers, call: Call, guest: Any, deadline: float) -> Any:
        found.append(call.method)
        return answer(self, call, guest, deadline)

    monkeypatch.setattr(SteadyAnswers, "answer", noting)
    return found


def scan(workspace: Workspace, name: str, body: str = "", **options: Any) -> ScriptResult:
    reason = scripts_of(workspace.files).engine(name).available()
    if reason is not None:
        pytest.skip(reason.reason)
    source = SCANS[name].format(body=body)
    return workspace.run(source, engine=name, language=ENGINES[name], **options)


@pytest.mark.parametrize("name", ENGINES)
def test_a_scan_asks_seldom_and_says_what_it_read(
    workspace: Workspace, asked: list[str], name: str
) -> None:
    result = scan(workspace, name)
    assert result.value == [f"text {number}" for number in range(COUNT)]
    assert len(asked) < 8
    assert result.stats.calls == COUNT + 1
    assert [call.arguments for call in result.calls[1:]] == [
        f"'/d/{number:02}'" for number in range(COUNT)
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_what_the_script_wrote_is_what_it_reads(workspace: Workspace, name: str) -> None:
    write = {
        "cpython": "if number % 5 == 4: state.write_file(f'/d/{number + 2:02}', 'new')",
        "quickjs": "if (number % 5 === 4)"
        " await state.writeFile('/d/' + String(number + 2).padStart(2, '0'), 'new');",
    }[name]
    value = scan(workspace, name, write, dry_run=True).value
    assert value == [
        "new" if number % 5 == 1 and number > 1 else f"text {number}" for number in range(COUNT)
    ]


def test_a_script_that_changes_each_file_is_sent_nothing_ahead(
    workspace: Workspace, asked: list[str]
) -> None:
    body = "state.write_file(path, text.upper())"
    result = scan(workspace, "cpython", body, dry_run=True)
    assert len(result.changes) == COUNT
    assert len(asked) == 2 * COUNT + 1


@pytest.mark.parametrize("name", ENGINES)
def test_what_was_read_ahead_counts_as_calls(workspace: Workspace, name: str) -> None:
    result = scan(workspace, name, limits={"max_calls": COUNT // 2})
    assert (result.status, result.error and result.error.type) == ("limit", "LimitExceeded")
    assert scan(workspace, name, limits={"max_calls": COUNT + 1}).ok


def test_what_was_read_ahead_conflicts_like_any_other_read(workspace: Workspace) -> None:
    """Somebody changes the last file while the script has it, but has not got to it."""
    reached, changed = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        changed.wait(10)

    def change() -> None:
        reached.wait(10)
        workspace.session("other").write(f"/d/{COUNT - 1:02}", "changed")
        changed.set()

    thread = threading.Thread(target=change)
    thread.start()
    body = f"if number == {COUNT - 3}: pause()"
    source = SCANS["cpython"].format(body=body).rstrip() + "\nstate.write_file('/sum', 'x')"
    result = workspace.run(source, engine="cpython", functions={"pause": pause})
    thread.join()
    if result.status != "unavailable":
        assert result.status == "conflict"
        assert not workspace.exists("/sum")


def test_where_reads_are_required_nothing_is_read_unasked(
    workspace: Workspace, asked: list[str]
) -> None:
    careful = workspace.session("careful", require_read=True)
    if scripts_of(workspace.files).engine("cpython").available() is None:
        assert careful.run(SCANS["cpython"].format(body=""), engine="cpython").ok
        assert len(asked) == COUNT + 1


@pytest.fixture
def ends() -> Iterator[tuple[JailedGuest, GuestChannel]]:
    ours, theirs = socket.socketpair()
    with theirs:
        guest = JailedGuest.attached(ours.detach(), Limits())
        yield guest, GuestChannel(theirs.fileno())
        guest.close()


def tell(channel: GuestChannel, *message: Any) -> None:
    channel.send(json.dumps(message).encode())


def test_what_was_used_of_it_is_reported(ends: tuple[JailedGuest, GuestChannel]) -> None:
    guest, channel = ends
    deadline = time.monotonic() + 5
    tell(channel, "call", "read_file", ["/a"], {})
    assert isinstance(guest.next(deadline), Call)
    guest.answer("A", {"/b": "B", "/c": "C"})
    assert json.loads(channel.receive()) == ["answer", "A", [["/b", "B"], ["/c", "C"]]]
    tell(channel, "done", 1, [1])
    assert guest.next(deadline) == Done(1, ("/c",), len('["done", 1, [1]]'))


@pytest.mark.parametrize(
    "used", [[2], [-1], ["0"], [True], [0, 1, 0], "no list", {"0": 1}, 7, None, [None]]
)
def test_a_report_that_cannot_be_is_no_message(
    ends: tuple[JailedGuest, GuestChannel], used: Any
) -> None:
    guest, channel = ends
    deadline = time.monotonic() + 5
    tell(channel, "call", "read_file", ["/a"], {})
    guest.next(deadline)
    guest.answer("A", {"/b": "B", "/c": "C"})
    tell(channel, "done", 1, used)
    event = guest.next(deadline)
    assert isinstance(event, Died)
    assert event.reason == "crash"

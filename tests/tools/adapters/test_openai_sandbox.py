"""Sandbox sessions of OpenAI's Agents SDK do what its own session on the host does."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("agents.sandbox", reason="needs PyPI openai-agents")

from agents.editor import ApplyPatchOperation
from agents.sandbox.manifest import Manifest
from agents.sandbox.sandboxes.unix_local import UnixLocalSandboxClient
from agents.sandbox.snapshot import LocalSnapshotSpec

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.openai_sandbox import VshellSandboxClient, VshellSandboxClientOptions

Step = Callable[[Any], Awaitable[Any]]


def tar(**files: bytes) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    packed.seek(0)
    return packed


async def read(session: Any, path: str) -> bytes:
    with await session.read(Path(path)) as stream:
        return bytes(stream.read())


async def run(session: Any, *command: str, **options: Any) -> Any:
    result = await session.exec(*command, **options)
    return result.stdout, result.stderr if result.exit_code else b"", result.exit_code


async def listed(session: Any, path: str) -> Any:
    entries = await session.ls(path)
    root = session.state.manifest.root
    return sorted(
        (
            each.path.removeprefix(root).strip("/"),
            each.is_dir(),
            each.size if not each.is_dir() else 0,
        )
        for each in entries
    )


def patch(kind: str, path: str, diff: str | None = None, move_to: str | None = None) -> Step:
    operation = ApplyPatchOperation(kind, path, diff=diff, move_to=move_to)
    return lambda session: session.apply_patch([operation])


STEPS: list[tuple[str, Step]] = [
    ("write", lambda s: s.write(Path("a.txt"), io.BytesIO(b"one\ntwo\n"))),
    ("write nested", lambda s: s.write(Path("dir/sub/b.bin"), io.BytesIO(bytes(range(256))))),
    ("read", lambda s: read(s, "a.txt")),
    ("read binary", lambda s: read(s, "dir/sub/b.bin")),
    ("read missing", lambda s: read(s, "missing")),
    ("read directory", lambda s: read(s, "dir")),
    ("read above", lambda s: read(s, "../outside")),
    ("read absolute", lambda s: read(s, "/etc/passwd")),
    ("write above", lambda s: s.write(Path("../x"), io.BytesIO(b"x"))),
    ("exec", lambda s: run(s, "cat a.txt | wc -l")),
    ("exec words", lambda s: run(s, "printf", "%s-", "a b", "$X", shell=False)),
    ("exec fails", lambda s: run(s, "exit 3")),
    ("exec missing", lambda s: run(s, "no-such-program 2>/dev/null")),
    ("exec environment", lambda s: run(s, 'echo "$GREETING"')),
    ("exec takes too long", lambda s: run(s, "sleep 60", timeout=1)),
    ("mkdir", lambda s: s.mkdir("made/deep", parents=True)),
    ("mkdir without parents", lambda s: s.mkdir("no/parents")),
    ("ls", lambda s: listed(s, ".")),
    ("ls missing", lambda s: listed(s, "missing")),
    ("mv", lambda s: s.mv("a.txt", "made/c.txt")),
    ("mv missing", lambda s: s.mv("a.txt", "d.txt")),
    ("ls after", lambda s: listed(s, "made")),
    ("same file", lambda s: s.same_file("made/c.txt", "made/../made/c.txt")),
    ("other file", lambda s: s.same_file("made/c.txt", "dir/sub/b.bin")),
    ("rm", lambda s: s.rm("made/c.txt")),
    ("rm missing", lambda s: s.rm("made/c.txt")),
    ("rm directory", lambda s: s.rm("made")),
    ("rm recursive", lambda s: s.rm("made", recursive=True)),
    ("patch creates", patch("create_file", "p/new.txt", "+hello\n+there")),
    ("patch updates", patch("update_file", "p/new.txt", "@@\n hello\n-there\n+you")),
    ("patch moves", patch("update_file", "p/new.txt", "@@\n-you\n+all", "p/moved.txt")),
    ("patch finds nothing", patch("update_file", "p/moved.txt", "@@\n-absent\n+x")),
    ("patch deletes nothing", patch("delete_file", "p/absent.txt")),
    ("read patched", lambda s: read(s, "p/moved.txt")),
    ("patch deletes", patch("delete_file", "p/moved.txt")),
    ("extract", lambda s: s.extract("in/files.tar", tar(x=b"1", d__y=b"22"))),
    ("read extracted", lambda s: read(s, "in/d/y")),
    ("extract above", lambda s: s.extract("in/bad.tar", tar(**{"..__evil": b"1"}))),
    ("running", lambda s: s.running()),
]


async def outcomes(client: Any, options: Any = None) -> list[tuple[str, Any]]:
    """Return what each step gives, or the kind of its error."""
    manifest = Manifest(environment={"value": {"GREETING": "hello"}})
    session = await client.create(manifest=manifest, options=options)
    told: list[tuple[str, Any]] = []
    async with session:
        for name, step in STEPS:
            try:
                told.append((name, await step(session)))
            except Exception as error:  # noqa: BLE001 - each kind is compared
                told.append((name, type(error).__name__))
    await client.delete(session)
    return told


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    told = dict(asyncio.run(outcomes(UnixLocalSandboxClient())))
    # These two it does with calls of the host; sessions elsewhere tell the command's error.
    for name in ("rm directory", "mkdir without parents"):
        assert told[name] == "WorkspaceArchiveWriteError"
        told[name] = "ExecNonZeroError"
    return told


def test_steps_come_out_as_on_the_host(expected: Any, tmp_path: Path) -> None:
    found = asyncio.run(outcomes(VshellSandboxClient(tmp_path)))
    assert dict(found) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.docker
def test_steps_come_out_so_in_a_container(expected: Any) -> None:
    options = VshellSandboxClientOptions(executor="container", image=daemon.image())
    with Workspace.memory() as workspace:
        found = asyncio.run(outcomes(VshellSandboxClient(workspace), options))
    assert dict(found) == expected


def test_a_session_goes_on_where_it_was(tmp_path: Path) -> None:
    async def work() -> bytes:
        first = VshellSandboxClient(tmp_path)
        session = await first.create()
        async with session:
            await session.write(Path("a.txt"), io.BytesIO(b"kept"))
            payload = first.serialize_session_state(session.state)
        second = VshellSandboxClient(tmp_path)
        resumed = await second.resume(second.deserialize_session_state(payload))
        async with resumed:
            return await read(resumed, "a.txt")

    assert asyncio.run(work()) == b"kept"


def test_a_snapshot_is_restored_into_another_workspace(tmp_path: Path) -> None:
    spec = LocalSnapshotSpec(base_path=tmp_path / "snapshots")

    async def work() -> tuple[bytes, list[Any]]:
        client = VshellSandboxClient(tmp_path / "sessions")
        session = await client.create(snapshot=spec)
        async with session:
            await session.write(Path("dir/a.txt"), io.BytesIO(b"kept"))
            await session.exec("ln -s dir/a.txt link; ln dir/a.txt hard")
        payload = client.serialize_session_state(session.state)
        await client.delete(session)
        resumed = await client.resume(client.deserialize_session_state(payload))
        async with resumed:
            return await read(resumed, "link"), await listed(resumed, ".")

    data, names = asyncio.run(work())
    assert data == b"kept"
    assert [name for name, *_ in names] == ["dir", "hard", "link"]


def test_a_state_that_names_a_foreign_file_is_refused(tmp_path: Path) -> None:
    async def work() -> None:
        client = VshellSandboxClient(tmp_path / "mine")
        session = await client.create()
        state = session.state.model_copy(update={"path": str(tmp_path / "other" / "x.db")})
        with pytest.raises(ValueError, match="not in the client's directory"):
            await client.resume(state)
        await client.delete(session)

    asyncio.run(work())


def test_sessions_can_share_a_workspace() -> None:
    async def work(workspace: Workspace) -> None:
        client = VshellSandboxClient(workspace.session("agent-7"))
        session = await client.create()
        async with session:
            await session.exec("echo shared > a.txt")
        await client.delete(session)

    with Workspace.memory() as workspace:
        asyncio.run(work(workspace))
        assert workspace.read_text("/workspace/a.txt") == "shared\n"
        assert workspace.changes().changes[-1].session == "agent-7"


def test_a_sandbox_agent_works_in_a_workspace() -> None:
    from agents import Runner
    from agents.testing import ScriptedModel, assistant_message, function_call

    model = ScriptedModel(
        [
            [function_call("exec_command", {"cmd": "echo hello > hello.txt"}, call_id="1")],
            [assistant_message("done")],
        ]
    )
    with Workspace.memory() as workspace:
        names = run_example("OpenAI sandbox agents", model=model, workspace=workspace)
        names["config"].tracing_disabled = True
        running = Runner.run(names["agent"], "write hello", run_config=names["config"])
        result = asyncio.run(running)
        assert result.final_output == "done"
        assert workspace.read_text("/workspace/hello.txt") == "hello\n"

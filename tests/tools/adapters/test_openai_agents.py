"""OpenAI's Agents SDK: its shell and patch tools, run by its own runner with a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("agents", reason="needs PyPI openai-agents")

from agents import RunConfig, Runner
from agents.editor import ApplyPatchEditor, ApplyPatchOperation
from agents.testing import ScriptedModel, assistant_message
from agents.tool import ShellActionRequest, ShellCallData, ShellCommandRequest

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.openai_agents import PatchEditor, run_shell


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        opened.write("/a.txt", "one\ntwo\n")
        yield opened


def request(*commands: str, timeout_ms: int | None = None) -> ShellCommandRequest:
    action = ShellActionRequest(list(commands), timeout_ms=timeout_ms, max_output_length=1000)
    return ShellCommandRequest(ctx_wrapper=None, data=ShellCallData("1", action))


def apply(editor: PatchEditor, kind: str, path: str, **more: Any) -> Any:
    return asyncio.run(getattr(editor, kind)(ApplyPatchOperation(kind, path, **more)))


def test_the_editor_is_one(workspace: Workspace) -> None:
    assert isinstance(PatchEditor(workspace), ApplyPatchEditor)


def test_operations_change_files(workspace: Workspace) -> None:
    editor = PatchEditor(workspace.session("patcher"))
    assert apply(editor, "create_file", "new/b.txt", diff="+hello\n+there").status == "completed"
    assert workspace.read_text("/new/b.txt") == "hello\nthere"
    done = apply(editor, "update_file", "a.txt", diff="@@\n one\n-two\n+2", move_to="c.txt")
    assert (done.status, done.output) == ("completed", "Updated a.txt and moved it to c.txt")
    assert workspace.read_text("/c.txt") == "one\n2\n"
    assert not workspace.exists("/a.txt")
    assert apply(editor, "delete_file", "c.txt").status == "completed"
    assert workspace.glob("/**/*.txt").paths == ("/new/b.txt",)
    assert {change.session for change in workspace.changes().changes[1:]} == {"patcher"}


@pytest.mark.parametrize(
    ("kind", "path", "diff"),
    [
        ("create_file", "a.txt", "+x"),
        ("create_file", "x", "+x\n*** Delete File: a.txt"),
        ("create_file", "x", "no plus"),
        ("update_file", "a.txt", "@@\n-absent\n+x"),
        ("update_file", "a.txt", "@@\n-one\n+1\n*** Delete File: a.txt"),
        ("update_file", "a.txt", "*** Move to: b.txt\n@@\n-one\n+1"),
        ("update_file", "missing", "@@\n-one\n+1"),
        ("delete_file", "missing", None),
        ("delete_file", "/", None),
        ("create_file", "\0", "+x"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    workspace: Workspace, kind: str, path: str, diff: str | None
) -> None:
    before = workspace.changes().changes
    told = apply(PatchEditor(workspace), kind, path, diff=diff)
    assert told.status == "failed"
    assert told.output.startswith("Error: ")
    assert workspace.changes().changes == before


def test_each_command_has_its_outcome(workspace: Workspace) -> None:
    execute = run_shell(workspace.session("shell-1"))
    result = asyncio.run(execute(request("cat a.txt", "echo no >&2; exit 3", "touch b.txt")))
    assert [(each.stdout, each.stderr, each.exit_code) for each in result.output] == [
        ("one\ntwo\n", "", 0),
        ("", "no\n", 3),
        ("", "", 0),
    ]
    assert result.max_output_length == 1000
    assert workspace.changes().changes[-1].session == "shell-1"


def test_a_command_that_takes_too_long_is_the_last(workspace: Workspace) -> None:
    result = asyncio.run(run_shell(workspace)(request("sleep 60", "touch late", timeout_ms=500)))
    (only,) = result.output
    assert (only.outcome.type, only.exit_code) == ("timeout", None)
    assert not workspace.exists("/late")


@pytest.mark.docker
def test_commands_run_in_a_container(workspace: Workspace) -> None:
    execute = run_shell(workspace, executor="container", image=daemon.image())
    result = asyncio.run(execute(request("uname; cat a.txt; echo made > b.txt")))
    assert result.output[0].stdout == "Linux\none\ntwo\n"
    assert workspace.read_text("/b.txt") == "made\n"


def test_an_agent_works_in_a_workspace(workspace: Workspace) -> None:
    patch = {"type": "update_file", "path": "a.txt", "diff": "@@\n-two\n+2"}
    shell = {"commands": ["cat a.txt > copy.txt"], "timeout_ms": 5000, "max_output_length": 100}
    model = ScriptedModel(
        [
            [
                {
                    "type": "apply_patch_call",
                    "id": "1",
                    "call_id": "1",
                    "status": "completed",
                    "operation": patch,
                }
            ],
            [
                {
                    "type": "shell_call",
                    "id": "2",
                    "call_id": "2",
                    "status": "completed",
                    "action": shell,
                }
            ],
            [assistant_message("done")],
        ]
    )
    names = run_example("OpenAI Agents SDK", model=model, workspace=workspace)
    config = RunConfig(tracing_disabled=True)
    request = "change two to 2, and copy it"
    result = asyncio.run(Runner.run(names["agent"], request, run_config=config))
    assert result.final_output == "done"
    assert workspace.read_text("/copy.txt") == "one\n2\n"

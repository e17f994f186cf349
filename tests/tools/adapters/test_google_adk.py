"""Google's ADK: its own environment tools work in a workspace as in a directory of the host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("google.adk.environment", reason="needs PyPI google-adk")

from google.adk.environment import LocalEnvironment

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.google_adk import VshellEnvironment

# ADK says of each class that it is experimental.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("WriteFile", {"path": "dir/a.txt", "content": "one\ntwo\nthree\n"}),
    ("ReadFile", {"path": "dir/a.txt"}),
    ("ReadFile", {"path": "dir/a.txt", "start_line": 2, "end_line": 2}),
    ("ReadFile", {"path": "missing.txt"}),
    ("EditFile", {"path": "dir/a.txt", "old_string": "two", "new_string": "2"}),
    ("EditFile", {"path": "dir/a.txt", "old_string": "absent", "new_string": "2"}),
    ("Execute", {"command": "cat dir/a.txt; echo err >&2; exit 3"}),
    ("Execute", {"command": "printf 'é'"}),
    ("ReadFile", {"path": "dir/a.txt"}),
]


async def answers(environment: Any) -> list[Any]:
    """Return what ADK's tools say to all calls."""
    from google.adk.tools.environment import EnvironmentToolset

    await environment.initialize()
    toolset = EnvironmentToolset(environment=environment)
    tools = {tool.name: tool for tool in await toolset.get_tools()}
    told = []
    for name, arguments in CALLS:
        told.append(await tools[name].run_async(args=dict(arguments), tool_context=None))
    await environment.close()
    return told


def test_the_tools_say_what_they_say_of_a_directory(workspace: Workspace, tmp_path: Path) -> None:
    expected = asyncio.run(answers(LocalEnvironment(working_dir=tmp_path)))
    session = workspace.session("adk-1", cwd="/project")
    found = asyncio.run(answers(VshellEnvironment(session)))
    assert found == expected
    assert workspace.read_text("/project/dir/a.txt") == "one\n2\nthree\n"
    assert workspace.changes().changes[-1].session == "adk-1"


@pytest.mark.docker
def test_they_say_the_same_in_a_container(workspace: Workspace, tmp_path: Path) -> None:
    expected = asyncio.run(answers(LocalEnvironment(working_dir=tmp_path)))
    environment = VshellEnvironment(workspace, executor="container", image=daemon.image())
    assert environment.working_dir == Path("/workspace")
    assert asyncio.run(answers(environment)) == expected


def test_a_command_that_takes_too_long_is_told(workspace: Workspace) -> None:
    result = asyncio.run(VshellEnvironment(workspace).execute("echo begun; sleep 60", timeout=0.5))
    assert result.timed_out
    assert result.stdout == "begun\n"


def test_a_workspace_is_opened_by_its_path(tmp_path: Path) -> None:
    async def work() -> None:
        environment = VshellEnvironment(tmp_path / "w.db", env_vars={"NAME": "value"})
        await environment.initialize()
        assert (await environment.execute("echo $NAME > a.txt")).exit_code == 0
        assert await environment.read_file(Path("/a.txt")) == b"value\n"
        with pytest.raises(FileNotFoundError):
            await environment.read_file(Path("missing"))
        await environment.close()

    asyncio.run(work())
    with Workspace.open(tmp_path / "w.db") as workspace:
        assert workspace.read_text("/a.txt") == "value\n"


def test_the_toolset_of_the_documentation_has_its_tools(workspace: Workspace) -> None:
    toolset = run_example("Google ADK", workspace=workspace)["toolset"]
    names = [tool.name for tool in asyncio.run(toolset.get_tools())]
    assert sorted(names) == ["EditFile", "Execute", "ReadFile", "WriteFile"]

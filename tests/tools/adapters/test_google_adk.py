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
from vshell.tools.adapters.google_adk import VshellCodeExecutor, VshellEnvironment

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


def test_agents_work_in_a_workspace(workspace: Workspace) -> None:
    from google.adk.models.base_llm import BaseLlm
    from google.adk.models.llm_response import LlmResponse
    from google.adk.runners import InMemoryRunner
    from google.genai.types import Content, FunctionCall, Part

    class Scripted(BaseLlm):  # type: ignore[misc]
        script: list[Part]

        async def generate_content_async(self, request: Any, stream: bool = False) -> Any:
            part = self.script.pop(0)
            yield LlmResponse(content=Content(role="model", parts=[part]))

    async def answer(agent: Any) -> str:
        told = await InMemoryRunner(agent=agent).run_debug("go on", quiet=True)
        return "".join(part.text or "" for event in told for part in event.content.parts)

    call = FunctionCall(name="Execute", args={"command": "echo hello > hello.txt"})
    code = "```python\nprint(6 * 7)\nprint(open('hello.txt').read())\n```"
    model = Scripted(
        model="scripted",
        script=[Part(function_call=call), Part(text="done"), Part(text=code), Part(text="seen")],
    )
    names = run_example("Google ADK", workspace=workspace, model=model)
    assert asyncio.run(answer(names["worker"])) == "done"
    assert workspace.read_text("/hello.txt") == "hello\n"
    assert asyncio.run(answer(names["coder"])).endswith("seen")
    assert not model.script


CODE = [
    "print('é', 6 * 7)",
    "import sys\nprint('warned', file=sys.stderr)",
    "import sys\nsys.exit(3)",
    "if __name__ == '__main__':\n    print('main')",
    "print(open('given.csv').read(), end='')\nopen('made.txt', 'w').write('made')",
]


def results(executor: Any) -> list[tuple[str, str, int | None]]:
    from google.adk.code_executors.code_execution_utils import CodeExecutionInput

    told = [executor.execute_code(None, CodeExecutionInput(code)) for code in CODE]
    return [(each.stdout, each.stderr, each.exit_code) for each in told]


def test_code_runs_as_adks_own_executor_runs_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.adk.code_executors.unsafe_local_code_executor import UnsafeLocalCodeExecutor

    monkeypatch.chdir(tmp_path)
    (tmp_path / "given.csv").write_text("a,b\n")
    workspace.write("/project/given.csv", "a,b\n")
    executor = VshellCodeExecutor(workspace.session("adk-1", cwd="/project"))
    assert results(executor) == results(UnsafeLocalCodeExecutor())
    assert workspace.read_text("/project/made.txt") == "made"
    assert workspace.changes().changes[-1].session == "adk-1"


@pytest.mark.docker
def test_code_runs_so_in_a_container(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.adk.code_executors.unsafe_local_code_executor import UnsafeLocalCodeExecutor

    monkeypatch.chdir(tmp_path)
    (tmp_path / "given.csv").write_text("a,b\n")
    workspace.write("/given.csv", "a,b\n")
    executor = VshellCodeExecutor(workspace, executor="container", image=daemon.image())
    assert results(executor) == results(UnsafeLocalCodeExecutor())
    executor.close()


def test_code_that_fails_or_takes_too_long_is_told(workspace: Workspace) -> None:
    from google.adk.code_executors.code_execution_utils import CodeExecutionInput, File

    executor = VshellCodeExecutor(workspace)
    failed = executor.execute_code(None, CodeExecutionInput("1 / 0"))
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "ZeroDivisionError" in failed.stderr
    impatient = VshellCodeExecutor(workspace, timeout_seconds=1)
    late = impatient.execute_code(None, CodeExecutionInput("while True: pass"))
    assert late.stderr.endswith("Code execution timed out after 1 seconds.")
    files = [File("in.bin", "AAEC"), File("in.txt", "not base64!")]
    given = CodeExecutionInput("print(open('in.bin', 'rb').read())", input_files=files)
    assert executor.execute_code(None, given).stdout == "b'\\x00\\x01\\x02'\n"
    assert workspace.read_text("/in.txt") == "not base64!"
    with pytest.raises(ValueError, match="only its files stay"):
        VshellCodeExecutor(workspace, stateful=True)

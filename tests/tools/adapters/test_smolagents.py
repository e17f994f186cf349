"""smolagents: the code of an agent runs in the workspace's sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("smolagents", reason="needs PyPI smolagents")

from smolagents.local_python_executor import InterpreterError

from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.smolagents import VshellPythonExecutor


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture
def executor(workspace: Workspace) -> VshellPythonExecutor:
    return VshellPythonExecutor(workspace.session("smol-1"))


def test_the_value_of_the_last_expression_is_the_output(executor: VshellPythonExecutor) -> None:
    done = executor("x = 6\nprint('x is', x)\nx * 7")
    assert (done.output, done.logs, done.is_final_answer) == (42, "x is 6\n", False)


def test_plain_variables_and_definitions_stay(executor: VshellPythonExecutor) -> None:
    executor.send_variables({"given": [1, 2]})
    executor("import json\ndef double(n):\n    return 2 * n\nname = json.dumps(given)\ny = double")
    assert executor("[double(len(name)), json.loads(name)]").output == [12, [1, 2]]
    executor("for i in range(3):\n    last = i\nif False:\n    never = 1")
    assert executor("[i, last]").output == [2, 2]


def test_a_step_that_fails_changes_nothing(
    workspace: Workspace, executor: VshellPythonExecutor
) -> None:
    with pytest.raises(InterpreterError, match="ZeroDivisionError"):
        executor("state.write_file('/a.txt', 'x')\nprint('here')\n1 / 0")
    assert executor.state["_print_outputs"] == "here\n"
    assert not workspace.exists("/a.txt")
    executor("state.write_file('/a.txt', 'x')")
    assert workspace.changes().changes[-1].session == "smol-1"


def test_what_is_no_code_is_told(executor: VshellPythonExecutor) -> None:
    with pytest.raises(InterpreterError, match="parsing"):
        executor("def (")


def test_tools_run_on_the_host(executor: VshellPythonExecutor) -> None:
    seen: list[Any] = []

    def note(text: str, *, times: int = 1) -> str:
        seen.append((text, times))
        return text * times

    executor.send_tools({"note": note, "final_answer": lambda answer: answer})
    assert executor("note('ab', times=2)").output == "abab"
    done = executor("final_answer(note('x'))\nnote('never')")
    assert (done.output, done.is_final_answer) == ("x", True)
    assert seen == [("ab", 2), ("x", 1)]


def test_the_host_is_out_of_reach(executor: VshellPythonExecutor) -> None:
    with pytest.raises(InterpreterError):
        executor("open('/etc/hostname').read()")


def test_a_code_agent_works_in_a_workspace(workspace: Workspace) -> None:
    from smolagents import ChatMessage, MessageRole
    from smolagents.models import Model

    class Scripted(Model):  # type: ignore[misc]
        script = (
            "<code>\nstate.write_file('/hello.txt', 'hello')\ntotal = 6 * 7\n</code>",
            "<code>\nfinal_answer(total)\n</code>",
        )
        calls = 0

        def generate(self, *_: Any, **__: Any) -> Any:
            content = self.script[self.calls]
            self.calls += 1
            return ChatMessage(role=MessageRole.ASSISTANT, content=f"Thought: go on.\n{content}")

    assert run_example("smolagents", model=Scripted(), workspace=workspace)["answer"] == 42
    assert workspace.read_text("/hello.txt") == "hello"

"""LangChain's own suite for sandboxes of deepagents, on both executors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("deepagents", reason="needs PyPI deepagents")
pytest.importorskip("langchain_tests", reason="needs PyPI langchain-tests")

from langchain_tests.integration_tests import SandboxIntegrationTests

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.deepagents import RELEASE, VshellSandbox

# The suite's own fixtures are so.
pytestmark = pytest.mark.filterwarnings("ignore:Class-scoped fixtures")

CONTRADICTIONS = dict.fromkeys(
    (
        "test_glob",
        "test_glob_basic_pattern",
        "test_glob_with_directories",
        "test_glob_hidden_files_explicitly",
        "test_glob_with_character_class",
        "test_glob_with_question_mark",
    ),
    "the protocol of 0.7 wants absolute paths, and of files only",
) | {"test_write_existing_file_fails": "the protocol of 0.7 wants the file replaced"}


class Suite(SandboxIntegrationTests):  # type: ignore[misc]
    @pytest.fixture(autouse=True)
    def contradicted(self, request: pytest.FixtureRequest) -> None:
        reason = CONTRADICTIONS.get(request.node.originalname)
        if reason and RELEASE >= (0, 7):
            request.applymarker(pytest.mark.xfail(strict=True, reason=reason))


NEEDS_PYTHON = ("test_execute_large_stdout_payload", "test_aexecute_large_stdout_payload")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
class TestVirtual(Suite):
    """The suite, with the workspace's own shell."""

    @pytest.fixture(autouse=True)
    def python(self, request: pytest.FixtureRequest, sandbox: VshellSandbox) -> None:
        if request.node.originalname not in NEEDS_PYTHON:
            return
        if sandbox.execute("command -v python").exit_code:
            reason = "the virtual shell has no command python here"
            request.applymarker(pytest.mark.xfail(strict=True, reason=reason))

    @pytest.fixture(scope="class")
    def sandbox(self) -> Iterator[VshellSandbox]:
        with Workspace.memory() as workspace:
            yield VshellSandbox(workspace)


@pytest.mark.anyio
@pytest.mark.docker
class TestContainer(Suite):
    """The suite, with a container."""

    @property
    def sandbox_root_dir(self) -> str:
        return "/workspace/tests"

    @pytest.fixture(scope="class")
    def sandbox(self) -> Iterator[VshellSandbox]:
        with Workspace.memory() as workspace:
            # The image has Python as python3 alone.
            workspace.write("/bin/python", '#!/bin/sh\nexec python3 "$@"\n')
            workspace.chmod("/bin/python", 0o755)
            path = {"PATH": "/workspace/bin:/usr/bin:/bin"}
            made = VshellSandbox(
                workspace, executor="container", image=daemon.image(), environment=path
            )
            yield made
            made.close()


@pytest.fixture
def sandbox() -> Iterator[Any]:
    with Workspace.memory() as workspace:
        yield VshellSandbox(workspace.session("agent-1"))


def test_changes_are_journalled_under_the_session(sandbox: Any) -> None:
    sandbox.write("/a.txt", "one")
    sandbox.execute("echo two > /b.txt")
    sandbox.edit("/a.txt", "one", "1")
    changes = sandbox._place.context.changes().changes
    assert {change.session for change in changes} == {"agent-1"}


def test_a_command_that_takes_too_long_is_ended(sandbox: Any) -> None:
    ran = sandbox.execute("echo begun; sleep 60", timeout=1)
    assert ran.exit_code == 124
    assert ran.output.startswith("begun\n")
    assert ran.output.endswith("Error: Command timed out after 1 seconds.")


@pytest.mark.skipif(RELEASE < (0, 7), reason="the globs of 0.7")
def test_globs_are_those_of_the_protocol(sandbox: Any) -> None:
    for path in ("top.py", "src/app/main.py", ".github/workflows/ci.yml", ".env", "a/.env"):
        sandbox.write(f"/{path}", "")

    def paths(pattern: str) -> list[str]:
        return [match["path"] for match in sandbox.glob(pattern, "/").matches]

    assert paths("*.py") == ["/src/app/main.py", "/top.py"]
    assert paths("/*.py") == ["/top.py"]
    assert paths("src/**/*.py") == ["/src/app/main.py"]
    assert paths("*.yml") == ["/.github/workflows/ci.yml"]
    assert paths("**/*.yml") == []
    assert paths(".env") == ["/.env", "/a/.env"]
    assert paths("*.{py,yml}") == ["/.github/workflows/ci.yml", "/src/app/main.py", "/top.py"]
    assert "traversal" in sandbox.glob("../*", "/").error


def test_crlf_is_kept_by_an_edit(sandbox: Any) -> None:
    sandbox.upload_files([("/a.txt", b"one\r\ntwo\r\n")])
    assert sandbox.edit("/a.txt", "one\ntwo", "1\n2").occurrences == 1
    assert sandbox.download_files(["/a.txt"])[0].content == b"1\r\n2\r\n"


def test_a_deep_agent_works_in_a_workspace() -> None:
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    class Scripted(GenericFakeChatModel):  # type: ignore[misc]
        def bind_tools(self, *_: Any, **__: Any) -> Any:
            return self

    call = {"name": "execute", "args": {"command": "echo hello > /hello.txt"}, "id": "1"}
    script = iter([AIMessage("", tool_calls=[call]), AIMessage("done")])
    with Workspace.memory() as workspace:
        names = run_example("deepagents", model=Scripted(messages=script), workspace=workspace)
        assert names["told"]["messages"][-1].content == "done"
        assert workspace.read_text("/hello.txt") == "hello\n"

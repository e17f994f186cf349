"""The `memory` profile says what the memory tool of the `anthropic` package says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell import Workspace
from vshell.tools.profile import Profile

TEXT = st.text(alphabet="ab\n é", max_size=12)
PATHS = st.sampled_from(
    ["/memories", "/memories/a", "/memories/b.txt", "/memories/d/c", "/memories/d", "/memories/.h"]
)
COMMANDS = st.one_of(
    st.fixed_dictionaries(
        {"command": st.just("view"), "path": PATHS},
        optional={"view_range": st.tuples(st.integers(0, 4), st.integers(-1, 6)).map(list)},
    ),
    st.fixed_dictionaries({"command": st.just("create"), "path": PATHS, "file_text": TEXT}),
    st.fixed_dictionaries(
        {
            "command": st.just("str_replace"),
            "path": PATHS,
            "old_str": st.text(alphabet="ab\n", min_size=1, max_size=2),
            "new_str": TEXT,
        }
    ),
    st.fixed_dictionaries(
        {
            "command": st.just("insert"),
            "path": PATHS,
            "insert_line": st.integers(-1, 4),
            "insert_text": TEXT,
        }
    ),
    st.fixed_dictionaries({"command": st.just("delete"), "path": PATHS}),
    st.fixed_dictionaries({"command": st.just("rename"), "old_path": PATHS, "new_path": PATHS}),
)


@pytest.fixture(scope="module")
def module() -> Any:
    return pytest.importorskip(
        "anthropic.lib.tools._beta_builtin_memory_tool", reason="needs the package anthropic"
    )


@pytest.fixture
def profile() -> Iterator[Profile]:
    with Workspace.memory() as workspace:
        yield workspace.tools("memory")


def theirs(tool: Any, error: type[Exception], command: dict[str, Any]) -> tuple[bool, str]:
    directory = tool.memory_root / "d"
    was_there = directory.exists()
    failed, answer = answered(tool, error, command)
    if failed and not was_there and directory.is_dir():
        directory.rmdir()  # theirs leaves the directory behind that it made for what then failed
    return failed, answer


def answered(tool: Any, error: type[Exception], command: dict[str, Any]) -> tuple[bool, str]:
    try:
        return False, tool.call(command)
    except error as raised:
        return True, str(raised)
    except (NotADirectoryError, IsADirectoryError, FileExistsError, OSError):
        return True, "an error of the operating system"


@pytest.mark.slow  # to import the package takes seconds
@given(commands=st.lists(COMMANDS, max_size=6))
def test_the_same_commands_get_the_same_answers(
    module: Any, tmp_path_factory: pytest.TempPathFactory, commands: list[dict[str, Any]]
) -> None:
    from anthropic.lib.tools import ToolError

    root: Path = tmp_path_factory.mktemp("memory")
    tool = module.BetaLocalFilesystemMemoryTool(str(root))
    with Workspace.memory() as workspace:
        ours = workspace.tools("memory")
        workspace.mkdir("/memories")
        for command in commands:
            if command["command"] == "rename" and command["old_path"] == command["new_path"]:
                continue
            failed, answer = theirs(tool, ToolError, dict(command))
            result = ours.run("memory", dict(command))
            if answer == "an error of the operating system":
                assert result.is_error, (command, result)
                continue
            assert (result.is_error, result.value) == (failed, answer), command


def test_what_would_escape_is_refused(profile: Profile) -> None:
    for path in ("/memories/../etc", "/etc/passwd", "/memoriesx", "/memories/a/../../b"):
        for command in ("view", "delete"):
            result = profile.run("memory", {"command": command, "path": path})
            assert result.is_error, path
            assert "/memories" in result.text, path


def test_a_link_does_not_lead_out() -> None:
    with Workspace.memory() as workspace:
        workspace.write("/secret/key", "s3cret")
        workspace.mkdir("/memories")
        workspace.symlink("/secret", "/memories/out")
        profile = workspace.tools("memory")
        for path in ("/memories/out", "/memories/out/key", "/memories/out/new"):
            view = profile.run("memory", {"command": "view", "path": path})
            made = profile.run("memory", {"command": "create", "path": path, "file_text": "x"})
            assert view.is_error
            assert made.is_error
        listed = profile.call("memory", {"command": "view", "path": "/memories"})
        assert "out" not in listed
        assert workspace.ls("/secret").total == 1


def test_a_command_without_its_parameter_is_told(profile: Profile) -> None:
    result = profile.run("memory", {"command": "create", "path": "/memories/a"})
    assert result.value == "Parameter `file_text` is required for command: create"

"""The `gemini` profile, beside what is recorded of the real tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.tools.profile import Profile
from vshell.tools.profiles.gemini_edit import changed_lines


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture
def tools(workspace: Workspace) -> Profile:
    return workspace.tools("gemini")


def test_changed_lines_have_five_around_them_and_dots_between() -> None:
    before = "".join(f"{number}\n" for number in range(1, 41))
    after = before.replace("\n10\n", "\nten\n").replace("\n30\n", "\n")
    shown = changed_lines(before, after).split("\n")
    first = ["...", *map(str, range(5, 10)), "ten", *map(str, range(11, 16))]
    second = ["...", *map(str, range(25, 30)), *map(str, range(31, 36)), "..."]
    assert shown == first + second


def test_few_matches_are_shown_with_what_is_around_them(
    workspace: Workspace, tools: Profile
) -> None:
    lines = [f"line {number}" for number in range(1, 201)]
    lines[99] = "needle"
    workspace.write("/a.txt", "\n".join(lines))
    told = tools.call("grep_search", {"pattern": "needle"}).split("\n")
    assert told[2:4] == ["File: a.txt", "L50- line 50"]
    assert told[-2] == "L150- line 150"
    assert "L100: needle" in told
    told = tools.call("grep_search", {"pattern": "needle", "context": 1}).split("\n")
    assert told[3:6] == ["L99- line 99", "L100: needle", "L101- line 101"]
    told = tools.call("grep_search", {"pattern": "line 1.$"}).split("\n")
    assert told[0].startswith("Found 10 matches")
    assert told[3:5] == ["L10: line 10", "L11: line 11"]


def test_lines_can_be_left_out_by_a_pattern(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/a.txt", "one\none more\n")
    told = tools.call("grep_search", {"pattern": "one", "exclude_pattern": "MORE"})
    assert told.startswith("Found 1 match ")
    told = tools.call("grep_search", {"pattern": "one", "exclude_pattern": "("})
    assert told.is_error


def test_a_command_that_takes_too_long_is_cancelled(tools: Profile) -> None:
    told = tools.call("run_shell_command", {"command": "echo begun; sleep 60", "timeout": 1})
    assert told.is_error
    assert "took longer than 1 seconds. Below is the output before it was cancelled:\nbegun" in told


def test_commands_do_not_run_in_the_background(tools: Profile) -> None:
    told = tools.call("run_shell_command", {"command": "true", "is_background": True})
    assert told.is_error
    assert "Set is_background to false" in told


def test_a_replacement_that_is_elsewhere_in_white_space_is_told(
    workspace: Workspace, tools: Profile
) -> None:
    workspace.write("/a.py", "def f():\n    return 1  \n")
    given = {"file_path": "/a.py", "old_string": "  return 1\n", "new_string": "  return 2\n"}
    told = tools.call("replace", given)
    assert "Applied fuzzy match at line 2." in told
    assert "return 2" in workspace.read_text("/a.py")

"""The calls that do in one step what would take a script one call for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.errors import BadPatternError, OutputLimitError
from vshell.ops import state_bulk
from vshell.ops.state import State


@pytest.fixture
def state() -> Iterator[State]:
    with Workspace.memory() as workspace:
        workspace.write("/src/a.py", "a = 1  # TODO: one\n")
        workspace.write("/src/deep/b.py", "b = 2\n# todo: two\n")
        workspace.write("/src/binary.py", b"\0\1")
        workspace.write("/notes.md", "TODO: three\n")
        yield workspace.session("s", cwd="/src").state


def test_many_files_are_read_at_once(state: State) -> None:
    assert state.read_files("**/*.py") == {
        "/src/a.py": "a = 1  # TODO: one\n",
        "/src/deep/b.py": "b = 2\n# todo: two\n",
    }
    assert state.readFiles({"pattern": "/*.md"}) == {"/notes.md": "TODO: three\n"}


def test_too_many_bytes_are_refused(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_bulk, "_MAX_BYTES", 20)
    with pytest.raises(OutputLimitError):
        state.read_files("**/*.py")


def test_grep_starts_at_the_working_directory(state: State) -> None:
    found = state.grep("TODO")
    assert found == {
        "matches": [{"path": "/src/a.py", "line": 1, "column": 10, "text": "a = 1  # TODO: one"}],
        "total": 1,
        "truncated": False,
    }


def test_grep_takes_its_options_in_both_spellings(state: State) -> None:
    found = state.grep("todo", ignoreCase=True, path="/", include=["*.py"], before=1)
    assert [(each["path"], each.get("before")) for each in found["matches"]] == [
        ("/src/a.py", None),
        ("/src/deep/b.py", ["b = 2"]),
    ]
    cut = state.grep("todo", {"ignore_case": True, "maxMatches": 1, "path": "/"})
    assert len(cut["matches"]) == 1
    assert cut["truncated"]


def test_a_malformed_pattern_is_an_error(state: State) -> None:
    with pytest.raises(BadPatternError):
        state.grep("(")

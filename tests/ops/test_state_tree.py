"""The scripting methods on trees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from vshell.errors import BadPatternError, NotFoundError, OutputLimitError
from vshell.ops import state_tree
from vshell.ops.state import State
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        workspace.write("/p/a.ts", "12345")
        workspace.write("/p/b.md", "")
        workspace.write("/p/s/c.ts", "123")
        workspace.write("/p/s.txt", "1")
        yield workspace


@pytest.fixture
def state(workspace: Workspace) -> State:
    return workspace.state


def found(state: State, path: str = "/p", **options: Any) -> list[str]:
    return [entry["path"] for entry in state.find(path, options)]


def test_a_directory_comes_before_what_is_in_it_and_that_before_the_next(state: State) -> None:
    assert found(state) == ["/p", "/p/a.ts", "/p/b.md", "/p/s", "/p/s/c.ts", "/p/s.txt"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"name": "*.ts"}, ["/p/a.ts", "/p/s/c.ts"]),
        ({"name": "[!a]*.{ts,txt}"}, ["/p/s/c.ts", "/p/s.txt"]),
        ({"pathPattern": "/p/*.ts"}, ["/p/a.ts"]),
        ({"pathPattern": "**/s/**"}, ["/p/s/c.ts"]),
        ({"pathPattern": "p/*/"}, ["/p/s"]),
        ({"type": ["directory"]}, ["/p", "/p/s"]),
        ({"type": []}, []),
        ({"minDepth": 2}, ["/p/s/c.ts"]),
        ({"maxDepth": 0}, ["/p"]),
        ({"sizeMin": 1, "sizeMax": 3}, ["/p/s/c.ts", "/p/s.txt"]),
        ({"empty": True}, ["/p/b.md"]),
        ({"empty": False, "name": "s"}, ["/p/s"]),
        ({"name": "none"}, []),
    ],
)
def test_all_conditions_must_be_met(
    state: State, options: dict[str, Any], expected: list[str]
) -> None:
    assert found(state, **options) == expected


def test_an_empty_directory_is_found_at_the_deepest_level(state: State) -> None:
    state.mkdir("/p/none")
    assert found(state, empty=True, maxDepth=1) == ["/p/b.md", "/p/none"]
    assert found(state, "/p/none", empty=True, maxDepth=0) == ["/p/none"]


def test_times_are_compared_as_they_are_returned(state: State) -> None:
    changed = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    milliseconds = int(changed.timestamp() * 1000)
    with Workspace.memory(now=lambda: milliseconds * 10**6 + 999_999) as workspace:
        state = workspace.state
        state.write_file("/a", "x")
        assert state.find("/a")[0]["mtime"] == milliseconds
        for same in (milliseconds, changed, changed.isoformat(), "2024-05-06T07:08:09"):
            assert found(state, "/a", mtimeAfter=same) == []
            assert found(state, "/a", mtimeBefore=same) == []
        assert found(state, "/a", mtimeAfter="2024-05-06", mtimeBefore="2024-05-07") == ["/a"]


def test_a_link_is_not_followed_but_on_the_way(state: State) -> None:
    state.symlink("/p", "/l")
    assert state.find("/l")[0]["type"] == "symlink"
    assert found(state, "/l") == ["/l"]
    assert found(state, "/l/s") == ["/l/s", "/l/s/c.ts"]
    assert state.walk_tree("/l/s")["children"][0]["path"] == "/l/s/c.ts"


@pytest.mark.parametrize("path", ["/none", "/p/a.ts/x"])
def test_nothing_is_found_where_nothing_is(state: State, path: str) -> None:
    assert found(state, path) == []
    with pytest.raises((NotFoundError, NotADirectoryError)):
        state.walk_tree(path)
    with pytest.raises((NotFoundError, NotADirectoryError)):
        state.summarize_tree(path)


def test_a_malformed_pattern_is_an_error(state: State) -> None:
    for option in ("name", "pathPattern"):
        with pytest.raises(BadPatternError):
            state.find("/", {option: "[z-a]"})


def test_a_tree_is_nested(state: State) -> None:
    tree = state.walk_tree("/p")
    assert [child["name"] for child in tree["children"]] == ["a.ts", "b.md", "s", "s.txt"]
    assert tree["children"][2]["children"] == [
        {"path": "/p/s/c.ts", "name": "c.ts", "type": "file", "size": 3}
    ]
    assert state.walk_tree("/")["children"][0]["path"] == "/p"


def test_a_tree_that_is_too_deep_is_refused(state: State) -> None:
    state.mkdir("/d" * 151, recursive=True)
    with pytest.raises(OutputLimitError):
        state.walk_tree("/")
    assert state.summarize_tree("/")["maxDepth"] == 151


def test_too_many_entries_are_refused_and_not_cut(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_tree, "WALK_ENTRIES", 5)
    for method, arguments in (("find", ["/p"]), ("walkTree", ["/p"]), ("glob", ["/**"])):
        with pytest.raises(OutputLimitError):
            state.dispatch(method, arguments)
    assert state.summarize_tree("/p")["files"] == 4
    assert len(found(state, type="file")) == 4


def test_a_tree_is_summed_up(state: State) -> None:
    state.symlink("/p", "/p/s/l")
    assert state.summarize_tree("/p") == {
        "files": 4,
        "directories": 2,
        "symlinks": 1,
        "totalBytes": 9,
        "maxDepth": 2,
    }
    assert state.summarize_tree("/p", maxDepth=1)["files"] == 3
    assert state.summarize_tree("/p/a.ts")["directories"] == 0


def test_globs_know_what_bash_knows(state: State) -> None:
    assert state.glob("/p/[!a]*.{md,txt}") == ["/p/b.md", "/p/s.txt"]
    assert state.glob("/p/*/") == ["/p/s"]
    assert state.glob("/") == ["/"]
    assert state.glob("") == []

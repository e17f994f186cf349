"""The scripting methods that search, replace and compare."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from vshell.errors import (
    BadPatternError,
    IsDirectoryError,
    OperationTimeoutError,
    OutputLimitError,
    TooLargeError,
)
from vshell.ops import state_search, state_text
from vshell.ops.state import State
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def state(workspace: Workspace) -> State:
    return workspace.state


def test_a_catastrophic_pattern_does_not_block_the_host(workspace: Workspace) -> None:
    state = State(workspace, timeout_s=0.05)
    state.write_file("/a", "a" * 60 + "!")
    start = time.monotonic()
    for method, arguments in (
        ("searchText", ["/a", "(a|aa)+$", {"regex": True}]),
        ("searchFiles", ["/*", "(a|aa)+$", {"regex": True}]),
        ("replaceInFile", ["/a", "(a|aa)+$", "b", {"regex": True}]),
        ("replaceInFiles", ["/*", "(a|aa)+$", "b", {"regex": True}]),
        (
            "planEdits",
            [
                [
                    {
                        "kind": "replace",
                        "path": "/a",
                        "search": "(a|aa)+$",
                        "replacement": "b",
                        "options": {"regex": True},
                    }
                ]
            ],
        ),
    ):
        with pytest.raises(OperationTimeoutError):
            state.dispatch(str(method), arguments)
    assert time.monotonic() - start < 5
    assert state.read_file("/a") == "a" * 60 + "!"


def test_the_pattern_that_took_72_seconds_ends_at_once(state: State) -> None:
    state.write_file("/a", "a" * 28 + "!")
    assert state.search_text("/a", "(a+)+$", regex=True) == []


def test_lines_around_a_match_are_fields_only_when_asked_for(state: State) -> None:
    state.write_file("/a", "1\n2\n3")
    match = {"line": 2, "column": 1, "match": "2", "lineText": "2"}
    assert state.search_text("/a", "2") == [match]
    assert state.search_text("/a", "2", contextBefore=1) == [match | {"beforeLines": ["1"]}]
    assert state.search_text("/a", "2", context_after=5) == [match | {"afterLines": ["3"]}]


def test_the_limit_of_matches_is_one_for_each_file(state: State) -> None:
    state.write_file("/a", "x x")
    state.write_file("/b", "x x")
    found = state.search_files("/*", "x", {"maxMatches": 1})
    assert [(each["path"], len(each["matches"])) for each in found] == [("/a", 1), ("/b", 1)]


def test_binary_files_and_links_are_left_out_of_many_files(state: State) -> None:
    state.write_file("/a", "text")
    state.write_file_bytes("/b", b"text\0")
    state.symlink("/a", "/l")
    assert [each["path"] for each in state.search_files("/**", "text")] == ["/a"]
    assert state.replace_in_files("/**", "text", "x")["totalFiles"] == 1
    assert state.read_file_bytes("/b") == b"text\0"


def test_a_file_that_is_too_large_is_passed_over_only_when_it_is_binary(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_search, "MAX_TEXT_BYTES", 4)
    monkeypatch.setattr(state_text, "MAX_TEXT_BYTES", 4)
    state.write_file("/a", "text")
    state.write_file_bytes("/b", b"\0text")
    assert [each["path"] for each in state.search_files("/*", "text")] == ["/a"]
    state.write_file("/c", "more text")
    with pytest.raises(TooLargeError, match="/c"):
        state.search_files("/*", "text")


def test_one_binary_file_can_be_searched(state: State) -> None:
    state.write_file_bytes("/b", b"a\0text")
    assert state.search_text("/b", "text")[0]["column"] == 3


@pytest.mark.parametrize("pattern", ["", "/none/*", "/a/x", "/loop/*", "/" + "n" * 300 + "/*"])
def test_where_nothing_is_nothing_is_found(state: State, pattern: str) -> None:
    state.write_file("/a", "x")
    state.symlink("/loop", "/loop")
    assert state.search_files(pattern, "x") == []
    assert state.glob(pattern) == []


def test_files_below_a_linked_directory_are_found_by_its_name(state: State) -> None:
    state.write_file("/d/a", "x")
    state.symlink("/d", "/l")
    assert [each["path"] for each in state.search_files("/l/*", "x")] == ["/l/a"]
    state.replace_in_files("/l/*", "x", "y")
    assert state.read_file("/d/a") == "y"


def test_bytes_around_a_replacement_stay_what_they_are(state: State) -> None:
    state.write_file_bytes("/a", b"\xef\xbb\xbf\xff old \xe2\x82 \r\n")
    assert state.replace_in_file("/a", "old", "né") == {
        "replaced": 1,
        "content": "\ufffd né \ufffd \r\n",
    }
    assert state.read_file_bytes("/a") == b"\xef\xbb\xbf\xff n\xc3\xa9 \xe2\x82 \r\n"


def test_a_replacement_writes_no_bytes_that_are_no_text(state: State) -> None:
    state.write_file("/a", "x")
    state.replace_in_file("/a", "x", "\udcff")
    assert state.read_file_bytes("/a") == b"\xef\xbf\xbd"


def test_a_text_that_is_not_there_is_replaced_zero_times(workspace: Workspace) -> None:
    workspace.write("/a", "text")
    revision = workspace.changes().revision
    assert workspace.state.replace_in_file("/a", "none", "x") == {"replaced": 0, "content": "text"}
    assert workspace.changes().revision == revision


def test_only_so_many_matches_are_replaced(state: State) -> None:
    state.write_file("/a", "x x x")
    assert state.replace_in_file("/a", "x", "y", maxMatches=2)["content"] == "y y x"


def test_a_failure_undoes_all_files(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_search, "MAX_TEXT_BYTES", 60)
    state.write_file("/a", "x")
    state.write_file("/b", "x" * 50)
    with pytest.raises(TooLargeError) as caught:
        state.replace_in_files("/*", "x", "yy")
    assert caught.value.data["rolledBack"] is True
    assert state.read_file("/a") == "x"


def test_a_failure_leaves_the_files_before_it_when_asked_to(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_search, "MAX_TEXT_BYTES", 60)
    state.write_file("/a", "x")
    state.write_file("/b", "x" * 50)
    state.write_file("/c", "x")
    with pytest.raises(TooLargeError) as caught:
        state.replace_in_files("/*", "x", "yy", {"rollbackOnError": False})
    assert (caught.value.data["rolledBack"], caught.value.data["index"]) == (False, 1)
    assert [state.read_file(path)[:2] for path in ("/a", "/b", "/c")] == ["yy", "xx", "x"]


def test_a_dry_run_gives_the_result_and_changes_nothing(workspace: Workspace) -> None:
    workspace.write("/a", "x\n")
    revision = workspace.changes().revision
    tried = workspace.state.replace_in_files("/*", "x", "y", dryRun=True)
    assert workspace.read_text("/a") == "x\n"
    assert workspace.changes().revision == revision
    assert workspace.state.replace_in_files("/*", "x", "y") == tried | {"dryRun": False}


def test_a_result_that_is_too_large_is_refused(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        state.write_file(f"/{number}", "x" * 50)
    monkeypatch.setattr(state_search, "MAX_TEXT_BYTES", 300)
    with pytest.raises(OutputLimitError):
        state.replace_in_files("/*", "x", "y")
    assert state.read_file("/0") == "x" * 50


def test_a_directory_is_not_searched(state: State) -> None:
    for method in ("searchText", "replaceInFile"):
        with pytest.raises(IsDirectoryError):
            state.dispatch(method, ["/", "x", *["y"][: method == "replaceInFile"]])


def test_a_malformed_glob_is_an_error(state: State) -> None:
    with pytest.raises(BadPatternError):
        state.search_files("/[z-a]", "x")


def test_two_files_are_compared_under_their_names(state: State) -> None:
    state.write_file("/a", "1\n2")
    state.write_file("/b", "1\n3")
    assert state.diff("/a", "b") == "--- /a\n+++ b\n@@ -1,2 +1,2 @@\n 1\n-2\n+3"
    assert state.diff("/a", "/a") == ""


def test_a_comparison_of_9000_lines_that_all_differ_is_fast(state: State) -> None:
    state.write_file("/a", "\n".join(f"old {number}" for number in range(9000)))
    start = time.monotonic()
    text = state.diff_content("/a", "\n".join(f"new {number}" for number in range(9000)))
    assert text.count("\n-old") == text.count("\n+new") == 9000
    assert time.monotonic() - start < 5


def test_files_of_more_lines_are_not_compared_but_can_be_changed(state: State) -> None:
    state.write_file("/a", "x\n" * 20_000)
    with pytest.raises(TooLargeError):
        state.diff_content("/a", "")
    assert state.replace_in_files("/a", "x", "y", maxMatches=1)["totalReplacements"] == 1

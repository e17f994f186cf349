"""Editing files: what `edits` finds is written, once, and nothing is lost."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.errors import (
    BinaryFileError,
    DecodeError,
    EditError,
    EmptyOldError,
    IsDirectoryError,
    MultipleMatchesError,
    NoChangeError,
    NoMatchError,
    NotFoundError,
    NotReadError,
    OverlappingEditsError,
    QuotaExceededError,
    ReadOnlyError,
    StaleError,
    TooLargeError,
    VshellError,
)
from vshell.ops.edit import EditResult
from vshell.session import Session
from vshell.text.edits import Edit
from vshell.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        workspace.write("/f", "one\ntwo\nthree\n")
        yield workspace


def _by_pickle(result: EditResult) -> EditResult:
    copied: EditResult = pickle.loads(pickle.dumps(result))
    return copied


def test_a_text_is_replaced(ws: Workspace) -> None:
    done = ws.edit("/f", Edit("two", "2"))
    assert ws.read_text("/f") == "one\n2\nthree\n"
    assert (done.path, done.replacements, done.strategy) == ("/f", 1, "exact")
    assert (done.first_changed_line, done.bytes) == (2, 12)


@pytest.mark.parametrize(
    "edits",
    [
        Edit("two", "2"),
        {"old": "two", "new": "2"},
        [Edit("two", "2")],
        ({"old": "two", "new": "2", "replace_all": True},),
    ],
)
def test_edits_may_be_given_in_any_of_these_forms(
    ws: Workspace, edits: Edit | Mapping[str, object] | Sequence[Edit | Mapping[str, object]]
) -> None:
    ws.edit("/f", edits)
    assert ws.read_text("/f") == "one\n2\nthree\n"


@pytest.mark.parametrize("edits", [[], "two", [{"old": "two"}], [{"old": "two", "neu": "2"}], 5])
def test_another_form_is_refused(ws: Workspace, edits: object) -> None:
    with pytest.raises(EditError) as caught:
        ws.edit("/f", edits)  # type: ignore[arg-type]
    assert caught.value.hint


def test_all_edits_are_made_or_none(ws: Workspace) -> None:
    with pytest.raises(NoMatchError) as caught:
        ws.edit("/f", [Edit("two", "2"), Edit("four", "4")])
    assert caught.value.data["edit"] == 1
    assert ws.read_text("/f") == "one\ntwo\nthree\n"


def test_edits_are_looked_for_in_what_was_there(ws: Workspace) -> None:
    ws.edit("/f", [Edit("one", "two!"), Edit("two", "one!")])
    assert ws.read_text("/f") == "two!\none!\nthree\n"


def test_edits_may_build_on_one_another(ws: Workspace) -> None:
    ws.edit("/f", [Edit("one", "first"), Edit("first", "1st")], basis="sequential")
    assert ws.read_text("/f") == "1st\ntwo\nthree\n"


def test_white_space_may_differ_when_that_is_allowed(ws: Workspace) -> None:
    ws.write("/f", "if a:  \n    b\n")
    done = ws.edit("/f", Edit("if a:\n    b", "pass"), fuzz="rstrip")
    assert (done.strategy, ws.read_text("/f")) == ("rstrip", "pass\n")


@pytest.mark.parametrize(
    ("edits", "error"),
    [
        ([Edit("", "x")], EmptyOldError),
        ([Edit("two", "two")], NoChangeError),
        ([Edit("e", "E")], MultipleMatchesError),
        ([Edit("wo", "x"), Edit("tw", "y")], OverlappingEditsError),
        ([Edit("zero", "0")], NoMatchError),
    ],
)
def test_what_cannot_be_edited_says_why_and_where(
    ws: Workspace, edits: list[Edit], error: type[VshellError]
) -> None:
    with pytest.raises(error) as caught:
        ws.edit("/f", edits)
    assert caught.value.filename == "/f"


def test_a_link_is_followed(ws: Workspace) -> None:
    ws.symlink("f", "/link")
    assert ws.edit("/link", Edit("two", "2")).path == "/f"
    assert ws.readlink("/link") == "f"


def test_paths_are_relative_to_the_working_directory(ws: Workspace) -> None:
    ws.write("/d/g", "x")
    ws.session("s", cwd="/d").edit("g", Edit("x", "y"))
    assert ws.read_text("/d/g") == "y"


def test_the_mode_and_the_other_names_of_a_file_stay(ws: Workspace) -> None:
    ws.chmod("/f", 0o750)
    ws.link("/f", "/other")
    ws.edit("/f", Edit("two", "2"))
    assert ws.stat("/f").mode == 0o750
    assert ws.read_text("/other") == "one\n2\nthree\n"


def test_a_dry_run_says_the_same_and_changes_nothing(ws: Workspace) -> None:
    revision = ws.files.revision()
    planned = ws.edit("/f", Edit("two", "2"), dry_run=True)
    assert (ws.files.revision(), ws.read_text("/f")) == (revision, "one\ntwo\nthree\n")
    done = ws.edit("/f", Edit("two", "2"))
    same = ("path", "replacements", "first_changed_line", "bytes", "old_hash", "hash", "patch")
    assert [getattr(planned, name) for name in same] == [getattr(done, name) for name in same]


def test_a_dry_run_needs_no_right_to_write(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as ws:
        ws.write("/f", "x")
    with Workspace.open(tmp_path / "w.db", read_only=True) as ws:
        assert ws.edit("/f", Edit("x", "y"), dry_run=True).dry_run
        with pytest.raises(ReadOnlyError):
            ws.edit("/f", Edit("x", "y"))


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "ü\n", "\t x\n", "end"])), st.integers(0, 9)
)
def test_the_patch_makes_the_new_file_of_the_old_one(lines: list[str], at: int) -> None:
    old = "".join([*lines[:at], "HERE\n", *lines[at:]])
    with Workspace.memory() as ws:
        ws.write("/f", old)
        done = ws.edit("/f", Edit("HERE\n", "there\nand\n"))
        new = ws.read_bytes("/f")
        ws.write("/f", old)
        ws.patch(done.patch)
        assert ws.read_bytes("/f") == new


def test_the_patch_is_that_of_the_edit_whatever_comes_later(ws: Workspace) -> None:
    done = ws.edit("/f", Edit("two", "2"))
    ws.rm("/f")
    assert "-two\n+2\n" in done.patch


@pytest.mark.parametrize("travel", [copy.deepcopy, _by_pickle])
def test_a_result_that_travels_has_its_patch_with_it(
    ws: Workspace, travel: Callable[[EditResult], EditResult]
) -> None:
    done = ws.edit("/f", Edit("two", "2"))
    other = travel(done)
    assert (other, other.patch) == (done, done.patch)


def test_a_result_as_data_has_no_patch(ws: Workspace) -> None:
    fields = ws.edit("/f", Edit("two", "2")).as_dict()
    assert fields["replacements"] == 1
    assert not {"patch", "_patch"} & fields.keys()


def test_a_binary_file_is_refused(ws: Workspace) -> None:
    ws.write("/b", b"\0two")
    with pytest.raises(BinaryFileError):
        ws.edit("/b", Edit("two", "2"))


def test_a_file_over_the_limit_is_refused(ws: Workspace) -> None:
    ws.truncate("/f", 64 * 1024**2 + 1)
    with pytest.raises(TooLargeError):
        ws.edit("/f", Edit("two", "2"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_edited_as_it_is_read_and_stays_what_it_is(ws: Workspace, encoding: str) -> None:
    ws.write("/u", "\ufeffone\r\ntwo ü\r\n".encode(encoding))
    ws.edit("/u", Edit("two ü\n", "2 €\n"))
    assert ws.read_bytes("/u") == "\ufeffone\r\n2 €\r\n".encode(encoding)


def test_damaged_utf_16_is_refused(ws: Workspace) -> None:
    ws.write("/u", b"\xff\xfea\0b")
    with pytest.raises(DecodeError):
        ws.edit("/u", Edit("a", "b"))


def test_a_directory_is_refused(ws: Workspace) -> None:
    with pytest.raises(IsDirectoryError):
        ws.edit("/", Edit("a", "b"))


def test_a_missing_file_is_not_made(ws: Workspace) -> None:
    with pytest.raises(NotFoundError):
        ws.edit("/none", Edit("a", "b"))


def test_the_quota_holds(ws: Workspace) -> None:
    ws.set_quota(20)
    with pytest.raises(QuotaExceededError):
        ws.edit("/f", Edit("two", "2" * 20))


def test_another_version_is_refused_before_anything_else(ws: Workspace) -> None:
    version = ws.stat("/f").version
    done = ws.edit("/f", Edit("two", "2"), expected_version=version)
    for dry_run in (False, True):
        with pytest.raises(StaleError) as caught:
            ws.edit("/f", Edit("two", "2"), expected_version=version, dry_run=dry_run)
        assert caught.value.data == {"expected": version, "actual": done.version}


def test_a_version_serves_for_the_next_edit(ws: Workspace) -> None:
    done = ws.edit("/f", Edit("two", "2"))
    ws.edit("/f", Edit("2", "two"), expected_version=done.version)
    assert ws.read_text("/f") == "one\ntwo\nthree\n"


def test_a_session_that_must_read_first_must_read_first(ws: Workspace) -> None:
    session = ws.session("s", require_read=True)
    with pytest.raises(NotReadError):
        session.edit("/f", Edit("two", "2"))
    session.read("/f")
    session.edit("/f", Edit("two", "2"))
    session.edit("/f", Edit("2", "two"))
    ws.append("/f", "four\n")
    with pytest.raises(StaleError):
        session.edit("/f", Edit("two", "2"))


def _edit_and_fail(session: Session) -> None:
    with session.transaction():
        session.edit("/f", Edit("two", "2"))
        raise ZeroDivisionError


def test_what_was_undone_was_not_read(ws: Workspace) -> None:
    """After a rollback the session knows the file as it was before, and can go on from there."""
    session = ws.session("s", require_read=True)
    session.read("/f")
    with pytest.raises(ZeroDivisionError):
        _edit_and_fail(session)
    session.edit("/f", Edit("two", "zwei"))
    assert ws.read_text("/f") == "one\nzwei\nthree\n"


def test_an_edit_is_journalled_under_its_name(ws: Workspace) -> None:
    ws.session("me").edit("/f", Edit("two", "2"))
    last = ws.history("/f").changes[0]
    assert (last.session, last.operation, last.action) == ("me", "edit", "write")


def _count_up(ws: Workspace, times: int, *, versions: bool) -> None:
    done = 0
    while done < times:
        now = ws.read("/count")
        old = now.text.strip()
        expected = now.version if versions else None
        try:
            ws.edit("/count", Edit(old, str(int(old) + 1)), expected_version=expected)
        except (StaleError, NoMatchError):
            continue
        done += 1


@pytest.mark.parametrize("versions", [True, False])
def test_two_threads_never_lose_an_update(ws: Workspace, versions: bool) -> None:
    ws.write("/count", "100\n")
    threads = [
        threading.Thread(target=_count_up, args=(ws, 50), kwargs={"versions": versions})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.read_text("/count") == "200\n"


def test_two_workspaces_on_one_file_never_lose_an_update(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as one, Workspace.open(path) as other:
        one.write("/count", "100\n")
        threads = [
            threading.Thread(target=_count_up, args=(ws, 25), kwargs={"versions": True})
            for ws in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.read_text("/count") == "150\n"

from __future__ import annotations

import pytest

from tests.fs.workspaces import change, problems, write
from vshell.errors import CorruptError, QuotaExceededError
from vshell.fs.filesystem import FileSystem
from vshell.fs.reverting import revert_rewrites


@pytest.fixture
def written(files: FileSystem) -> FileSystem:
    """Three files, the first two of them with other content, mode and time since revision 1."""
    change(
        files,
        lambda: files.write("/a", b"one"),
        lambda: files.write("/b", b""),
        lambda: files.write("/c", b"three"),
        lambda: files.chmod("/a", 0o640),
    )
    change(files, lambda: files.write("/a", b"other"), lambda: files.write("/b", b"two"))
    change(files, lambda: files.write("/a", b"again"), lambda: files.chmod("/a", 0o755))
    change(files, lambda: files.utime("/c", 5))
    return files


def revert(files: FileSystem, revision: int) -> int | None:
    with files.transaction("ada", "undo"):
        return revert_rewrites(files.store, revision)


def test_files_are_what_they_were(written: FileSystem) -> None:
    before = written.stat("/c").mtime_ns
    assert revert(written, 1) == 3
    assert [written.read(path) for path in ("/a", "/b", "/c")] == [b"one", b"", b"three"]
    assert [written.stat("/a").mode, written.stat("/c").mtime_ns == before] == [0o640, False]
    assert written.live_bytes() == 8
    assert problems(written) == []


def test_the_journal_has_a_row_for_each_file(written: FileSystem) -> None:
    revert(written, 1)
    rows = written.changes(since=4)
    assert [(row.path, row.action) for row in rows] == [
        ("/a", "write"),
        ("/b", "write"),
        ("/c", "attributes"),
    ]
    assert {(row.session, row.operation, row.revision) for row in rows} == {("ada", "undo", 5)}
    assert [row.after_mode for row in rows] == [0o640, 0o644, 0o644]


def test_a_version_is_that_of_the_last_change_to_content(written: FileSystem) -> None:
    revert(written, 1)
    assert [written.stat(path).version for path in ("/a", "/b", "/c")] == [5, 5, 1]


def test_what_is_the_same_again_is_left_alone(files: FileSystem) -> None:
    write(files, "/a", b"one")
    write(files, "/b", b"one")
    time_ns = files.stat("/a").mtime_ns
    write(files, "/a", b"two")
    write(files, "/b", b"two")
    change(files, lambda: files.write("/a", b"one"), lambda: files.utime("/a", time_ns))
    assert revert(files, 2) == 1
    assert [row.path for row in files.changes(since=5)] == ["/b"]


@pytest.mark.parametrize("what", ["create", "remove", "rename", "directory", "two names"])
def test_more_than_rewriting_is_left_to_others(files: FileSystem, what: str) -> None:
    change(files, lambda: files.mkdir("/d"), lambda: files.write("/a", b"one"))
    if what == "two names":
        change(files, lambda: files.link("/a", "/b"))
    write(files, "/a", b"two")
    revision = files.revision() - 1
    if what == "create":
        write(files, "/new", b"")
    elif what == "remove":
        change(files, lambda: files.unlink("/a"))
    elif what == "rename":
        change(files, lambda: files.rename("/a", "/b"))
    elif what == "directory":
        change(files, lambda: files.chmod("/d", 0o700))
    latest = files.revision()
    assert revert(files, revision) is None
    assert files.revision() == latest


def test_what_would_not_fit_is_refused(files: FileSystem) -> None:
    write(files, "/a", b"x" * 100)
    write(files, "/a", b"y")
    change(files, lambda: files.set_quota(50))
    with pytest.raises(QuotaExceededError):
        revert(files, 1)
    assert files.read("/a") == b"y"


def test_content_that_is_missing_is_told(files: FileSystem) -> None:
    write(files, "/a", b"one")
    write(files, "/a", b"two")
    change(files, lambda: files.store.database.run("delete from content where size = 3 and id = 1"))
    with pytest.raises(CorruptError, match="missing"):
        revert(files, 1)


def test_it_takes_as_many_statements_for_many_files_as_for_few(files: FileSystem) -> None:
    def counted(names: range) -> int:
        change(files, *[lambda name=name: files.write(f"/{name}", b"1") for name in names])
        change(files, *[lambda name=name: files.write(f"/{name}", b"2") for name in names])
        with files.store.database.count_statements() as statements:
            assert revert(files, files.revision() - 1) == len(names)
        return len(statements)

    assert counted(range(3)) == counted(range(100)) < 10

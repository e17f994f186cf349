from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.fs.workspaces import change, opened, problems, raw, write
from tests.processes import Child, in_child
from vshell.errors import (
    CancelledError,
    ClosedError,
    CorruptError,
    ExistsError,
    InvalidPathError,
    IsDirectoryError,
    NewerSchemaError,
    NotDirectoryError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    ReadOnlyError,
    VshellError,
)
from vshell.fs import schema
from vshell.fs.filesystem import FileSystem

Open = Callable[..., FileSystem]


# Creating.


def test_a_missing_file_becomes_an_empty_workspace(open_files: Open, database: Path) -> None:
    files = open_files()
    assert (files.names("/"), files.revision()) == ([], 0)
    assert problems(files) == []


def test_only_its_owner_may_read_a_new_workspace(open_files: Open, database: Path) -> None:
    write(open_files(), "/a")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in database.parent.iterdir()}
    assert modes == {"agent.db": 0o600, "agent.db-wal": 0o600, "agent.db-shm": 0o600}


def test_the_mode_does_not_depend_on_the_umask(open_files: Open, database: Path) -> None:
    before = os.umask(0)
    try:
        open_files()
    finally:
        os.umask(before)
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_creation_leaves_nothing_beside_the_workspace(open_files: Open, database: Path) -> None:
    open_files().close()
    assert [file.name for file in database.parent.iterdir()] == ["agent.db"]


def test_a_new_workspace_is_in_wal_mode_with_the_current_format(
    open_files: Open, database: Path
) -> None:
    open_files()
    with raw(database) as connection:
        assert connection.pragma("journal_mode") == "wal"
        assert connection.pragma("user_version") == schema.VERSION
        assert connection.pragma("application_id") == schema.APPLICATION_ID


def test_processes_that_create_at_once_share_one_workspace(database: Path) -> None:
    def create_and_write(name: str) -> None:
        files = FileSystem(str(database))
        with files.transaction():
            files.write(f"/{name}", name.encode())

    children = [Child(lambda name=str(index): create_and_write(name)) for index in range(6)]  # type: ignore[misc]
    for child in children:
        child.result()
    with opened(database) as files:
        assert files.names("/") == ["0", "1", "2", "3", "4", "5"]
        assert problems(files) == []
    assert [file.name for file in database.parent.iterdir()] == ["agent.db"]


def test_threads_that_create_at_once_share_one_workspace(database: Path) -> None:
    barrier = threading.Barrier(4)

    def create_and_write(index: int) -> None:
        barrier.wait()
        files = FileSystem(str(database))
        write(files, f"/{index}")
        files.close()

    threads = [threading.Thread(target=create_and_write, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened(database) as files:
        assert files.names("/") == ["0", "1", "2", "3"]


def test_an_empty_file_becomes_a_workspace(open_files: Open, database: Path) -> None:
    database.touch(0o600)
    files = open_files()
    write(files, "/a", b"text")
    assert problems(files) == []
    files.close()
    assert open_files().read("/a") == b"text"


def test_an_empty_database_becomes_a_workspace(open_files: Open, database: Path) -> None:
    with raw(database) as connection:
        connection.execute("vacuum")
    write(open_files(), "/a")
    assert open_files().names("/") == ["a"]


def test_a_missing_file_is_not_made_when_create_is_false(open_files: Open, database: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        open_files(create=False)
    assert not database.exists()


def test_a_missing_file_is_not_made_to_be_read_only(open_files: Open, database: Path) -> None:
    with pytest.raises(NotFoundError):
        open_files(read_only=True)
    assert not database.exists()


def test_a_name_that_sqlite_takes_for_no_file_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = FileSystem(":memory:")
    write(first, "/a")
    second = FileSystem(":memory:")
    assert second.names("/") == ["a"]
    first.close()
    second.close()


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = FileSystem("agent.db")
    monkeypatch.chdir("/")
    assert files.store.database.path == str(tmp_path / "agent.db")
    files.close()


# Refusing.


def _assert_tells_nothing_of_the_host(error: VshellError, database: Path) -> None:
    text = f"{error.message} {error.hint} {error.filename} {error.data}"
    assert str(database) not in text
    assert database.parent.name not in text
    assert "sqlite" not in text.lower().replace("sqlite database", "")


def test_a_missing_directory_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "agent.db"
    with pytest.raises(NotFoundError, match="directory") as caught:
        FileSystem(str(path))
    _assert_tells_nothing_of_the_host(caught.value, path)


def test_a_file_in_place_of_the_directory_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotDirectoryError) as caught:
        FileSystem(str(tmp_path / "file" / "agent.db"))
    _assert_tells_nothing_of_the_host(caught.value, tmp_path)


def test_a_directory_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(IsDirectoryError) as caught:
        FileSystem(str(tmp_path))
    _assert_tells_nothing_of_the_host(caught.value, tmp_path)


@pytest.mark.parametrize("name", ["", "a\0b", "a\udcff"])
def test_what_is_no_path_of_the_host_is_invalid(name: str) -> None:
    with pytest.raises(InvalidPathError):
        FileSystem(name)


def test_another_application_s_database_is_left_alone(open_files: Open, database: Path) -> None:
    with raw(database) as connection:
        connection.execute("create table theirs (value); insert into theirs values (1)")
    before = database.read_bytes()
    with pytest.raises(CorruptError, match="no vshell workspace") as caught:
        open_files()
    _assert_tells_nothing_of_the_host(caught.value, database)
    with raw(database) as connection:
        assert connection.execute("select value from theirs").fetchall() == [(1,)]
        assert connection.pragma("application_id") == 0
    assert len(database.read_bytes()) == len(before)


@pytest.mark.parametrize("garbage", [b"no", b"not a database\n" * 1000, bytes(range(256)) * 32])
def test_garbage_is_left_alone(open_files: Open, database: Path, garbage: bytes) -> None:
    database.write_bytes(garbage)
    with pytest.raises(CorruptError, match="no workspace") as caught:
        open_files()
    _assert_tells_nothing_of_the_host(caught.value, database)
    assert database.read_bytes() == garbage


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_damaged_and_says_so(
    open_files: Open, database: Path, part: float
) -> None:
    files = open_files()
    for index in range(200):
        write(files, f"/{index}", bytes(5000) + b"%d" % index)
    files.close()
    os.truncate(database, int(database.stat().st_size * part) // 4096 * 4096)

    def read_everything() -> None:
        damaged = open_files()
        for entry in damaged.walk("/"):
            damaged.read(entry.path)

    with pytest.raises(CorruptError) as caught:
        read_everything()
    _assert_tells_nothing_of_the_host(caught.value, database)


def test_a_file_cut_inside_its_header_is_damaged(open_files: Open, database: Path) -> None:
    open_files().close()
    os.truncate(database, 50)
    with pytest.raises(CorruptError):
        open_files()


def test_a_later_format_is_refused_and_left_alone(open_files: Open, database: Path) -> None:
    open_files().close()
    with raw(database) as connection:
        connection.pragma("user_version", schema.VERSION + 1)
    with pytest.raises(NewerSchemaError) as caught:
        open_files()
    assert caught.value.code == "newer_schema"
    assert caught.value.data == {"found": schema.VERSION + 1, "supported": schema.VERSION}
    _assert_tells_nothing_of_the_host(caught.value, database)
    with raw(database) as connection:
        assert connection.pragma("user_version") == schema.VERSION + 1


def test_a_workspace_without_its_tables_is_damaged(open_files: Open, database: Path) -> None:
    open_files().close()
    with raw(database) as connection:
        connection.execute("drop table entry")
    with pytest.raises(CorruptError) as caught:
        open_files()
    _assert_tells_nothing_of_the_host(caught.value, database)


def test_a_file_that_the_host_denies_is_a_denied_permission() -> None:
    def open_as_nobody() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        FileSystem(str(path))

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "agent.db")
        FileSystem(str(path)).close()
        path.chmod(0)
        Path(directory).chmod(0o755)
        with pytest.raises(PermissionDeniedError) as caught:
            in_child(open_as_nobody)
    _assert_tells_nothing_of_the_host(caught.value, path)


# Read-only.


def test_a_read_only_workspace_shows_everything(open_files: Open) -> None:
    writer = open_files()
    write(writer, "/a", b"text")
    reader = open_files(read_only=True)
    assert reader.read("/a") == b"text"
    write(writer, "/a", b"more")
    assert reader.read("/a") == b"more"


def test_a_read_only_workspace_refuses_a_transaction(open_files: Open) -> None:
    open_files()
    reader = open_files(read_only=True)
    with pytest.raises(ReadOnlyError), reader.transaction():
        pytest.fail("the transaction began")


def test_a_read_only_workspace_can_be_the_only_one_open(open_files: Open) -> None:
    first = open_files()
    write(first, "/a", b"text")
    first.close()
    assert open_files(read_only=True).read("/a") == b"text"


def test_a_read_only_workspace_without_a_log_can_be_read(open_files: Open, database: Path) -> None:
    write(open_files(), "/a", b"text")
    copy = database.with_name("copy.db")
    with raw(database) as source, raw(copy) as target:
        with target.backup("main", source, "main") as backup:
            backup.step()
        target.pragma("journal_mode", "delete")
    reader = FileSystem(str(copy), read_only=True)
    assert reader.read("/a") == b"text"
    reader.close()


def test_a_copy_without_a_log_gets_one_when_opened_to_be_written(
    open_files: Open, database: Path
) -> None:
    files = open_files()
    write(files, "/a", b"text")
    files.close()
    with raw(database) as connection:
        connection.pragma("journal_mode", "delete")
    assert open_files().read("/a") == b"text"
    with raw(database) as connection:
        assert connection.pragma("journal_mode") == "wal"


# Errors of the disk, and being interrupted.


def _fill_up(files: FileSystem) -> None:
    connection = files.store.database._connection
    connection.pragma("max_page_count", connection.pragma("page_count") + 20)


def test_a_full_disk_undoes_the_whole_transaction(files: FileSystem) -> None:
    write(files, "/before", b"kept")
    _fill_up(files)
    with pytest.raises(QuotaExceededError, match="disk"):
        change(
            files,
            lambda: (files.write("/a", b"small"), files.write("/b", os.urandom(5_000_000))),
        )
    assert files.names("/") == ["before"]
    assert problems(files) == []


def test_nothing_is_kept_of_what_a_caller_does_after_a_full_disk(files: FileSystem) -> None:
    _fill_up(files)

    def ignore_errors() -> None:
        files.write("/a", b"first")
        with pytest.raises(QuotaExceededError), files.transaction():
            files.write("/b", os.urandom(5_000_000))
        with pytest.raises(QuotaExceededError):
            files.write("/c", b"after")

    with pytest.raises(QuotaExceededError, match="disk"):
        change(files, ignore_errors)
    assert files.names("/") == []
    assert problems(files) == []


def test_work_goes_on_after_a_full_disk(files: FileSystem) -> None:
    _fill_up(files)
    with pytest.raises(QuotaExceededError), files.transaction():
        files.write("/b", os.urandom(5_000_000))
    write(files, "/a", b"small")
    assert files.names("/") == ["a"]


def test_an_interrupt_undoes_the_whole_transaction(files: FileSystem) -> None:
    change(files, lambda: [files.write(f"/{index}", b"x") for index in range(2000)])
    connection = files.store.database._connection

    def interrupted() -> None:
        steps = iter(range(20))
        connection.set_progress_handler(lambda: next(steps, None) is None, 100)
        try:
            files.store.database.run("update inode set mode = 0")
        finally:
            connection.set_progress_handler(None)

    def ignore_the_interrupt() -> None:
        files.write("/new", b"")
        with pytest.raises(CancelledError), files.transaction():
            interrupted()

    with pytest.raises(CancelledError):
        change(files, ignore_the_interrupt)
    assert not files.exists("/new")
    assert files.stat("/0").mode == 0o644


# Closing.


def test_closing_twice_is_harmless(files: FileSystem) -> None:
    files.close()
    files.close()
    assert files.closed


@pytest.mark.parametrize(
    "use",
    [
        lambda files: files.stat("/"),
        lambda files: files.exists("/a"),
        lambda files: files.read("/a"),
        lambda files: files.names("/"),
        lambda files: files.revision(),
        lambda files: files.reading().__enter__(),
        lambda files: files.transaction().__enter__(),
        lambda files: files.copy_database("/nowhere/copy.db"),
    ],
)
def test_every_use_after_closing_says_that_it_is_closed(
    files: FileSystem, use: Callable[[FileSystem], object]
) -> None:
    write(files, "/a", b"text")
    files.read("/a")
    files.close()
    with pytest.raises(ClosedError, match="closed"):
        use(files)


def test_closing_inside_a_transaction_undoes_it(open_files: Open) -> None:
    files = open_files()

    def write_and_close() -> None:
        files.write("/a", b"text")
        files.close()

    with pytest.raises(ClosedError):
        change(files, write_and_close)
    assert open_files().names("/") == []


def test_closing_leaves_one_file(open_files: Open, database: Path) -> None:
    files = open_files()
    write(files, "/a", b"text")
    files.close()
    assert [file.name for file in database.parent.iterdir()] == ["agent.db"]


# Copying.


def test_a_copy_is_a_workspace_of_its_own(open_files: Open, database: Path) -> None:
    files = open_files()
    write(files, "/a", b"text")
    copy = database.with_name("copy.db")
    files.copy_database(str(copy))
    write(files, "/b")
    with opened(copy) as other:
        assert other.names("/") == ["a"]
        assert problems(other) == []
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_copy_replaces_nothing(open_files: Open, database: Path) -> None:
    files = open_files()
    with pytest.raises(ExistsError):
        files.copy_database(str(database))
    assert sorted(file.name for file in database.parent.iterdir()) == [
        "agent.db",
        "agent.db-shm",
        "agent.db-wal",
    ]


def test_a_copy_is_not_made_inside_a_transaction(open_files: Open, database: Path) -> None:
    files = open_files()
    with pytest.raises(VshellError), files.transaction():
        files.copy_database(str(database.with_name("copy.db")))
    assert not database.with_name("copy.db").exists()


def test_a_file_copied_while_it_is_closed_is_the_workspace(
    open_files: Open, database: Path
) -> None:
    files = open_files()
    write(files, "/a", b"text")
    files.close()
    copy = shutil.copyfile(database, database.with_name("copy.db"))
    with opened(copy) as other:
        assert other.read("/a") == b"text"


# Odds and ends.


def test_a_statement_that_is_our_own_mistake_keeps_its_error(files: FileSystem) -> None:
    with pytest.raises(apsw.SQLError):
        files.store.database.row("select nonsense")


def test_checkpoint_moves_the_log_into_the_file(files: FileSystem, database: Path) -> None:
    write(files, "/a", os.urandom(100_000))
    log = database.with_name("agent.db-wal")
    assert log.stat().st_size > 100_000
    files.store.database.checkpoint()
    assert log.stat().st_size == 0
    assert len(files.read("/a")) == 100_000


def test_an_idle_reader_holds_up_no_checkpoint(open_files: Open, database: Path) -> None:
    files, reader = open_files(lock_timeout_s=0.01), open_files()
    write(files, "/d/a", b"text")
    change(files, lambda: files.symlink("d/a", "/l"))
    asked: list[Callable[[], object]] = [
        lambda: reader.read("/l"),
        lambda: reader.stat("/d"),
        lambda: reader.exists("/missing"),
        lambda: reader.list_directory("/d", limit=1),
        lambda: reader.walk("/"),
        lambda: reader.history("/d/a"),
        lambda: reader.setting("missing"),
        reader.revision,
    ]
    for ask in asked:
        ask()
        write(files, "/b", b"more")
        files.store.database.checkpoint()
        assert database.with_name("agent.db-wal").stat().st_size == 0


def test_checkpoint_gives_way_to_a_reader(open_files: Open) -> None:
    files = open_files(lock_timeout_s=0.01)
    other = open_files()
    write(files, "/a", b"before")
    with other.reading():
        assert other.read("/a") == b"before"
        write(files, "/a", b"after")
        files.store.database.checkpoint()
        assert other.read("/a") == b"before"
    assert other.read("/a") == b"after"


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_durability_decides_when_the_disk_is_flushed(
    open_files: Open, durability: str, level: int
) -> None:
    files = open_files(durability=durability)
    assert files.store.database._connection.pragma("synchronous") == level

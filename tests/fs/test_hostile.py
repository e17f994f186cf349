"""Inputs that mean harm: each is stored as it is, or answered by its error and changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fs.workspaces import change, dump, opened, problems, snapshot, write
from vshell.errors import (
    InvalidPathError,
    NotFoundError,
    QuotaExceededError,
    SymlinkLoopError,
    TooLargeError,
    VshellError,
)
from vshell.fs.content import hash_of
from vshell.fs.filesystem import FileSystem
from vshell.fs.paths import absolute
from vshell.fs.space import usage
from vshell.limits import CHUNK_BYTES, MAX_FILE_BYTES

FIXTURES = Path(__file__).parents[2] / "fixtures" / "hostile"


def _load(file: str) -> list[dict[str, Any]]:
    """Read cases; a long text is written as a unit and how often it is repeated."""
    cases: list[dict[str, Any]] = json.loads((FIXTURES / file).read_text())
    for case in cases:
        if "unit" in case:
            case["text"] = case.get("start", "") + case["unit"] * case["count"] + case["end"]
        else:
            case["text"] = case.get("name", case.get("path"))
    return cases


def _parameters(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["what"].replace(" ", "-")) for case in cases]


NAMES = _load("names.json")
GOOD_NAMES = _parameters([case for case in NAMES if case["error"] is None])
BAD_NAMES = _parameters([case for case in NAMES if case["error"] is not None])
PATHS = _parameters(_load("paths.json"))


@pytest.fixture
def furnished(files: FileSystem) -> FileSystem:
    """What the hostile paths lead through."""
    write(files, "/d/f", b"text")
    for target, path in [
        ("/", "/to-root"),
        ("/etc/passwd", "/to-passwd"),
        ("../" * 50, "/far-up"),
        ("..", "/up"),
        ("loop", "/loop"),
        ("pong", "/ping"),
        ("ping", "/pong"),
        ("inward/deeper", "/inward"),
        ("nowhere", "/dangling"),
        ("n" * 300, "/to-long"),
        (".", "/laugh-0"),
        *((f"laugh-{index}/" * 10, f"/laugh-{index + 1}") for index in range(9)),
        ("laugh-9", "/laughs"),
    ]:
        change(files, lambda target=target, path=path: files.symlink(target, path))  # type: ignore[misc]
    return files


def refused(files: FileSystem, database: Path, work: Callable[[], object]) -> VshellError:
    """Return the error of something that must fail and leave no trace, not even in numbers."""
    before, revision = dump(database), files.revision()
    with pytest.raises(VshellError) as caught:
        change(files, work)
    assert dump(database) == before
    assert files.revision() == revision
    return caught.value


# Names.


@pytest.mark.parametrize("case", GOOD_NAMES)
def test_an_odd_name_is_a_name(files: FileSystem, case: dict[str, Any]) -> None:
    name = case["text"]
    path = absolute(f"/{name}")
    change(
        files,
        lambda: files.write(path, b"text"),
        lambda: files.mkdir(absolute(f"/d/{name}"), parents=True),
        lambda: files.symlink(name, "/l"),
    )
    assert files.read(path) == files.read("/l") == b"text"
    assert files.readlink("/l") == name
    assert sorted(files.names("/")) == sorted([name, "d", "l"])
    assert files.names("/d") == [name]
    assert files.history(path)[0].path == path
    change(files, lambda: files.rename(path, absolute(f"/d/{name}/moved")))
    assert [entry.path for entry in files.walk(f"/d/{name}")] == [f"/d/{name}/moved"]
    change(files, lambda: files.remove_tree(f"/d/{name}"))
    assert files.names("/d") == []
    assert problems(files) == []


@pytest.mark.parametrize("case", BAD_NAMES)
def test_what_is_no_name_is_refused_by_everything(
    furnished: FileSystem, database: Path, case: dict[str, Any]
) -> None:
    files, name = furnished, case["text"]
    works: list[Callable[[], object]] = [
        lambda: files.write(absolute(name), b"x"),
        lambda: files.write(absolute(f"/d/{name}"), b"x"),
        lambda: files.mkdir(absolute(f"/d/{name}/below"), parents=True),
        lambda: files.rename("/d/f", absolute(f"/{name}")),
        lambda: files.link("/d/f", absolute(f"/{name}")),
        lambda: files.symlink("f", absolute(f"/{name}")),
        lambda: files.copy_tree("/d", absolute(f"/{name}")),
        lambda: files.stat(absolute(f"/{name}")),
        lambda: files.unlink(absolute(f"/d/{name}/../f")),
    ]
    for work in works:
        error = refused(files, database, work)
        # A path over the limit is refused as that, whatever else is wrong with it.
        assert error.code == case["error"]
        _assert_can_be_shown(error)


def test_two_spellings_of_the_same_bytes_are_one_file(files: FileSystem) -> None:
    spelled = b"/\xc3\xa9".decode("ascii", "surrogateescape")
    assert absolute(spelled) == "/\u00e9"
    write(files, absolute(spelled), b"text")
    assert files.read("/\u00e9") == b"text"
    change(files, lambda: files.unlink("/\u00e9"))
    assert not files.exists(absolute(spelled))


def test_a_directory_does_not_move_into_itself_by_another_spelling(files: FileSystem) -> None:
    spelled = b"/\xc3\xa9".decode("ascii", "surrogateescape")
    change(files, lambda: files.mkdir("/\u00e9"))
    with pytest.raises(InvalidPathError, match="itself"):
        change(files, lambda: files.rename("/\u00e9", absolute(f"{spelled}/below")))
    assert problems(files) == []


# Paths.


@pytest.mark.parametrize("case", PATHS)
def test_a_path_leads_nowhere_but_into_the_workspace(
    furnished: FileSystem, database: Path, case: dict[str, Any]
) -> None:
    files, path = furnished, case["text"]
    if case["error"] is None:
        assert files.realpath(absolute(path)) == case["leads_to"]
        assert files.read(absolute(path)) == b"text"
        return
    error = refused(files, database, lambda: files.read(absolute(path)))
    assert error.code == case["error"]
    _assert_can_be_shown(error)


@pytest.mark.parametrize(
    "case", [parameter for parameter in PATHS if parameter.values[0]["error"] is None]
)
def test_a_roundabout_path_writes_where_it_leads(
    furnished: FileSystem, case: dict[str, Any]
) -> None:
    change(furnished, lambda: furnished.write(absolute(case["text"]), b"new", parents=True))
    assert furnished.read(case["leads_to"]) == b"new"
    assert problems(furnished) == []


def test_a_path_of_the_host_is_made_in_the_workspace_and_not_there(
    furnished: FileSystem, tmp_path: Path
) -> None:
    target = tmp_path / "escaped"
    for path in (f"/../../../..{target}", f"/to-root{target}", f"/far-up{target}"):
        change(furnished, lambda path=path: furnished.write(path, b"x", parents=True))  # type: ignore[misc]
    assert furnished.read(str(target)) == b"x"
    assert not target.exists()


def test_a_loop_of_directories_and_links_ends(furnished: FileSystem) -> None:
    change(furnished, lambda: furnished.symlink("..", "/d/back"))
    assert furnished.read("/d/back" * 40 + "/d/f") == b"text"
    with pytest.raises(SymlinkLoopError):
        furnished.read("/d/back" * 41 + "/d/f")
    assert len(furnished.walk("/")) < 50


def test_a_target_of_many_segments_is_followed_in_time(files: FileSystem) -> None:
    change(files, lambda: files.mkdir("/d"))
    for index in range(39):
        target = "./" * 1000 + (f"{index - 1}" if index else "d")
        change(files, lambda target=target, index=index: files.symlink(target, f"/{index}"))  # type: ignore[misc]
    assert files.realpath("/38") == "/d"


def _assert_can_be_shown(error: VshellError) -> None:
    for text in (error.message, error.hint or "", error.filename or ""):
        assert len(text) < 10_000
        text.encode("utf-8", "surrogateescape")


# Sizes.


@pytest.mark.parametrize(
    "grow",
    [
        lambda files: files.truncate("/a", 1 << 30),
        lambda files: files.write_at("/a", (1 << 30) - 1, b"x"),
        lambda files: files.write_at("/new", (1 << 30) - 1, b"x"),
        lambda files: files.write("/new", (bytes(1 << 20) for _ in range(1024))),
    ],
)
def test_a_sparse_gigabyte_counts_in_full_against_the_quota(
    files: FileSystem, database: Path, grow: Callable[[FileSystem], object]
) -> None:
    write(files, "/a", b"text")
    change(files, lambda: files.set_quota(100_000_000))
    error = refused(files, database, lambda: grow(files))
    assert isinstance(error, QuotaExceededError)
    assert error.data["quota"] == 100_000_000
    assert database.with_name("agent.db-wal").stat().st_size < 250_000_000


def test_a_sparse_gigabyte_without_a_quota_is_one_chunk_on_disk(
    files: FileSystem, database: Path
) -> None:
    change(files, lambda: files.write_at("/a", (1 << 30) - 3, b"end"))
    assert files.stat("/a").size == 1 << 30
    assert files.read("/a", (1 << 30) - 5) == b"\0\0end"
    assert files.read("/a", 500_000_000, 4) == bytes(4)
    assert usage(files.store).content_bytes == 2 * CHUNK_BYTES
    files.store.database.checkpoint()
    assert database.stat().st_size < 2_000_000
    assert problems(files) == []


def test_a_file_over_the_limit_changes_nothing(files: FileSystem, database: Path) -> None:
    write(files, "/a", b"text")
    for work in (
        lambda: files.truncate("/a", MAX_FILE_BYTES + 1),
        lambda: files.write_at("/a", MAX_FILE_BYTES, b"x"),
        lambda: files.write_at("/new", (1 << 63) - 1, b"x"),
    ):
        assert isinstance(refused(files, database, work), TooLargeError)


@pytest.mark.slow
def test_64_megabytes_are_written_and_read(files: FileSystem, database: Path) -> None:
    data = os.urandom(64 << 20)
    write(files, "/a", data)
    assert files.read("/a") == data
    assert files.stat("/a").hash == hash_of(data).hex()
    with opened(database) as other:
        assert other.read("/a", 33_333_333, 1000) == data[33_333_333:33_334_333]
        assert b"".join(other.pieces("/a")) == data
    assert problems(files) == []


def test_a_file_of_no_bytes_is_a_file(files: FileSystem) -> None:
    write(files, "/a", b"")
    assert (files.read("/a"), files.stat("/a").size) == (b"", 0)
    assert files.read("/a", 5, 5) == b""
    assert list(files.pieces("/a")) == []
    assert usage(files.store).content_bytes == 0


# Many and deep.

MANY = 100_000


@pytest.mark.slow
def test_a_directory_of_100_000_entries_is_paged_and_removed(files: FileSystem) -> None:
    with files.transaction():
        for index in range(MANY):
            files.write(f"/d/{index:06}", b"x", parents=True)
    entries, total = files.list_directory("/d", limit=10, offset=99_990)
    assert [entry.path for entry in entries] == [f"/d/{index:06}" for index in range(99_990, MANY)]
    assert total == MANY
    with files.store.database.count_statements() as statements:
        files.list_directory("/d", limit=1000, offset=50_000)
    assert len(statements) == 2
    assert len(files.names("/d")) == len(files.walk("/")) - 1 == MANY
    assert files.read("/d/077777") == b"x"
    change(files, lambda: files.rename("/d", "/e"))
    assert files.read("/e/077777") == b"x"
    with files.transaction():
        assert files.remove_tree("/e") == MANY + 1
    assert problems(files) == []


def test_a_tree_of_depth_1000_is_handled_like_any(files: FileSystem) -> None:
    deepest = "/a" * 1000
    write(files, f"{deepest}/f", b"text")
    assert files.read(f"{deepest}/f") == b"text"
    assert len(files.walk("/")) == 1001
    change(files, lambda: files.rename("/a", "/b"), lambda: files.copy_tree("/b", "/c"))
    assert files.read("/c" + "/a" * 999 + "/f") == b"text"
    with files.transaction():
        assert files.remove_tree("/b") == 1001
    assert problems(files) == []


def test_the_deepest_path_that_can_be_named_is_made_at_once(files: FileSystem) -> None:
    deepest = "/a" * 2047
    write(files, f"{deepest}/f", b"text")
    with opened(files.store.database.path) as fresh:
        assert fresh.read(f"{deepest}/f") == b"text"


def test_a_tree_deeper_than_any_path_is_reached_by_links_and_removed(files: FileSystem) -> None:
    part = "/a" * 1500
    for name in "xyz":
        change(files, lambda name=name: files.mkdir(f"/{name}{part}", parents=True))  # type: ignore[misc]
        change(files, lambda name=name: files.symlink(f"/{name}{part}", f"/to-{name}"))  # type: ignore[misc]
    change(files, lambda: files.rename("/y", "/to-x/y"))
    change(files, lambda: files.symlink(f"to-x/y{part}", "/deeper"))
    change(files, lambda: files.rename("/z", "/deeper/z"))
    change(files, lambda: files.symlink(f"deeper/z{part}", "/deepest"))
    write(files, "/deepest/f", b"text")
    assert files.read("/deepest/f") == b"text"
    assert files.realpath("/deepest") == f"/x{part}/y{part}/z{part}"
    assert max(len(entry.path) for entry in files.walk("/")) > 9000
    assert problems(files) == []
    change(files, lambda: files.copy_tree("/x", "/copy"))
    with files.transaction():
        assert files.remove_tree("/x") == 4504
    with pytest.raises(NotFoundError):
        files.read("/deepest/f")
    assert len(files.walk("/copy")) == 4503
    assert problems(files) == []


def test_names_that_differ_in_nothing_that_is_seen_are_different_files(files: FileSystem) -> None:
    names = [
        "\u00e9",
        "e\u0301",
        "\u212b",
        "\u00c5",
        "A",
        "a",
        "\uff21",
        "a ",
        "a\u200b",
        "\ufb01",
        "fi",
    ]
    for name in names:
        write(files, f"/{name}", name.encode())
    assert {content for *_, content in snapshot(files).values()} == {n.encode() for n in names}

"""The table of all paths shows what the rows say, whatever was changed and by whom."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell import Workspace
from vshell.errors import VshellError
from vshell.fs import path_table
from vshell.fs.path_table import PathTable
from vshell.fs.records import EntryDetails


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def table(ws: Workspace) -> PathTable:
    """Return the table, made by asking as often as it takes."""
    store = ws.files.store
    found = store.read(lambda: store.tables.get(worth_making=True))
    return found or table(ws)


def kept(ws: Workspace) -> PathTable | None:
    return ws.files.store.tree.table


def rows(ws: Workspace) -> list[EntryDetails]:
    """Return what the table should show, from the rows."""
    tree = ws.files.store.tree
    return sorted(ws.files.store.read(lambda: tree.walk_details(tree.root)))


def test_a_table_is_made_for_the_second_question(ws: Workspace) -> None:
    ws.write("/a/b.txt", "text")
    ws.glob("**/*.txt")
    assert kept(ws) is None
    ws.glob("**/*.txt")
    known = kept(ws)
    assert known is not None
    assert known.below("/") == rows(ws)


def test_what_is_below_a_directory_is_nothing_beside_it(ws: Workspace) -> None:
    for path in ("/a", "/a.b/x", "/d/x.py", "/d/e/y.txt", "/d.py", "/d0", "/d-/z", "/e"):
        ws.write(path, path)
    known = table(ws)
    assert [entry.path for entry in known.below("/d")] == ["/d/e", "/d/e/y.txt", "/d/x.py"]
    assert [entry.path for entry in known.below("/d", (".py",))] == ["/d/e", "/d/x.py"]
    content = next(entry.content for entry in known.below("/") if entry.path == "/d/x.py")
    assert content is not None
    assert [entry.path for entry in known.with_contents("/", {content, 10**6})] == ["/d/x.py"]
    assert known.with_contents("/d/e", {content}) == []


def test_a_list_that_was_returned_is_the_callers(ws: Workspace) -> None:
    ws.write("/a", "text")
    table(ws).below("/").clear()
    assert len(table(ws).below("/")) == 1


def change(ws: Workspace, rng: random.Random) -> None:
    names = ["/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/f/g/h"]
    one, other = rng.choice(names), rng.choice(names)
    match rng.randrange(10):
        case 0 | 1 | 2:
            ws.write(one, str(rng.random()))
        case 3:
            ws.rm(one, recursive=True, force=True)
        case 4:
            ws.mv(one, other)
        case 5:
            ws.cp(one, other, recursive=True)
        case 6:
            ws.link(one, other)
        case 7:
            ws.chmod(one, rng.choice([0o600, 0o755]))
        case 8:
            ws.mkdir(one)
        case 9:
            ws.undo()


@pytest.mark.parametrize("seed", range(8))
def test_after_changes_the_table_shows_the_rows(ws: Workspace, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(120):
        try:
            with ws.transaction():
                for _ in range(rng.randrange(1, 4)):
                    change(ws, rng)
        except VshellError:
            continue
        if number % 9 == 8:
            ws.gc(keep_revisions=rng.choice([0, 5]))
        known = table(ws)
        assert known.below("/") == rows(ws)
        for entry in known.below("/"):
            if entry.content is not None:
                assert entry in known.with_contents("/", {entry.content})


def test_small_changes_are_looked_up_and_nothing_is_walked(ws: Workspace) -> None:
    for number in range(50):
        ws.write(f"/d{number}/file", str(number))
    known = table(ws)
    ws.write("/d3/file", "new text")
    ws.rm("/d4/file")
    ws.mv("/d5/file", "/d6/moved")
    assert table(ws) is known
    assert known.below("/") == rows(ws)


def test_the_commit_of_another_process_ends_it(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as one, Workspace.open(tmp_path / "w.db") as other:
        one.write("/a", "text")
        known = table(one)
        other.write("/b", "text")
        assert one.glob("**").paths == ("/a", "/b")
        assert table(one) is not known


def test_nothing_of_a_transaction_that_failed_is_left(ws: Workspace) -> None:
    ws.write("/a", "text")
    table(ws)
    seen = []

    def fail() -> None:
        with ws.transaction():
            ws.write("/b", "text")
            seen.append(ws.glob("*").paths)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert seen == [("/a", "/b")]
    assert ws.glob("*").paths == ("/a",)
    assert table(ws).below("/") == rows(ws)


def test_the_search_index_takes_in_what_was_written_and_the_table_stays(ws: Workspace) -> None:
    with ws.transaction():
        for number in range(300):
            ws.write(f"/f{number}", f"text {number}")
    known = table(ws)
    with ws.transaction():
        for number in range(300):
            ws.write(f"/g{number}", f"other {number}")
    assert ws.grep("other 7$").files == ("/g7",)
    assert ws.usage().index_bytes > 0
    assert table(ws) is known
    assert known.below("/") == rows(ws)


def test_too_many_entries_make_no_table(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_table, "MAX_ENTRIES", 3)
    for number in range(4):
        ws.write(f"/{number}", "")
    for _ in range(4):
        assert len(ws.glob("**").paths) == 4
    assert kept(ws) is None

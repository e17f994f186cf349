"""What operations cost, in statements: a count does not depend on the machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fs.workspaces import change, write
from vshell.fs.filesystem import FileSystem

Open = Callable[..., FileSystem]


@pytest.fixture
def cold(open_files: Open) -> Open:
    """Opens the workspace anew, and has it look at its counter, but at no file."""

    def open_cold() -> FileSystem:
        files = open_files()
        files.store.fresh()
        return files

    return open_cold


def count(files: FileSystem, work: Callable[[], object]) -> list[str]:
    with files.store.database.count_statements() as statements:
        work()
    return statements.statements


def changing(files: FileSystem, work: Callable[[], object]) -> list[str]:
    """Return the statements of a change, without those around it."""

    def in_transaction() -> None:
        with files.transaction():
            work()

    found = count(files, in_transaction)
    assert (found[0], found[-1]) == ("begin immediate", "commit")
    return found[1:-1]


def test_reading_a_file_costs_two_statements_and_then_none(cold: Open) -> None:
    write(cold(), "/a", b"text")
    files = cold()
    assert len(count(files, lambda: files.read("/a"))) == 2
    assert count(files, lambda: files.read("/a")) == []


def test_reading_an_empty_file_costs_one_statement(cold: Open) -> None:
    write(cold(), "/a")
    files = cold()
    assert len(count(files, lambda: files.read("/a"))) == 1


def test_stat_costs_one_statement_and_then_none(cold: Open) -> None:
    write(cold(), "/a", b"text")
    files = cold()
    assert len(count(files, lambda: files.stat("/a"))) == 1
    assert count(files, lambda: files.stat("/a")) == []
    assert count(files, lambda: files.exists("/a")) == []


def test_each_unknown_directory_on_the_way_costs_one_statement(cold: Open) -> None:
    write(cold(), "/d/e/f/a", b"text")
    files = cold()
    assert len(count(files, lambda: files.stat("/d/e/f/a"))) == 4
    assert len(count(files, lambda: files.exists("/d/e/f/b"))) == 1


def test_reading_through_a_link_costs_nothing_once_it_is_known(cold: Open) -> None:
    writer = cold()
    write(writer, "/d/a", b"text")
    change(writer, lambda: writer.symlink("d", "/l"))
    files = cold()
    files.read("/l/a")
    assert count(files, lambda: files.read("/l/a")) == []


def test_a_large_read_costs_three_statements_and_no_more_for_a_range(cold: Open) -> None:
    write(cold(), "/a", bytes(5_000_000))
    for offset, length in [(0, None), (0, 1), (3_000_000, 100)]:
        files = cold()
        found = count(files, lambda o=offset, n=length, f=files: f.read("/a", o, n))  # type: ignore[misc]
        assert len(found) == 3


def test_creating_a_file_costs_five_statements(files: FileSystem) -> None:
    write(files, "/warm")
    found = changing(files, lambda: files.write("/a", b"text"))
    assert len(found) == 1 + 5
    assert found[0].startswith("select")  # the look-up of the name


def test_overwriting_a_known_file_costs_three_statements(files: FileSystem) -> None:
    write(files, "/a", b"old")
    assert len(changing(files, lambda: files.write("/a", b"new"))) == 3


def test_overwriting_an_unknown_file_costs_the_look_up_more(cold: Open) -> None:
    write(cold(), "/a", b"old")
    files = cold()
    files.revision()
    assert len(changing(files, lambda: files.write("/a", b"new"))) == 1 + 3


def test_content_that_is_there_already_costs_one_statement_more(files: FileSystem) -> None:
    write(files, "/a", b"same")
    assert len(changing(files, lambda: files.write("/b", b"same"))) == 1 + 5 + 1


def test_removing_a_known_file_costs_four_statements(files: FileSystem) -> None:
    write(files, "/a", b"x")
    files.stat("/a")
    assert len(changing(files, lambda: files.unlink("/a"))) == 4


def test_a_new_connection_counts_its_transaction_in_one_statement_more(cold: Open) -> None:
    write(cold(), "/a", b"old")
    files = cold()
    # The last row of the journal, once.
    assert len(changing(files, lambda: files.write("/a", b"new"))) == 1 + 1 + 3


def test_moving_a_directory_costs_the_same_with_3_and_with_3000_files(files: FileSystem) -> None:
    found = []
    for size in (3, 3000):
        with files.transaction():
            for index in range(size):
                files.write(f"/d{size}/{index}", b"x", parents=True)
        found.append(changing(files, lambda size=size: files.rename(f"/d{size}", f"/m{size}")))  # type: ignore[misc]
        assert len(files.names(f"/m{size}")) == size
    assert found[0] == found[1]
    assert len(found[0]) <= 6


def test_listing_costs_the_same_with_any_number_of_entries(cold: Open) -> None:
    writer = cold()
    counts = []
    for size in (3, 300):
        with writer.transaction():
            for index in range(size):
                writer.write(f"/d{size}/{index}", b"", parents=True)
        files = cold()
        counts.append(len(count(files, lambda f=files, size=size: f.list_directory(f"/d{size}"))))  # type: ignore[misc]
    assert counts == [2, 2]


def test_a_page_costs_one_count_more(cold: Open) -> None:
    writer = cold()
    change(writer, lambda: [writer.write(f"/{index}", b"") for index in range(10)])
    files = cold()
    assert len(count(files, lambda: files.list_directory("/", limit=3))) == 2


def test_an_empty_transaction_costs_what_is_around_it(files: FileSystem) -> None:
    write(files, "/a")
    assert changing(files, lambda: files.read("/a")) == []


@pytest.mark.parametrize("nested", [1, 5])
def test_a_nested_transaction_costs_two_statements(files: FileSystem, nested: int) -> None:
    write(files, "/a")

    def nest(depth: int) -> None:
        if depth:
            with files.transaction():
                nest(depth - 1)

    assert len(changing(files, lambda: nest(nested))) == 2 * nested

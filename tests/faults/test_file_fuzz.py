from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.faults import batches, file_fuzz
from tests.faults.file_fuzz import exercise, make_case, make_samples, run
from tests.fs.workspaces import raw
from vshell.errors import CorruptError, NotFoundError, VshellError
from vshell.workspace import Workspace


@pytest.mark.slow
def test_no_damaged_file_ends_hangs_or_confuses_a_process() -> None:
    findings = run(count=120, seed=1)
    assert findings.failures == []
    assert findings.counts.total() == 120


def test_a_case_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    samples = make_samples(tmp_path / "samples", 0)
    kinds = set()
    for number in range(8):
        made = []
        for attempt in ("first", "second"):
            path = tmp_path / f"{number}-{attempt}" / "agent.db"
            path.parent.mkdir()
            kinds.add(make_case(samples, path, f"0/{number}"))
            made.append(path.read_bytes() if path.is_file() else b"")
        assert made[0] == made[1]
    assert len(kinds) > 3


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), "it ends the process"),
        (lambda _: time.sleep(60), "it hangs for more than 0 s"),
    ],
)
def test_a_case_that_ends_or_stops_its_process_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, end: object, ending: str
) -> None:
    monkeypatch.setattr(batches, "CASE_S", 0.3)
    monkeypatch.setattr(file_fuzz, "exercise", end)
    found = run(count=1, seed=2)
    assert [failure.rpartition(": ")[2] for failure in found.failures] == [ending]


# Damage of particular kinds.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a workspace with a few directories in it."""
    path = tmp_path / "agent.db"
    with Workspace.open(path) as workspace:
        for name in ("a", "b", "c"):
            workspace.write(f"/{name}/{name}/file", f"text of {name}")
        workspace.snapshot("before")
    return path


def execute(path: Path, *statements: str) -> None:
    with raw(path) as connection:
        for statement in statements:
            connection.execute(statement)


CIRCLES = {
    "one circle": "update entry set parent = inode where name = x'61' and parent <> 1",
    "circles through one directory": (
        "update entry set inode = (select inode from entry where parent = 1 and name = x'61')"
        " where kind = 2 and parent <> 1"
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_tree_with_a_circle_is_no_endless_walk(path: Path, circle: str) -> None:
    execute(path, CIRCLES[circle])
    with Workspace.open(path) as workspace:
        assert not workspace.check().ok
    assert exercise(path)[1] == []


HOSTILE = {
    "a trigger": ["create trigger t after insert on inode begin delete from entry; end"],
    "an index": ["create unique index i on journal (time_ns, id)"],
    "a view in the place of a table": [
        "alter table inode rename to other",
        "create view inode as select * from other",
    ],
    "another column": ["alter table inode add column more"],
    "a table that is missing": ["drop table undo"],
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_tables_that_are_not_those_of_the_format_are_refused(path: Path, hostile: str) -> None:
    execute(path, *HOSTILE[hostile])
    with pytest.raises(CorruptError, match="tables are not those of its format"):
        Workspace.open(path)


def test_other_tables_beside_those_of_the_format_do_no_harm(path: Path) -> None:
    execute(path, "create table notes (text)", "create view shown as select * from notes")
    with Workspace.open(path) as workspace:
        workspace.write("/a/a/file", "changed")
        assert workspace.check().ok


def test_a_vacuumed_and_analysed_file_is_still_of_the_format(path: Path) -> None:
    execute(path, "analyze", "vacuum")
    with Workspace.open(path) as workspace:
        assert workspace.check().ok


WRONG = {
    "a size that is text": ("update inode set size = 'many' where kind = 1", "wrong type"),
    "a time that is missing": ("update journal set time_ns = 'x'", "wrong type"),
    "a kind that is none": ("update journal set kind = 9 where id > 3", "impossible change"),
    "an impossible mode": ("update inode set mode = 70000 where kind = 1", "impossible mode"),
    "a redo that is no list": ("insert into undo values (99, 1, 'x')", "redo of revision 99"),
    "a quota that is text": ("insert into setting values ('quota_bytes', 'x')", "quota_bytes"),
    "a session that is no text": (
        "update journal set session = cast(x'ff' as text) where id > 3",
        "no UTF-8",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_check_finds_values_that_cannot_be(path: Path, wrong: str) -> None:
    statement, sentence = WRONG[wrong]
    execute(path, statement)
    with Workspace.open(path) as workspace:
        problems = workspace.check().problems
    assert any(sentence in problem for problem in problems), problems


def test_an_error_that_comes_from_damage_names_the_damage(path: Path) -> None:
    execute(path, "update journal set revision = 'x'")
    found = pytest.raises(CorruptError, match="the table journal has")
    with Workspace.open(path) as workspace, found:
        workspace.write("/new", "text")


def test_an_error_of_the_caller_s_stays_what_it_is(path: Path) -> None:
    with Workspace.open(path) as workspace:
        with pytest.raises(KeyError, match="mine"), workspace.transaction():
            raise KeyError("mine")
        with pytest.raises(NotFoundError), workspace.transaction():
            workspace.read("/missing")


def test_a_mistake_of_our_own_on_a_sound_workspace_stays_what_it_is(path: Path) -> None:
    with Workspace.open(path) as workspace, pytest.raises(AttributeError):
        workspace.files.read(7)  # type: ignore[arg-type]


def test_a_database_of_another_application_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("create table bookmark (url)")
    connection.close()
    with pytest.raises(VshellError, match="no vshell workspace"):
        Workspace.open(path)

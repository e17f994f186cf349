"""Libraries that know fsspec open the files of a workspace: pandas, duckdb, UPath."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.tools.adapters.examples import run_example
from vshell import Workspace

TABLE = "name,amount\nann,1\nbob,2\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as opened:
        opened.write("/data/table.csv", TABLE)
        yield opened


def test_pandas_reads_and_writes(workspace: Workspace, tmp_path: Path) -> None:
    pandas: Any = pytest.importorskip("pandas", reason="needs PyPI pandas")
    options = {"workspace": str(tmp_path / "w.db")}
    frame = pandas.read_csv("vshell:///data/table.csv", storage_options=options)
    frame["amount"] *= 2
    frame.to_csv("vshell:///data/doubled.csv", index=False, storage_options=options)
    assert workspace.read_text("/data/doubled.csv") == "name,amount\nann,2\nbob,4\n"


def test_duckdb_queries_files(workspace: Workspace) -> None:
    duckdb: Any = pytest.importorskip("duckdb", reason="needs PyPI duckdb")
    connection = duckdb.connect()
    connection.register_filesystem(fsspec.filesystem("vshell", workspace=workspace))
    query = "select sum(amount) from read_csv('vshell:///data/*.csv')"
    assert connection.execute(query).fetchall() == [(3,)]
    connection.execute("copy (select 6 * 7 as answer) to 'vshell:///answer.csv'")
    assert workspace.read_text("/answer.csv") == "answer\n42\n"
    connection.close()


@pytest.mark.filterwarnings("ignore:UPath 'vshell' filesystem not explicitly implemented")
def test_upath_walks(workspace: Workspace) -> None:
    upath: Any = pytest.importorskip("upath", reason="needs PyPI universal-pathlib")
    top = upath.UPath("vshell:///data", workspace=workspace)
    (top / "new" / "a.txt").parent.mkdir()
    (top / "new" / "a.txt").write_text("one")
    assert sorted(path.name for path in top.rglob("*.*")) == ["a.txt", "table.csv"]
    assert workspace.read_text("/data/new/a.txt") == "one"


@pytest.mark.filterwarnings("ignore:UPath 'vshell' filesystem not explicitly implemented")
def test_the_example_reads_with_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "duckdb", "upath"):
        pytest.importorskip(name, reason=f"needs PyPI {name}")
    monkeypatch.chdir(tmp_path)
    with Workspace.open("agent.db") as workspace:
        workspace.write("/data/table.csv", "a,b\n1,2\n")
        names = run_example("fsspec", workspace=workspace)
    assert names["frame"].to_dict("records") == [{"a": 1, "b": 2}]
    assert (names["total"], names["text"]) == ([(2,)], "a,b\n1,2\n")

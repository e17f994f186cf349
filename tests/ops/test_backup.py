"""A backup is the whole workspace, as it was at one moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ops.packed_trees import fill, shown
from vshell.errors import (
    ExistsError,
    ReadOnlyError,
)
from vshell.workspace import Workspace

# Backups.


def test_a_backup_is_a_workspace_with_everything(ws: Workspace, tmp_path: Path) -> None:
    fill(ws)
    ws.snapshot("then")
    ws.write("/later", "later")
    ws.backup(tmp_path / "copy.db")
    with Workspace.open(tmp_path / "copy.db", create=False) as copy:
        assert shown(copy) == shown(ws)
        assert copy.files.revision() == ws.files.revision()
        assert [snapshot.name for snapshot in copy.snapshots()] == ["then"]


def test_a_backup_does_not_replace_a_file(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(ExistsError):
        ws.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_backup_has_nothing_of_an_open_transaction(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ReadOnlyError), ws.transaction():
        ws.backup(tmp_path / "copy.db")
    assert os.listdir(tmp_path) == []

"""A workspace and a shell for each test; the worker behind them is used again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.shell.shell import Shell


@pytest.fixture(scope="package")
def shared() -> Iterator[Workspace]:
    """One workspace for many tests, so that few workers are started."""
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def workspace(shared: Workspace) -> Workspace:
    """The shared workspace, emptied."""
    for entry in shared.ls("/").entries:
        shared.rm(entry.path, recursive=True, force=True)
    return shared


@pytest.fixture
def shell(workspace: Workspace) -> Iterator[Shell]:
    with workspace.shell() as shell:
        yield shell

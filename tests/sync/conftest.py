"""A workspace and a directory beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mirror"

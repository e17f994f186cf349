"""A workspace under universal_pathlib's own tests; copied into its unpacked source to run.

It belongs beside `upath/tests/implementations/test_memory.py`, whose pattern it follows.
"""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest
from upath import UPath
from upath.tests.cases import BaseTests
from upath.tests.utils import OverrideMeta, overrides_base


class TestVshellPath(BaseTests, metaclass=OverrideMeta):  # type: ignore[misc, metaclass]
    """The suite."""

    @pytest.fixture(autouse=True)
    def path(self, local_testdir: str, tmp_path: Path) -> None:
        options = {"workspace": str(tmp_path / "workspace.db")}
        fsspec.filesystem("vshell", **options).put(local_testdir, "/testdir", recursive=True)
        self.path = UPath("vshell:///testdir", **options)

    @overrides_base  # type: ignore[untyped-decorator]
    def test_is_correct_class(self) -> None:
        assert isinstance(self.path, UPath)
        assert self.path.protocol == "vshell"

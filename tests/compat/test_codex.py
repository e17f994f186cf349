"""A part of what `python -m tests.compat codex` runs, where Codex' program is installed."""

from __future__ import annotations

import pytest

from tests.compat import codex, programs


@pytest.mark.slow
def test_patches_leave_the_files_that_codex_leaves() -> None:
    binary = programs.codex_binary()
    if binary is None:
        pytest.skip("npm @openai/codex is not installed: python -m tests.compat codex")
    different = [
        case.number for case in codex.cases(40) if codex.expected(case, binary) != codex.found(case)
    ]
    assert not different


def test_a_patch_that_fails_half_way_changes_nothing_unless_asked() -> None:
    patch = (
        "*** Begin Patch\n*** Add File: new\n+x\n*** Update File: a.txt\n@@\n-absent\n+y\n"
        "*** End Patch"
    )
    files = {"a.txt": b"a\n"}
    case = codex.Case(0, files, patch)
    assert codex.found(case, atomic=True) == (False, files)
    assert codex.found(case, atomic=False) == (False, files | {"new": b"x\n"})

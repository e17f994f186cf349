from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.shell.versions import version_key

names = st.text("ab1.09~-_A", min_size=1, max_size=8)


@pytest.mark.skipif(shutil.which("sort") is None, reason="GNU sort is not installed")
@given(st.sets(names, min_size=2, max_size=60))
def test_names_come_in_the_order_of_sort_v(found: set[str]) -> None:
    given_names = "\n".join(sorted(found)).encode()
    ran = subprocess.run(
        ["sort", "-V"], input=given_names, capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    assert ran.stdout.split() == sorted(given_names.split(), key=version_key)

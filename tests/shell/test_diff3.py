"""`diff3` and `sdiff`: what they say is what the real ones say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shell.differential import check, real_tool, run_ours
from tests.shell.run_command import ENVIRONMENT

MODES = ["", "-m", "-e", "-E", "-A", "-3", "-x", "-X", "-me", "-T", "-ei", "-mE", "-mX", "-m3"]
LINES = st.lists(st.sampled_from(["a", "b", "c", "", ".x", "d"]), max_size=8)


def _text(lines: list[str], *, ended: bool) -> bytes:
    text = "".join(f"{line}\n" for line in lines)
    return (text if ended else text.removesuffix("\n")).encode()


def _edited(base: list[str], edits: list[tuple[int, str | None]]) -> list[str]:
    """Return lines with some replaced, and some gone or doubled (None)."""
    lines = list(base)
    for place, line in edits:
        at = place % (len(lines) + 1)
        lines[at : at + 1] = (
            [] if line is None else [line] if place % 2 else [line, *lines[at:][:1]]
        )
    return lines


EDITS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["p", "q", ".", "", None])), max_size=3
)


def same(tmp_path: Path, words: list[str], files: Mapping[str, bytes]) -> None:
    real_tool(words[0])
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        words, cwd=tmp_path, env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"}, capture_output=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert run_ours(words, b"", files)[:3] == (done.returncode, done.stdout, done.stderr)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, EDITS, EDITS, st.booleans(), st.sampled_from(MODES))
def test_three_files_differ_and_merge_as_in_the_real_one(
    tmp_path: Path,
    base: list[str],
    mine: list[tuple[int, str | None]],
    yours: list[tuple[int, str | None]],
    ended: bool,
    mode: str,
) -> None:
    files = {
        "mine": _text(_edited(base, mine), ended=ended),
        "old": _text(base, ended=True),
        "yours": _text(_edited(base, yours), ended=True),
    }
    same(tmp_path, ["diff3", *mode.split(), "mine", "old", "yours"], files)


FILES = {"a": b"x\ny\nsame\n\tz\n", "b": b"x\nY \nsame\n", "c": b"x\nsame\nnew\n", "bin": b"\0"}


@pytest.mark.parametrize(
    "line",
    [
        "diff3",
        "diff3 a b",
        "diff3 a b c a",
        "diff3 a b nope",
        "diff3 -m -e -A a b c",
        "diff3 -mi a b c",
        "diff3 -L x a b c",
        "diff3 -m -L x -L y -L z a b c",
        "diff3 -L 1 -L 2 -L 3 -L 4 -m a b c",
        "diff3 --merge --label=x a b c",
        "sdiff",
        "sdiff a",
        "sdiff a b c",
        "sdiff a b",
        "sdiff a a",
        "sdiff -s a c",
        "sdiff -lw 40 a c",
        "sdiff -bi a b",
        "sdiff -tw 30 a b",
        "sdiff -I same a c",
        "sdiff a nope",
    ],
)
def test_lines_do_the_same(tmp_path: Path, line: str) -> None:
    check(tmp_path, line.split(), files=FILES)

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.repl.output import Output, counted, printable, readable_size
from vshell.repl.render import permissions, readable_time


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (1 << 60, "1048576.0 TiB")],
)  # fmt: skip
def test_a_size_is_shown_in_the_largest_fitting_unit(size: int, shown: str) -> None:
    assert readable_size(size) == shown


@pytest.mark.parametrize(
    ("mode", "shown"),
    [(0o755, "rwxr-xr-x"), (0o4755, "rwsr-xr-x"), (0o2644, "rw-r-Sr--"), (0o1777, "rwxrwxrwt"), (0, "---------")],
)  # fmt: skip
def test_permissions_are_shown_as_ls_shows_them(mode: int, shown: str) -> None:
    assert permissions(mode) == shown


@pytest.mark.parametrize("time_ns", [0, -1, 2**63 - 1, -(2**63)])
def test_any_time_that_can_be_stored_can_be_shown(time_ns: int) -> None:
    assert readable_time(time_ns)


def test_one_thing_has_a_singular() -> None:
    assert [counted(n, "entry", "entries") for n in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]  # fmt: skip


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    shown = printable(text)
    assert not [c for c in shown if (ord(c) < 32 or 127 <= ord(c) < 160) and c not in "\n\t"]


@given(st.text(st.characters(blacklist_categories=["Cc"])))
def test_text_without_control_characters_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.lists(st.binary(max_size=200_000), max_size=4))
def test_what_is_written_in_pieces_comes_out_whole(pieces: list[bytes]) -> None:
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written)):
        output = Output()
        for piece in pieces:
            output.data(piece)
        output.flush()
        assert written.getvalue() == b"".join(pieces)


class Narrow:
    """A stream that takes little at once, as an unbuffered one may."""

    def __init__(self) -> None:
        self.buffer = self
        self.taken = b""

    def write(self, data: memoryview) -> int:
        self.taken += data[:1000]
        return min(1000, len(data))

    def flush(self) -> None:
        """There is nothing to do."""


def test_a_stream_that_takes_little_at_once_gets_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrow = Narrow()
    monkeypatch.setattr(sys, "stdout", narrow)
    output = Output()
    output.data(b"x" * 100_000)
    output.flush()
    assert narrow.taken == b"x" * 100_000

"""What a container says about its files: read as it was meant, and nothing else believed."""

from __future__ import annotations

import pytest

from vshell.errors import CorruptError
from vshell.sync import container_listing
from vshell.sync.container_listing import CLOCK, clock_ns, entry_of, in_tree_order, told
from vshell.sync.target import FILE, SYMLINK

_DATES = b"2026-11-27 21:38:55.565317995 +0000 2026-11-27 21:38:56.000000001 +0000"


def line(name: bytes, mode: bytes = b"81a4") -> bytes:
    return mode + b" 3 1795815535 1795815536 7 " + _DATES + b" " + name + b"\n"


def test_lines_are_told_apart_by_names_that_are_known() -> None:
    names = [b"./a", b"./gone", b"./b\n81a4 1 2 3 4", b"./c ."]
    found = list(told(names, line(names[0]) + line(names[2], b"a1ff") + line(names[3])))
    entries = [entry_of(record, 0) for record in found]
    assert [entry.path for entry in entries] == ["a", "b\n81a4 1 2 3 4", "c ."]
    assert [entry.kind for entry in entries] == [FILE, SYMLINK, FILE]
    assert entries[0].mtime_ns == 1_795_815_535_565_317_995
    assert entries[0].ctime_ns == 1_795_815_536_000_000_001


@pytest.mark.parametrize("lines", [line(b"./x"), line(b"./a") * 2, b"nothing like it\n"])
def test_what_nobody_asked_about_is_refused(lines: bytes) -> None:
    with pytest.raises(CorruptError, match="nobody asked"):
        list(told([b"./a"], lines))


@pytest.mark.parametrize("name", [b"./a/../b", b"/a", b"./a//b", b"./..", b"./a/", b"./."])
def test_impossible_names_are_refused(name: bytes) -> None:
    with pytest.raises(CorruptError):
        entry_of(b"f 644 1 1.5 1.5 1 " + name, 0)


def test_more_than_fits_in_memory_is_sorted_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_listing, "_TOGETHER", 3)
    names = [b"./b", b"./a/c", b"./a-b", b"./a", b"./\xff", b"./a\nb", b"./a/b c", b"./c"]
    records = [b"f 644 1 1.0 1.0 1 " + name for name in names]
    found = [record.split(b" ", 6)[-1] for record in in_tree_order(iter(records))]
    assert found == sorted(names, key=lambda name: name.replace(b"/", b"\0"))


def test_times_without_fractions_are_certain_only_after_seconds() -> None:
    now_ns = clock_ns(b"f 644 0 100.0 100.0 1 " + CLOCK.encode())
    assert entry_of(b"f 644 1 99.0 99.0 1 ./f", now_ns).racy
    assert not entry_of(b"f 644 1 99.5 99.5 1 ./f", now_ns).racy

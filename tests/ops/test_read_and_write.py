"""Reading by lines and bytes, writing, appending, and how lists of one directory look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell import Workspace
from vshell.errors import (
    BinaryFileError,
    DecodeError,
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    RangeError,
)


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def test_reading_tells_what_there_is_to_know(ws: Workspace) -> None:
    version = ws.write("/a", "\ufeffone\r\ntwo\r\n").version
    found = ws.read("/a")
    assert (found.text, found.start_line, found.end_line) == ("one\r\ntwo\r\n", 1, 2)
    assert (found.total_lines, found.total_bytes, found.version) == (2, 13, version)
    assert (found.encoding, found.newline, found.bom) == ("utf-8", "crlf", True)
    assert (found.next_line, found.next_byte, found.truncated_by) == (None, None, None)
    assert found.hash == ws.stat("/a").hash == ws.hash("/a")


def test_a_window_of_lines_says_how_to_go_on(ws: Workspace) -> None:
    ws.write("/a", "1\n2\n3\n4\n5")
    found = ws.read("/a", start_line=2, max_lines=2)
    assert (found.text, found.end_line, found.truncated_by) == ("2\n3\n", 3, "lines")
    assert (found.next_line, found.next_byte) == (4, 6)
    assert ws.read("/a", start_line=4).text == "4\n5"


def test_a_window_of_bytes_ends_with_a_whole_line(ws: Workspace) -> None:
    ws.write("/a", "aaa\nbbb\nccc\n")
    found = ws.read("/a", max_bytes=9)
    assert (found.text, found.truncated_by, found.next_line) == ("aaa\nbbb\n", "bytes", 3)


def test_a_line_that_is_too_long_is_cut_between_characters(ws: Workspace) -> None:
    ws.write("/a", "é" * 10 + "\nnext\n")
    found = ws.read("/a", max_bytes=5)
    assert (found.text, found.next_byte, found.next_line) == ("éé", 4, 2)
    assert ws.read_bytes("/a", offset=4, length=2).decode() == "é"


@given(st.text(alphabet="ab\né\r", max_size=60), st.integers(1, 5), st.integers(4, 20))
def test_windows_put_together_are_the_file(text: str, lines: int, size: int) -> None:
    with Workspace.memory() as ws:
        ws.write("/a", text)
        parts, line, byte = [], 1, 0
        while True:
            found = ws.read("/a", start_line=line, max_lines=lines, max_bytes=size)
            parts.append(found.text)
            byte += len(found.text.encode())
            if found.next_byte is None:
                break
            assert found.next_byte == byte
            if not found.text.endswith("\n"):  # a line that did not fit
                end = text.encode().find(b"\n", byte)
                rest = ws.read_bytes("/a", offset=byte, length=None if end < 0 else end + 1 - byte)
                parts.append(rest.decode())
                byte += len(rest)
            if found.next_line is None:
                break
            line = found.next_line
        assert "".join(parts) == text


@pytest.mark.parametrize("line", [4, 99])
def test_a_line_beyond_the_end_is_out_of_range(ws: Workspace, line: int) -> None:
    ws.write("/a", "1\n2\n3\n")
    with pytest.raises(RangeError, match="has 3 lines"):
        ws.read("/a", start_line=line)


@pytest.mark.parametrize("option", ["start_line", "max_lines", "max_bytes"])
def test_a_limit_below_one_is_out_of_range(ws: Workspace, option: str) -> None:
    ws.write("/a", "1")
    with pytest.raises(RangeError, match=option):
        ws.read("/a", **{option: 0})


def test_an_empty_file_has_no_lines(ws: Workspace) -> None:
    ws.write("/a", "")
    found = ws.read("/a")
    assert (found.text, found.total_lines, found.end_line, found.newline) == ("", 0, 0, "none")


def test_a_binary_file_is_named_as_such(ws: Workspace) -> None:
    ws.write("/a", b"\0\1")
    with pytest.raises(BinaryFileError) as caught:
        ws.read("/a")
    assert caught.value.hint is not None
    assert "read_bytes" in caught.value.hint
    assert ws.read_bytes("/a") == b"\0\1"


def test_bytes_that_are_no_utf8_are_shown_and_said(ws: Workspace) -> None:
    ws.write("/a", b"caf\xe9\n")
    assert (ws.read("/a").text, ws.read("/a").encoding) == ("caf\ufffd\n", "unknown")
    with pytest.raises(DecodeError, match="byte 3"):
        ws.read_text("/a")
    assert ws.read_text("/a", errors="replace") == "caf\ufffd\n"


def test_utf16_is_read_as_text(ws: Workspace) -> None:
    ws.write("/a", "\ufeffzwölf\n".encode("utf-16-le"))
    assert (ws.read("/a").text, ws.read("/a").encoding) == ("zwölf\n", "utf-16-le")


def test_a_write_says_what_it_did_and_has_a_patch(ws: Workspace) -> None:
    first = ws.write("/d/a", "one\n")
    second = ws.write("/d/a", "two\n")
    assert (first.created, second.created) == (True, False)
    assert (first.old_hash, second.old_hash) == (None, first.hash)
    assert "-one\n+two\n" in second.patch
    assert "new file mode" in first.patch
    assert "patch" not in second.as_dict()


def test_an_existing_file_is_kept_when_asked_for(ws: Workspace) -> None:
    ws.write("/a", "1")
    with pytest.raises(ExistsError):
        ws.write("/a", "2", exist_ok=False)
    with pytest.raises(NotFoundError):
        ws.write("/no/a", "1", parents=False)
    assert ws.read_text("/a") == "1"


def test_appending_never_encodes_again_what_is_there(ws: Workspace) -> None:
    ws.write("/a", b"\xff")
    ws.append("/a", "é")
    ws.append("/new/b", b"made")
    assert ws.read_bytes("/a") == b"\xff\xc3\xa9"
    assert ws.read_text("/new/b") == "made"


def test_a_directory_is_listed_in_pages(ws: Workspace) -> None:
    for name in ("b", "a", "é", "A"):
        ws.write(f"/d/{name}", name)
    ws.symlink("a", "/d/link")
    found = ws.ls("/d", limit=3)
    assert [entry.name for entry in found.entries] == ["A", "a", "b"]
    assert (found.total, found.truncated, found.next_offset) == (5, True, 3)
    rest = ws.ls("/d", offset=3)
    assert [(entry.name, entry.kind, entry.target) for entry in rest.entries] == [
        ("link", "symlink", "a"),
        ("é", "file", None),
    ]
    with pytest.raises(NotDirectoryError):
        ws.ls("/d/a")
    with pytest.raises(RangeError):
        ws.ls("/d", limit=0)


def test_copies_and_moves_go_exactly_where_they_are_sent(ws: Workspace) -> None:
    ws.write("/d/a", "1")
    ws.chmod("/d/a", 0o700)
    ws.cp("/d", "/copy", recursive=True)
    assert ws.stat("/copy/a").mode == 0o700
    with pytest.raises(IsDirectoryError):
        ws.cp("/d", "/other")
    with pytest.raises(IsDirectoryError):
        ws.mv("/d/a", "/copy")
    ws.write("/d/b", "2")
    ws.write("/copy/own", "3")
    ws.cp("/d", "/copy", recursive=True)
    assert [entry.name for entry in ws.ls("/copy").entries] == ["a", "b", "own"]
    with pytest.raises(ExistsError):
        ws.cp("/d", "/copy", recursive=True, overwrite=False)
    ws.cp("/d/a", "/d/a")
    ws.mv("/d/a", "/d/a")
    assert ws.read_text("/d/a") == "1"


def test_removing_needs_to_be_told_about_what_is_in_a_directory(ws: Workspace) -> None:
    ws.write("/d/a", "1")
    with pytest.raises(OSError, match="not empty"):
        ws.rm("/d")
    ws.rm("/d", recursive=True)
    with pytest.raises(NotFoundError):
        ws.rm("/d")
    ws.rm("/d", force=True)
    with pytest.raises(PermissionError):
        ws.rm("/", recursive=True, force=True)


def test_metadata_is_set_and_told(ws: Workspace) -> None:
    ws.write("/a", "12345")
    ws.link("/a", "/b")
    ws.symlink("a", "/l")
    ws.utime("/a", mtime_ns=7)
    ws.chmod("/l", 0o600)
    assert (ws.stat("/b").mtime_ns, ws.stat("/b").mode, ws.stat("/b").nlink) == (7, 0o600, 2)
    assert (ws.lstat("/l").kind, ws.readlink("/l"), ws.realpath("/l")) == ("symlink", "a", "/a")
    assert ws.truncate("/a", 2).bytes == 2
    assert ws.hash("/a", algorithm="md5") == "c20ad4d76fe97759aa27a0c99bff6710"
    with pytest.raises(RangeError):
        ws.hash("/a", algorithm="crc")
    assert not ws.exists("/x\0")
    assert not ws.exists("/nowhere/at/all")

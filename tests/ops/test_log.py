"""The last revisions, whole, with their patches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.errors import RangeError


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def test_the_newest_revision_comes_first_with_who_did_what(ws: Workspace) -> None:
    ws.write("/a", "one\n")
    with ws.session("ada").transaction():
        ws.session("ada").write("/a", "two\n")
        ws.session("ada").mkdir("/d")
    newest, oldest = ws.log().entries
    assert (newest.session, newest.operations) == ("ada", ("write", "mkdir"))
    assert [change.path for change in newest.changes] == ["/a", "/d"]
    assert (oldest.revision, oldest.session) == (newest.revision - 1, "")


def test_each_revision_has_its_patch(ws: Workspace) -> None:
    ws.write("/a", "one\n")
    ws.write("/a", "two\n")
    patches = [entry.patch for entry in ws.log().entries]
    assert "-one\n+two\n" in patches[0]
    assert "+one\n" in patches[1]
    assert "patch" not in ws.log().as_dict()["entries"][0]


def test_a_revision_whose_past_is_not_kept_has_no_patch(ws: Workspace) -> None:
    ws.write("/a", "one\n")
    ws.write("/a", "two\n")
    entry = ws.log(n=1).entries[0]
    ws.write("/b", "")
    ws.gc(keep_revisions=1)
    assert entry.patch == ""


def test_a_long_history_is_told_from_its_end(ws: Workspace) -> None:
    for number in range(1100):
        ws.write("/a", str(number))
    ws.write("/b", "")
    found = ws.log("/a", n=2)
    assert [entry.revision for entry in found.entries] == [1100, 1099]
    assert found.truncated
    assert not ws.log("/b").truncated


def test_less_than_one_revision_is_refused(ws: Workspace) -> None:
    with pytest.raises(RangeError):
        ws.log(n=0)

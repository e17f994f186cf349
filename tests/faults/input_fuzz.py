"""Hostile input: patches, archives, globs, patterns, JSON queries, edits, and batches.

Each case takes good inputs of one sort and spoils one by chance: cut, repeated, with parts
of others, with bytes flipped or with what people try. It is given to a workspace, inside
and outside of scripts. The answer is a result or an error of ours, soon; a refusal leaves
the tree as it was, and `check` finds nothing.
"""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from tests.faults.batches import described, leaks, run_cases
from tests.faults.findings import Findings
from tests.faults.kept import NOW_NS
from tests.fs.workspaces import snapshot
from vshell.errors import VshellError
from vshell.workspace import Workspace

LONGEST_S: Final = 15.0
"""Patterns have a deadline of their own, of ten seconds; nothing else takes long."""

_TEXT: Final = "".join(f"line {number} of the text, TODO {number % 7}\n" for number in range(60))
_JSON: Final = '{"a": {"b": [1, 2.5, "x", null, {"c": true}]}, "list": [{"id": 1}, {"id": 2}]}'

Bytes = bytes | bytearray
Work = Callable[[Workspace, bytes, Path], object]


def _fill(workspace: Workspace) -> None:
    with workspace.transaction():
        workspace.write("/text", _TEXT)
        workspace.write("/d/json", _JSON)
        workspace.write("/d/e/other", _TEXT[:300] + "no newline")
        workspace.symlink("text", "/link")
        workspace.write("/bytes", bytes(range(256)) * 3)


# What is spoiled.


@cache
def _patches() -> list[bytes]:
    with Workspace.memory() as workspace:
        _fill(workspace)
        first = workspace.diff_text("/text", _TEXT.replace("line 3 ", "row 3 ")).patch
        second = workspace.diff_text("/text", _TEXT[500:] + "more\n").patch
        third = workspace.diff_text("/new/file", "one\ntwo\n").patch
    binary = (
        "diff --git a/bytes b/bytes\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZQzU|<FS000\n\n"
    )
    rename = "diff --git a/text b/moved\nsimilarity index 100%\nrename from text\nrename to moved\n"
    v4a = "*** Begin Patch\n*** Update File: text\n@@\n-line 1 of\n+line one\n*** End Patch\n"
    return [each.encode() for each in (first, second, third, first + third, binary, rename, v4a)]


def _tar(mode: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for name, kind, data in (
            ("dir", tarfile.DIRTYPE, b""),
            ("dir/file", tarfile.REGTYPE, b"text" * 400),
            ("dir/link", tarfile.SYMTYPE, b""),
            ("dir/" + "long" * 40, tarfile.REGTYPE, b"x"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mtime, member.linkname = kind, len(data), 1, "file"
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def _zip(method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in (("dir/file", b"text" * 400), ("top", b"x"), ("dir/caf\u00e9", b"")):
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return made.getvalue()


@cache
def _tars() -> list[bytes]:
    return [_tar("w"), _tar("w:gz"), _tar("w:bz2"), _tar("w:xz"), gzip.compress(b"no tar")]


@cache
def _zips() -> list[bytes]:
    return [_zip(zipfile.ZIP_STORED), _zip(zipfile.ZIP_DEFLATED)]


@cache
def _sqlars() -> list[bytes]:
    with Workspace.memory() as workspace, tempfile.TemporaryDirectory() as directory:
        _fill(workspace)
        made = Path(directory, "made.sqlar")
        workspace.export_archive(made)
        return [made.read_bytes()]


_GLOBS: Final = [b"**/*.{py,h}", b"/d/**/o*r", b"[a-z]*/[!x]?", b"{a,{b,c}}/**", b"*(x|y)", b"/**"]
_PATTERNS: Final = [
    rb"TODO (\d+)$",
    rb"(a+)+$",
    rb"(?i)l[i\p{L}]ne\s+(?P<n>\d+)(?=\s)",
    rb"\b(?:line|row)\b.*?(?<!x)7",
    rb"((a|b)*c)*\1",
]
_QUERIES: Final = [
    b".a.b[0]",
    b".list[*].id",
    b"$..id",
    b".a['b'][-1].c",
    b".list[?(@.id>1)]",
    b".",
]


# What it is given to.


def _glob(workspace: Workspace, data: bytes, _: Path) -> object:
    pattern = _text(data)
    return workspace.glob(pattern), workspace.find("/", name=pattern), workspace.state.glob(pattern)


def _grep(workspace: Workspace, data: bytes, _: Path) -> object:
    pattern = _text(data)
    with_word = len(data) % 2 == 0
    found = workspace.grep(pattern, ignore_case=with_word, multiline=not with_word, timeout_s=2)
    return found, workspace.grep(pattern, literal=True, word=with_word, before=1)


def _query(workspace: Workspace, data: bytes, _: Path) -> object:
    workspace.write("/d/json", _JSON)
    workspace.state.query_json("/d/json", _text(data))
    return workspace.state.update_json(
        "/d/json", [{"op": "set", "path": _text(data), "value": [1]}]
    )


def _read_json(workspace: Workspace, data: bytes, _: Path) -> object:
    workspace.write("/d/spoiled", data)
    return workspace.state.read_json("/d/spoiled")


def _archive(suffix: str) -> Work:
    def work(workspace: Workspace, data: bytes, place: Path) -> object:
        source = place / f"archive.{suffix}"
        source.write_bytes(data)
        return workspace.import_archive(source, "/unpacked")

    return work


SORTS: Final[dict[str, tuple[Callable[[], list[bytes]], Work]]] = {
    "patch": (_patches, lambda workspace, data, _: workspace.patch(data)),
    "reversed patch": (_patches, lambda workspace, data, _: workspace.patch(data, reverse=True)),
    "tar": (_tars, _archive("tar")),
    "tar.gz": (_tars, _archive("tar.gz")),
    "zip": (_zips, _archive("zip")),
    "sqlar": (_sqlars, _archive("sqlar")),
    "glob": (lambda: _GLOBS, _glob),
    "pattern": (lambda: _PATTERNS, _grep),
    "JSON query": (lambda: _QUERIES, _query),
    "JSON": (lambda: [_JSON.encode()], _read_json),
    "edit": (
        lambda: [b"line 3 of the text", b"TODO 1\nline", b"of the"],
        lambda workspace, data, _: workspace.edit(
            "/text", {"old": _text(data), "new": "x", "replace_all": True}, fuzz="strip"
        ),
    ),
}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# Spoiling.

_TRIED: Final = [
    b"../" * 9 + b"etc/passwd",
    b"/",
    b"\0",
    b"\xff\xfe",
    b"\r\n",
    b"(" * 300,
    b"[" * 300,
    b"{" * 60,
    b"{a,b}" * 12,
    b"**/" * 40,
    b"*" * 200,
    b"a" * 3000,
    b"(a*)*" * 6,
    b"{9999999}",
    b"-1",
    b"99999999999999999999",
    b"\xf0\x9f\x92\xa9",
    b"\\",
    b"\n@@ -1,999999999 +1 @@\n",
    b"--- /dev/null\n+++ b/text\n",
    b"]" * 50,
    b"$",
]


def spoiled(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return the same with some of it spoiled."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(made) + 1)
        end = min(len(made), place + chance.choice((1, 4, 40, 400)))
        kind = chance.randrange(7)
        if kind == 0:
            del made[place:end]
        elif kind == 1:
            made[place:place] = made[place:end] * chance.choice((1, 2, 30))
        elif kind == 2 and made:
            made[place % len(made)] ^= 1 << chance.randrange(8)
        elif kind == 3:
            made[place:place] = chance.choice(_TRIED)
        elif kind == 4:
            made[place:end] = chance.choice(_TRIED)
        elif kind == 5:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            made[place:place] = other[start : start + chance.choice((5, 50, 5000))]
        else:
            del made[place:]
    return bytes(made[:200_000])


def case(place: Path, name: str, announce: Callable[[str], None]) -> tuple[str, list[str]]:
    """Give one spoiled input to a workspace."""
    chance = random.Random(name)
    sort = chance.choice(list(SORTS))
    announce(sort)
    inputs, work = SORTS[sort]
    data = spoiled(chance.choice(inputs()), inputs(), chance)
    failures: list[str] = []
    with Workspace.open(
        place / "agent.db", now=lambda: NOW_NS, quota_bytes=50_000_000
    ) as workspace:
        _fill(workspace)
        before = snapshot(workspace.files)
        began_s = time.monotonic()
        try:
            work(workspace, data, place)
            what = "taken"
        except VshellError as error:
            what = f"refused: {error.code}"
            failures += leaks(error, place / "agent.db")
            if sort not in ("JSON", "JSON query") and snapshot(workspace.files) != before:
                failures.append(f"half of it is there after {error!r}")
        except Exception as error:  # noqa: BLE001 - what is no error of ours is looked for
            what = "failed"
            failures.append(f"{described(sort, error)} for {data[:80]!r}")
        if time.monotonic() - began_s > LONGEST_S:
            failures.append(f"it took {time.monotonic() - began_s:.0f} s for {data[:80]!r}")
        failures += workspace.check().problems
    return what, failures


def run(*, count: int, seed: int = 0) -> Findings:
    """Give so many spoiled inputs to workspaces."""
    return run_cases(case, count=count, seed=seed)

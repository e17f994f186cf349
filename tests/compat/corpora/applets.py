"""The corpora of BusyBox' and Toybox' commands.

Their test files are scripts that make files and call `testing NAME COMMAND OUTPUT INPUT STDIN`.
So the file is run by bash, where it can do no harm, with a `testing` that notes, for each
call, the files that are there, the variables and functions, and whether the host's command
passes. What passed becomes a case by itself.
"""

from __future__ import annotations

import io
import re
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.compat.corpora.case import HOME, Case, Outcome
from tests.compat.corpora.host import by_bash, place, run_confined

_DIRECTLY = re.compile(r'\bbusybox (?=[a-z\["])')
"""What stands before a command that is to be BusyBox' own."""
_OF_MACHINES = frozenset(
    [
        "blkid",
        "chattr",
        "devmem",
        "fstype",
        "getfattr",
        "groupadd",
        "groupdel",
        "hostname",
        "httpd",
        "ifconfig",
        "kill",
        "killall",
        "losetup",
        "lsattr",
        "modinfo",
        "more",
        "mount",
        "nbd-client",
        "netcat",
        "pgrep",
        "pidof",
        "pkill",
        "ps",
        "readelf",
        "renice",
        "setfattr",
        "start-stop-daemon",
        "taskset",
        "top",
        "uptime",
        "useradd",
        "vi",
        "mdev",
        "mkfs.minix",
    ]
)
"""Tests of processes, devices, users, networks and terminals, which a workspace has none of."""
_FILE_TIMEOUT_S = 20.0
_HARNESS = r"""
shopt -s expand_aliases
RECORD=/tmp/record FAILCOUNT=0 SKIP= VERBOSE=all NUMBER=0
FILES=/tmp/files TESTDIR=/tmp/work ECHO=echo bindir=/tmp/no tsdir=/tmp/work
optional() { SKIP=; }
skipnot() { eval "$@" >/dev/null 2>&1 || { SKIP=1; return 1; }; }
toyonly() { SKIP=1; "$@"; SKIP=; }
utf8locale() { export LC_ALL=C.UTF-8; }
verbose_has() { false; }
txpect() { SKIP=; }
testcmd() { testing "${1:-$CMDNAME $2}" "\"$C\" $2" "$3" "$4" "$5"; }
testing() {
  if [ "${SKIP:-0}" != 0 ] || [ $# -ne 5 ]; then
    [ "${SKIP:-0}" -gt 1 ] 2>/dev/null && SKIP=$((SKIP - 1)) || SKIP=
    return 0
  fi
  local here; NUMBER=$((NUMBER + 1)); here=$RECORD/$(printf %04d $NUMBER); mkdir -p $here
  printf %s "${1:-$2}" >$here/name; printf %s "$2" >$here/command; pwd >$here/cwd
  echo -ne "$3" >$here/expected; echo -ne "$4" >$here/input; echo -ne "$5" >$here/stdin
  printf %s "$NOSPACE" >$here/loose
  [ -z "$4" -a -n "$TOYBOX" ] && rm -f input || echo -ne "$4" >input
  tar -C /tmp/work --format=pax -cf $here/tree.tar . 2>/dev/null
  { comm -13 $RECORD/functions <(compgen -A function | sort) |
      while read -r each; do declare -f -- "$each"; done
    comm -13 <(sort $RECORD/names) <(compgen -v | sort -u) | grep -v '^BASH\|^FUNC\|^PIPE\|^here$' |
    while read -r each; do declare -p "$each"; done; } >$here/state 2>/dev/null
  echo -ne "$5" | eval -- "$2" >$here/actual
  echo $? >$here/status
  rm -f input
  return $(cat $here/status)
}
mkdir -p $RECORD; compgen -A function | sort >$RECORD/functions
compgen -v | sort -u >$RECORD/names
"""


def busybox(root: Path) -> Iterator[Case]:
    for folder in sorted(root.rglob("testsuite")):
        if not (folder / "testing.sh").is_file():
            continue
        beside: dict[str, bytes | str | None] = {
            f"{HOME}/{each.name}": each.read_bytes() for each in folder.iterdir() if each.is_file()
        }
        # The harness is in force already.
        beside[f"{HOME}/testing.sh"] = b":\n"
        for file in sorted(folder.glob("*.tests")):
            if file.stem in _OF_MACHINES:
                continue
            yield from _noted("busybox applets", file, _HARNESS, beside)
        for file in sorted(folder.glob("*/*")):
            if file.is_file() and file.parent.name != "mount.testroot":
                case = _old_style(file)
                real = by_bash(case)
                if real is not None and real.exit_code == 0:
                    yield replace(case, expected=real)


def _old_style(file: Path) -> Case:
    """Return a case that is a script which must end well; each of its steps must."""
    text = file.read_text(errors="surrogateescape")
    script = f"d={HOME}/..\nset -e\n{_DIRECTLY.sub('', text)}"
    name = f"{file.parent.name}/{file.name}"
    return Case("busybox applets", name, f"({script}\n) >/dev/null 2>&1", {}, frozenset())


def toybox(root: Path) -> Iterator[Case]:
    for folder in sorted(root.rglob("tests")):
        if not (folder / "skeleton.test").is_file():
            continue
        shared = folder / "files"
        files: dict[str, bytes | str | None] = {
            f"/tmp/files/{each.relative_to(shared)}": each.read_bytes()
            for each in shared.rglob("*")
            if each.is_file()
        }
        for file in sorted(folder.glob("*.test")):
            name = file.stem
            if name in _OF_MACHINES:
                continue
            head = f"{_HARNESS}TOYBOX=1 CMDNAME={name}\nC=$(type -P {name}) || exit 0\n"
            yield from _noted("toybox applets", file, head, files)


def _noted(
    corpus: str, file: Path, head: str, files: dict[str, bytes | str | None]
) -> Iterator[Case]:
    with tempfile.TemporaryDirectory(prefix="corpus", ignore_cleanup_errors=True) as name:
        root = Path(name)
        place(files, frozenset(), root)
        text = _DIRECTLY.sub("", file.read_text(errors="surrogateescape"))
        (root / "script").write_text(head + text,
                                     errors="surrogateescape")  # fmt: skip
        run_confined(["bash", "/tmp/script"], root, timeout_s=_FILE_TIMEOUT_S)
        for record in sorted(root.glob("record/*/")):
            case = _case(corpus, file, record, files)
            if case is not None:
                yield case


def _case(
    corpus: str, file: Path, record: Path, beside: dict[str, bytes | str | None]
) -> Case | None:
    if not (record / "status").is_file():
        return None
    read = {each.name: each.read_bytes() for each in record.iterdir()}
    text = {name: each.decode("utf-8", "surrogateescape") for name, each in read.items()}
    cwd = text["cwd"].strip()
    if not cwd.startswith(HOME):
        return None
    with tarfile.open(fileobj=io.BytesIO(read["tree.tar"])) as archive:
        tree = _tree(archive)
    said = text["command"] + text["state"]
    used = {
        path: each
        for path, each in beside.items()
        if (not path.startswith(HOME) and "FILES" in said)
        or path.rpartition("/")[2] in said
        or path.startswith(f"{HOME}/{file.stem}_")
    }
    for path, content in beside.items():
        if path not in used and tree.files.get(path) == content:
            del tree.files[path]
            del tree.attributes[path]
    case = Case(
        corpus,
        f"{file.name} {record.name}: {text['name']}",
        f"FILES=/tmp/files\n{text['state']}\ncd {cwd}\ncat /tmp/stdin | (\n{_DIRECTLY.sub('', text['command'])}\n)\n",
        {**used, **tree.files, "/tmp/stdin": read["stdin"], "/tmp/script": file.read_bytes()},
        attributes=tree.attributes,
        hard_links=tree.hard_links,
        expected=Outcome(read["expected"], None),
        likeness="words" if text["loose"] else "bytes",
    )
    real = Outcome(read["actual"], None)
    return case if case.expected and case.passes(real, case.expected) else None


@dataclass
class _Tree:
    """What an archive holds, in the form in which a case has it."""

    files: dict[str, bytes | str | None]
    attributes: dict[str, tuple[int, int]]
    hard_links: dict[str, str]


def _tree(archive: tarfile.TarFile) -> _Tree:
    tree = _Tree({}, {}, {})
    for member in archive:
        path = _path(member.name)
        if member.islnk():
            tree.hard_links[path] = _path(member.linkname)
            continue
        if member.issym():
            tree.files[path] = member.linkname
            continue
        if member.isdir():
            tree.files[path] = None
        elif member.isfile():
            content = archive.extractfile(member)
            tree.files[path] = content.read() if content else b""
        else:
            continue
        tree.attributes[path] = member.mode & 0o7777, int(float(member.mtime) * 10**9)
    return tree


def _path(name: str) -> str:
    name = name.removeprefix("./").rstrip("/")
    return HOME if name in ("", ".") else f"{HOME}/{name}"

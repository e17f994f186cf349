"""Every command does what a person expects; the list of examples has each of them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.repl.conftest import Run
from vshell import Workspace
from vshell.repl.commands import commands


class Example(NamedTuple):
    """A call of a command in the workspace of `workspace`, and what it must write."""

    words: str
    out: str | None = ""
    err: str | None = ""
    stdin: bytes = b""
    code: int = 0


PATCH = b"--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n"

EXAMPLES = {
    "append": Example("append /a.txt three", "", "wrote /a.txt: 13 bytes, version 7\n"),
    "apply": Example('apply [{"op":"mkdir","path":"/new"}]'),
    "changes": Example("changes 4", None),
    "check": Example("check", "", "all is well\n"),
    "chmod": Example("chmod /a.txt 600"),
    "compare": Example("compare first", "write       /a.txt\n"),
    "cp": Example("cp /src/app.py /src/copy.py"),
    "delete-snapshot": Example("delete-snapshot first"),
    "demo": Example("demo tree", None),
    "detect": Example("detect /bin", None),
    "diff": Example("diff /a.txt /src/app.py", None),
    "diff-text": Example("diff-text /a.txt", None, stdin=b"other\n"),
    "doctor": Example("doctor", None),
    "edit": Example("edit /a.txt two 2", None),
    "exists": Example("exists /a.txt"),
    "backup": Example("backup backup.db"),
    "export-archive": Example("export-archive out.tar", "", "3 files, 1 directory, 1 link, 24 B\n"),
    "import-archive": Example(
        "import-archive in.tar /in", "", "1 file, 1 directory, 0 links, 5 B\n"
    ),
    "import-git": Example("import-git in.git --destination /in", None, None),
    "export-git": Example("export-git out.git", None, None),
    "export": Example("export out", "", "3 files, 1 directory, 1 link, 24 B\n"),
    "find": Example("find /src --kind file", "/src/app.py\n"),
    "fork": Example("fork copy.db", "", "copied to copy.db\n"),
    "gc": Example("gc", None),
    "glob": Example("glob *.py /src", "/src/app.py\n"),
    "grep": Example("grep t.o", "/a.txt:2:two\n"),
    "hash": Example("hash /a.txt --algorithm md5", "2094b601daac3d68f5aed51d3c20f7cd\n"),
    "history": Example("history /a.txt", None),
    "import": Example("import tree /in", "", "1 file, 1 directory, 0 links, 5 B\n"),
    "index": Example("index", None),
    "keep-history": Example("keep-history --revisions 5", None),
    "link": Example("link /a.txt /b.txt"),
    "log": Example("log", None),
    "ls": Example("ls /src", None),
    "exec": Example("exec image -- true"),
    "jobs": Example("jobs"),
    "lstat": Example("lstat /l", None),
    "merge": Example("merge fork.db", "", "0 paths changed; revision 6\n"),
    "mkdir": Example("mkdir -p /x/y"),
    "mv": Example("mv /a.txt /b.txt"),
    "patch": Example("patch", "modify  /a.txt\n", stdin=PATCH),
    "read": Example("read /a.txt", "one\ntwo\n"),
    "read-bytes": Example("read-bytes /bin --offset 1", "\x01\udcff"),
    "read-text": Example("read-text /a.txt", "one\ntwo\n"),
    "readlink": Example("readlink /l", "a.txt\n"),
    "realpath": Example("realpath /l", "/a.txt\n"),
    "redo": Example("redo", "", "1 path changed; revision 7 has the tree of revision 5\n"),
    "restore": Example("restore first", "", None),
    "rm": Example("rm -r /src"),
    "run": Example("run - --input n=2", "4\n", stdin=b"n + n"),
    "snapshot": Example("snapshot second", "", "snapshot second of revision 6\n"),
    "snapshots": Example("snapshots", None),
    "stat": Example("stat /a.txt", None),
    "symlink": Example("symlink /a.txt /link"),
    "sync": Example("sync tree", None, "5 pushed, 2 pulled\n"),
    "mcp": Example("mcp"),
    "serve": Example("serve"),
    "tools": Example('tools --call Read --arguments {"file_path":"/a.txt"}', "1\tone\n2\ttwo\n"),
    "tree": Example("tree /src", "/src\n└── app.py\n"),
    "truncate": Example("truncate /a.txt 1", "", "wrote /a.txt: 1 byte, version 7\n"),
    "undo": Example("undo", "", None),
    "usage": Example("usage", None),
    "utime": Example("utime /a.txt --mtime-ns 5"),
    "vacuum": Example("vacuum", None),
    "watch": Example("watch --since 3 --timeout-s 0.01", None),
    "write": Example("write /new", "", "created /new: 4 bytes, version 7\n", stdin=b"\0\xff\r\n"),
}

# They write no workspace of ours and take long, serve until they are stopped, or need a
# daemon: tests of their own run them.
ABOUT = {"demo", "doctor", "exec", "mcp", "serve"}
MAKERS = {
    "run",
    "append",
    "apply",
    "import",
    "import-archive",
    "import-git",
    "mkdir",
    "patch",
    "symlink",
    "sync",
    "tools",
    "write",
}


@pytest.fixture
def workspace(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A workspace whose last change was undone, and a directory to import."""
    with Workspace.open(tmp_path / "vshell.db") as made:
        made.write("/a.txt", "1\n2\n")
        made.write("/src/app.py", "print('app')\n")
        with made.transaction():
            made.write("/bin", b"\0\x01\xff")
            made.symlink("a.txt", "/l")
        made.snapshot("first")
        made.write("/a.txt", "one\ntwo\n")
        made.write("/a.txt", "gone\n")
        made.undo()
        if "import-git" in request.node.name:
            made.export_git(tmp_path / "in.git")
        if "merge" in request.node.name:
            made.fork(tmp_path / "fork.db").close()
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "x.md").write_text("word\n")
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(tmp_path / "tree" / "sub", "sub")
    return tmp_path


def test_every_command_has_an_example() -> None:
    assert set(commands()) == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - ABOUT))
def test_a_command_does_its_work_and_says_so(name: str, run: Run, workspace: Path) -> None:
    example = EXAMPLES[name]
    done = run(*example.words.split(), stdin=example.stdin)
    assert done.code == example.code, done.err
    assert example.err is None or done.err == example.err
    if example.out is None:
        assert done.out
    else:
        assert done.text == example.out


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - ABOUT))
def test_a_command_prints_one_value_as_json_when_asked(
    name: str, run: Run, workspace: Path
) -> None:
    example = EXAMPLES[name]
    first, *rest = example.words.split()
    done = run(first, "--json", *rest, stdin=example.stdin)
    assert done.code == example.code, done.err
    assert done.err == ""
    for line in done.out.splitlines() if name == "watch" else [done.out]:
        json.loads(line)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_help_of_a_command_explains_each_argument(name: str, run: Run) -> None:
    done = run(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.text.startswith(f"usage: vshell {name}")
    command = commands()[name]
    for argument in command.arguments():
        if argument.flags and not argument.help:
            continue  # another way to say what is explained
        assert argument.help[:1].isupper() or argument.help[:1] in "-`", argument
        assert argument.help.split()[0] in done.text
        for shown in argument.flags or (argument.metavar or argument.name.upper(),):
            assert shown in done.text


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_unknown_option_of_a_command_is_wrong_usage(name: str, run: Run) -> None:
    done = run(name, "--nonsense")
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("error: no such option: --nonsense\nhint: ")


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - ABOUT - MAKERS))
def test_a_command_that_needs_a_workspace_does_not_make_one(
    name: str, run: Run, tmp_path: Path
) -> None:
    done = run(*EXAMPLES[name].words.split(), stdin=EXAMPLES[name].stdin)
    assert done.code == 1
    assert done.err == (
        "error: the workspace does not exist\n"
        "hint: it would be vshell.db; `write` or `import` make a new one\n"
    )
    assert not list(tmp_path.iterdir())


# Listed by hand: these take nothing that names a path of the host. A hostile argument of
# `import`, `export`, `fork`, `merge` or `demo` would be obeyed, on the machine that runs the tests.
CONTAINED = (
    "append", "apply", "changes", "chmod", "compare", "cp", "delete-snapshot", "detect", "diff",
    "diff-text", "edit", "exists", "find", "gc", "glob", "grep", "hash", "history", "link", "log",
    "ls", "lstat", "mkdir", "mv", "patch", "read", "read-bytes", "read-text", "readlink",
    "realpath", "redo", "restore", "rm", "snapshot", "stat", "symlink", "tree", "truncate",
    "undo", "utime", "write",
)  # fmt: skip

HOSTILE = ("", "/..", "x" * 5000, "-1", "9" * 30, "nan", "\udcff", "\ud800", "(?", "[", "{}", "-")


def test_no_command_that_reaches_the_host_is_given_hostile_arguments() -> None:
    known = commands()
    for name in CONTAINED:
        operation = known[name].operation
        annotations = [each.annotation for each in operation.parameters] if operation else []
        assert not any("Host" in annotation for annotation in annotations), name
    assert not {"import", "export", "fork", "merge", "demo"} & set(CONTAINED)


@pytest.mark.parametrize("name", CONTAINED)
def test_no_argument_is_an_internal_error(name: str, run: Run, workspace: Path) -> None:
    for argument in commands()[name].arguments():
        flag = next((flag for flag in argument.flags if flag.startswith("--")), None)
        if not argument.takes_value or (argument.flags and flag is None):
            continue
        for text in HOSTILE:
            words = (
                [*EXAMPLES[name].words.split(), f"{flag}={text}"] if flag else [name, text, text]
            )
            done = run(*words, stdin=b"{")
            assert done.code in (0, 1, 2, 3), (words, done.err)

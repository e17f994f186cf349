"""Trees of files as values, in a workspace and on the host, and the tools that patch them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from vshell.session import Session


class Leaf(NamedTuple):
    """A file, or a link whose data is its target."""

    data: bytes
    executable: bool = False
    link: bool = False


Tree = dict[str, Leaf]

_NAMES = ("a", "b", "c.txt", "d e", "ü", 'q"t', "a-very-long-name.py")
_LINES = ("", "one", "two", "three", "}", "\tindented", "ends with space ", "ünï", "--- x", "+++ y")

lines = st.lists(st.sampled_from(_LINES), max_size=30)
texts = st.builds(
    lambda found, ended: ("\n".join(found) + ("\n" if ended else "")).encode(),
    lines,
    st.booleans(),
)
files = st.builds(Leaf, texts, st.booleans(), st.just(False))
links = st.sampled_from(("a", "b", "nowhere", "../x y")).map(
    lambda target: Leaf(target.encode(), link=True)
)
leaves = st.one_of(files, files, links)
paths = st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3).map("/".join)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Draw a tree; of two paths of which one is below the other, the first drawn stays."""
    found: Tree = {}
    for path in draw(st.lists(paths, max_size=6, unique=True)):
        _add(found, path, draw(leaves))
    return found


@st.composite
def changed_trees(draw: st.DrawFn) -> tuple[Tree, Tree]:
    """Draw a tree, and what came of it: files edited, moved, removed, made and replaced."""
    old = draw(trees())
    new: Tree = {}
    for path, leaf in old.items():
        fate = draw(st.sampled_from(("keep", "edit", "edit", "move", "remove", "replace", "mode")))
        if fate == "edit" and not leaf.link:
            _add(new, path, leaf._replace(data=draw(_edited(leaf.data))))
        elif fate == "move":
            _add(new, draw(paths), leaf)
        elif fate == "replace":
            _add(new, path, draw(leaves))
        elif fate == "mode" and not leaf.link:
            _add(new, path, leaf._replace(executable=not leaf.executable))
        elif fate != "remove":
            _add(new, path, leaf)
    for path, leaf in draw(trees()).items():
        _add(new, path, leaf)
    return old, new


def _edited(data: bytes) -> st.SearchStrategy[bytes]:
    found = data.decode().split("\n")

    def change(edits: list[tuple[int, str | None]]) -> bytes:
        changed = list(found)
        for at, line in edits:
            if line is None:
                changed[at % len(changed) : at % len(changed) + 1] = []
            else:
                changed.insert(at % (len(changed) + 1), line)
            changed = changed or [""]
        return "\n".join(changed).encode()

    edit = st.tuples(st.integers(0, 40), st.one_of(st.none(), st.sampled_from(_LINES)))
    return st.lists(edit, min_size=1, max_size=4).map(change)


def _add(tree: Tree, path: str, leaf: Leaf) -> None:
    above = {path[:at] for at, character in enumerate(path) if character == "/"}
    blocked = path in tree or above & tree.keys()
    if not blocked and not any(other.startswith(path + "/") for other in tree):
        tree[path] = leaf


def put_tree(session: Session, top: str, tree: Tree) -> None:
    """Make the tree below a directory of a workspace."""
    session.mkdir(top, parents=True, exist_ok=True)
    for path, leaf in tree.items():
        where = f"{top.rstrip('/')}/{path}"
        if leaf.link:
            session.symlink(leaf.data.decode(), where)
        else:
            session.write(where, leaf.data)
            session.chmod(where, 0o755 if leaf.executable else 0o644)


def read_tree(session: Session, top: str) -> Tree:
    """Return what is below a directory of a workspace, but for directories."""
    start = len(top.rstrip("/")) + 1
    found: Tree = {}
    for entry in session.files.walk(top):
        stat = session.lstat(entry.path)
        if stat.kind == "symlink":
            found[entry.path[start:]] = Leaf(session.readlink(entry.path).encode(), link=True)
        elif stat.kind == "file":
            data = session.read_bytes(entry.path)
            found[entry.path[start:]] = Leaf(data, bool(stat.mode & 0o100))
    return found


def put_host_tree(directory: Path, tree: Tree) -> None:
    """Make a directory of the host hold the tree and nothing else."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, leaf in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if leaf.link:
            os.symlink(leaf.data, path)
        else:
            path.write_bytes(leaf.data)
            path.chmod(0o755 if leaf.executable else 0o644)


def read_host_tree(directory: Path) -> Tree:
    """Return what is below a directory of the host, but for directories."""
    found: Tree = {}
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            found[name] = Leaf(os.fsencode(path.readlink()), link=True)
        elif path.is_file():
            found[name] = Leaf(path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


def git_apply(directory: Path, patch: str, *options: str) -> None:
    """Apply a patch with git, outside of any repository."""
    _run(["git", "apply", "--whitespace=nowarn", *options], directory, patch)


def gnu_patch(directory: Path, patch: str, *options: str) -> None:
    """Apply a patch with GNU patch."""
    arguments = ["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", *options]
    _run(arguments, directory, patch)


def _run(arguments: list[str], directory: Path, patch: str) -> None:
    environment = {
        **os.environ,
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        arguments,
        cwd=directory,
        input=patch.encode("utf-8", "surrogateescape"),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode() + patch

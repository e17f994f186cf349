from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repl.conftest import Run
from vshell.repl.demo_compare import compare_trees

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    return made


def state(tree: Path) -> list[tuple[str, int, int, bytes]]:
    """Return all that can be seen of a tree, times included."""
    return sorted(_state(tree))


def _state(tree: Path) -> Iterator[tuple[str, int, int, bytes]]:
    for path in [tree, *tree.rglob("*")]:
        found = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        yield str(path), found.st_mode, found.st_mtime_ns, data


def fill_with_binaries(tree: Path) -> None:
    for number in range(3):
        (tree / f"{number}.bin").write_bytes(bytes(range(256)) * 4)


def fill_without_python(tree: Path) -> None:
    (tree / "notes.txt").write_text("Some words are here.\n" * 20)
    (tree / "empty").write_text("")


def fill_with_oddities(tree: Path) -> None:
    (tree / "vshell-demo").mkdir()
    (tree / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"caf\xe9\n" * 50)
    (tree / "two\nlines").write_text("x\n" * 200)
    (tree / "digits.txt").write_text("--12 34\n" * 40)
    os.link(tree / "digits.txt", tree / "another-name.txt")
    (tree / "only-digits.txt").write_text("--12 34\n" * 40)
    (tree / "nowhere").symlink_to("gone")
    (tree / "loop").symlink_to(".")
    os.mkfifo(tree / "fifo")
    (tree / ".gitignore").write_text("*.o\nbuild/\n")
    (tree / "a.o").write_text("")
    (tree / "build").mkdir()
    (tree / "build/b").write_text("")
    (tree / "run.sh").write_text("true\n" * 60)
    (tree / "run.sh").chmod(0o755)


def fill_with_nothing(tree: Path) -> None:
    """An empty directory."""


@pytest.mark.parametrize(
    "fill", [fill_with_nothing, fill_with_binaries, fill_without_python, fill_with_oddities]
)
def test_the_demo_works_on_any_tree_and_leaves_it_as_it_was(
    fill: object, run: Run, tree: Path
) -> None:
    assert callable(fill)
    fill(tree)
    before = state(tree)
    done = run("demo", str(tree), "--json")
    assert [step for step in done.json if step["exit_code"]] == []
    assert (done.code, len(done.json)) == (0, 18)
    assert state(tree) == before


def test_the_demo_works_on_the_project_itself(run: Run) -> None:
    done = run("demo", str(ROOT / "repl"))
    assert done.code == 0, done.text
    assert "$ vshell grep" in done.text
    assert done.text.endswith("the tree was only read.\n")


def test_the_demo_takes_the_current_directory_when_none_is_named(
    run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_without_python(tree)
    monkeypatch.chdir(tree)
    assert "/notes.txt" in run("demo").text


def test_what_the_demo_made_is_kept_when_asked(run: Run, tree: Path, tmp_path: Path) -> None:
    fill_without_python(tree)
    assert run("demo", str(tree), "--keep", "kept").code == 0
    assert (tmp_path / "kept/export/notes.txt").is_file()
    assert run("-w", "kept/demo.db", "exists", "/vshell-demo/NOTES.md").code == 0


@pytest.mark.parametrize("place", ["tree", "tree/sub", "full"])
def test_the_demo_refuses_to_write_where_something_is(
    place: str, run: Run, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("x")
    before = state(tmp_path)
    assert run("demo", str(tree), "--keep", place).code == 2
    assert state(tmp_path) == before


def test_a_directory_that_is_not_there_is_wrong_usage(run: Run) -> None:
    done = run("demo", "nowhere")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: no such directory: nowhere")


def test_a_failed_step_ends_the_demo_and_is_its_exit_code(
    run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*_: object, **__: object) -> object:
        real = compare_trees(tree, tree, added="", changed="")
        return real._replace(differences=["a: content"])

    monkeypatch.setattr("vshell.repl.demo.compare_trees", differ)
    done = run("demo", str(tree))
    assert done.code == 1
    assert done.text.endswith("failed: compare " + str(tree) + " with the export\n")


def test_the_comparison_finds_every_difference(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for place in (tree, other):
        (place / "same").mkdir()
        (place / "same/file").write_text("same")
        for name in ("content", "mode", "changed", "unchanged"):
            (place / name).write_text("same")
        (place / "target").symlink_to("same" if place == tree else "other")
    (other / "content").write_text("diff")
    (other / "changed").write_text("diff")
    (other / "mode").chmod(0o600)
    (tree / "kind").mkdir()
    (other / "kind").write_text("")
    (tree / "gone").mkdir()
    (tree / "gone/below").write_text("")
    (other / "new").write_text("")
    (other / "added").mkdir()
    found = compare_trees(tree, other, added="added", changed="changed")
    assert found == (
        4,
        1,
        ["content: content", "kind: kind", "mode: mode", "new: only in the export", "target: target"],
    )  # fmt: skip
    unchanged = compare_trees(tree, tree, added="", changed="unchanged")
    assert unchanged.differences == ["unchanged: the change is missing"]

"""`vshell sync`: what it does, what it says, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repl.conftest import Run
from vshell import Workspace

DATABASE = "vshell.db"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    place.mkdir()
    (place / "a.txt").write_text("one\n")
    return place


def write(path: str, text: str) -> None:
    with Workspace.open(DATABASE) as workspace:
        workspace.write(path, text)


def clash(run: Run, checkout: Path) -> None:
    run("sync", "checkout")
    write("/a.txt", "mine\n")
    (checkout / "a.txt").write_text("theirs\n")


def test_it_says_what_came_and_went(run: Run, checkout: Path) -> None:
    write("/b/c.txt", "two\n")
    done = run("sync", "checkout")
    assert done.code == 0
    assert done.text == "-> create      /b/\n-> create      /b/c.txt\n<- create      /a.txt\n"
    assert done.err == "2 pushed, 1 pulled\n"
    assert run("sync", "checkout").err == "0 pushed, 0 pulled\n"


def test_a_dry_run_changes_nothing(run: Run, checkout: Path) -> None:
    done = run("sync", "checkout", "--dry-run")
    assert done.text == "<- create      /a.txt\n"
    assert done.err == "0 would be pushed, 1 pulled\n"
    assert run("exists", "/a.txt").code == 1


def test_push_and_pull_go_one_way(run: Run, checkout: Path) -> None:
    write("/b.txt", "two\n")
    assert run("sync", "checkout", "push").text == "-> create      /b.txt\n"
    assert run("sync", "checkout", "pull").text == "<- create      /a.txt\n"


def test_a_conflict_is_exit_code_3_until_it_is_resolved(run: Run, checkout: Path) -> None:
    clash(run, checkout)
    done = run("sync", "checkout")
    assert done.code == 3
    assert "conflict (content, open): /a.txt\n" in done.text
    assert run("sync", "checkout", "status").code == 3
    listed = run("sync", "checkout", "conflicts")
    assert (listed.code, listed.text) == (3, "conflict (content, open): /a.txt\n")
    shown = run("sync", "checkout", "diff", "/a.txt").text
    assert "<<<<<<< workspace\nmine\n||||||| base\none\n=======\ntheirs\n" in shown
    assert run("sync", "checkout", "resolve", "/a.txt", "--take", "mirror").code == 0
    assert run("sync", "checkout").code == 0
    assert (checkout / "a.txt").read_text() == "theirs\n"
    assert run("sync", "checkout", "status").code == 0


def test_the_policy_is_an_option(run: Run, checkout: Path) -> None:
    clash(run, checkout)
    done = run("sync", "checkout", "--policy", "fail")
    assert done.code == 3
    assert done.err.startswith("error: both sides changed 1 path, at first /a.txt")
    assert run("sync", "checkout", "--policy", "container-wins").code == 0
    assert run("read-text", "/a.txt").text == "theirs\n"


def test_patterns_are_options(run: Run, checkout: Path) -> None:
    (checkout / "x.log").write_text("x")
    (checkout / "out").mkdir()
    done = run("sync", "checkout", "--ignore", "*.log", "--cache", "out/")
    assert done.text == "<- create      /a.txt\n"


def test_status_and_diff_are_data(run: Run, checkout: Path) -> None:
    status = run("sync", "checkout", "status", "--json").json
    assert (status["is_new"], status["pending"]["pulled_total"]) == (True, 1)
    diff = run("sync", "checkout", "diff", "--json").json
    assert [(one["path"], one["direction"]) for one in diff["paths"]] == [("/a.txt", "pull")]
    result = run("sync", "checkout", "--json").json
    assert result["pulled"] == [{"path": "/a.txt", "action": "create", "kind": "file"}]


def test_another_directory_is_accepted_by_restart(run: Run, checkout: Path) -> None:
    run("sync", "checkout")
    checkout.rename(checkout.with_name("old"))
    missing = run("sync", "checkout")
    assert (missing.code, missing.err.partition("\n")[0]) == (1, "error: checkout is not there")
    checkout.mkdir()
    assert run("sync", "checkout").code == 3
    assert run("sync", "checkout", "restart").code == 0
    assert run("sync", "checkout").err == "1 pushed, 0 pulled\n"


@pytest.mark.parametrize(
    "words",
    [
        ["push", "/a"],
        ["resolve", "/a"],
        ["resolve", "--take", "mirror"],
        ["--take", "mirror"],
        ["status", "--watch"],
        ["--watch", "--dry-run"],
        ["status", "--dry-run"],
        ["nonsense"],
        ["--policy", "best"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_wrong_usage(run: Run, checkout: Path, words: list[str]) -> None:
    done = run("sync", "checkout", *words)
    assert done.code == 2
    assert done.err.startswith("error: ")

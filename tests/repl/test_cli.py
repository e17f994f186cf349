"""The command line as a whole: which workspace, what goes where, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repl.conftest import Run
from vshell import Workspace, Workspaces, __version__
from vshell.errors import ConflictError, OperationTimeoutError, StaleError, VshellError
from vshell.repl import cli
from vshell.repl.commands import commands


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "vshell.db") as made:
        yield made


# What is said when nothing, or nothing known, is asked for.


def test_without_a_command_the_help_goes_to_stderr_and_the_usage_was_wrong(run: Run) -> None:
    asked, given_nothing = run("--help"), run()
    assert (given_nothing.code, given_nothing.out) == (2, b"")
    assert given_nothing.err == asked.text


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_the_help_lists_every_command_with_a_line_about_it(
    words: tuple[str, ...], run: Run
) -> None:
    done = run(*words)
    assert (done.code, done.err) == (0, "")
    lines = done.text.splitlines()
    for name, command in commands().items():
        assert any(
            line.split()[:1] == [name] and line.endswith(command.summary()) for line in lines
        ), name


def test_help_of_a_command_can_be_asked_for_in_front(run: Run) -> None:
    assert run("help", "read").out == run("read", "--help").out


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").text == f"vshell {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("rea /a", "no such command: rea", "did you mean read?"),
        ("xyzzy", "no such command: xyzzy", "`vshell --help` lists the commands"),
        ("--jsn ls", "no such option: --jsn", "did you mean --json?"),
        ("-w", "-w needs a value: FILE", "`vshell --help` shows what it takes"),
        ("read", "missing PATH", "`vshell read --help` shows what it takes"),
        ("read /a /b", "unexpected argument: /b", "`vshell read --help` shows what it takes"),
        ("read /a --max-line 3", "no such option: --max-line", "did you mean --max-lines?"),
        ("read /a -w x.db", "no such option: -w", "-w stands before the command"),
        ("read /a --session me", "no such option: --session", "--session stands before the command"),
        ("chmod /a 9", "MODE must be octal digits, such as 755, not '9'", "`vshell chmod --help` shows what it takes"),
        ("edit /a old", "missing OLD and NEW", "vshell edit PATH OLD NEW"),
        ("--agent a ls", "--agent ID and --root DIR belong together", "`vshell ls --help` shows what it takes"),
    ],
)  # fmt: skip
def test_wrong_usage_is_explained_with_exit_code_2(
    words: str, message: str, hint: str, run: Run
) -> None:
    done = run(*words.split())
    assert (done.code, done.out) == (2, b"")
    assert done.err == f"error: {message}\nhint: {hint}\n"


def test_wrong_usage_is_json_when_json_is_asked_for(run: Run) -> None:
    done = run("read", "--json", "--nonsense")
    assert json.loads(done.err)["error"]["code"] == "usage"


# Which workspace.


def test_the_workspace_is_the_file_that_w_names(run: Run, tmp_path: Path) -> None:
    run("-w", "other.db", "write", "/a", "text")
    assert (tmp_path / "other.db").exists()
    assert run("--workspace=other.db", "read", "/a").out == b"text"


def test_the_environment_names_the_workspace_where_w_does_not(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("-w", "other.db", "write", "/a", "text")
    monkeypatch.setenv("VSHELL_WORKSPACE", "other.db")
    assert run("read", "/a").out == b"text"
    assert run("-w", "third.db", "read", "/a").code == 1


def test_an_agent_is_known_by_its_id_and_the_root(run: Run, tmp_path: Path) -> None:
    run("--agent", "a/b", "--root", "agents", "write", "/a", "text")
    with Workspaces(tmp_path / "agents") as agents:
        assert agents.open("a/b").read_text("/a") == "text"
    assert run("--root", "agents", "--agent", "a/b", "read", "/a").out == b"text"


def test_an_agent_without_a_workspace_is_an_error_when_reading(run: Run) -> None:
    done = run("--agent", "new", "--root", "agents", "read", "/a")
    assert (done.code, done.err.splitlines()[0]) == (1, "error: the agent has no workspace: new")


def test_an_agent_and_a_file_at_once_are_wrong_usage(run: Run) -> None:
    assert run("--agent", "a", "--root", "r", "-w", "f", "ls").code == 2


def test_a_root_that_cannot_be_made_is_an_error_and_no_crash(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("--agent", "a", "--root", "file/x", "ls")
    assert (done.code, done.err) == (1, "error: Not a directory: file/x\n")


def test_the_journal_has_the_name_of_the_session(run: Run, workspace: Workspace) -> None:
    run("write", "/a", "1")
    run("--session", "me", "write", "/b", "1")
    assert [change.session for change in workspace.changes()] == ["cli", "me"]


# What goes where.


def test_bytes_of_stdin_and_stdout_are_the_files_bytes(run: Run, workspace: Workspace) -> None:
    data = bytes(range(256)) * 700 + b"\r\n"
    assert run("write", "/a", stdin=data).code == 0
    assert workspace.read_bytes("/a") == data
    assert run("read-bytes", "/a").out == data


@pytest.mark.parametrize("words", [("write", "/a"), ("write", "/a", "-"), ("append", "/a", "-")])
def test_a_dash_or_nothing_is_stdin(words: tuple[str, ...], run: Run, workspace: Workspace) -> None:
    run(*words, stdin=b"from stdin")
    assert workspace.read_text("/a") == "from stdin"


def test_an_empty_argument_is_empty_content_and_not_stdin(run: Run, workspace: Workspace) -> None:
    run("write", "/a", "", stdin=b"from stdin")
    assert workspace.read_bytes("/a") == b""


def test_a_closed_stdin_is_wrong_usage_where_it_would_be_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main(["write", "/a"]) == 2
    assert b"stdin is closed" in capsysbinary.readouterr().err


def test_names_and_contents_that_are_no_utf_8_come_through(run: Run, workspace: Workspace) -> None:
    path, text = os.fsdecode(b"/caf\xe9"), os.fsdecode(b"\xff text")
    assert run("write", path, text).code == 0
    assert workspace.read_bytes(path) == b"\xff text"
    assert run("glob", "/caf*").out == b"/caf\xe9\n"
    assert run("grep", "text").out.startswith(b"/caf\xe9:1:")
    assert run("glob", "/caf*", "--json").json["paths"] == [path]


def test_an_error_about_a_name_that_is_no_utf_8_can_be_written(run: Run) -> None:
    run("write", "/a", "1")
    done = run("read", os.fsdecode(b"/caf\xe9"))
    assert (done.code, done.err.split()[-1]) == (1, os.fsdecode(b"/caf\xe9"))


def test_text_that_stands_for_no_bytes_is_an_error_and_no_crash(run: Run) -> None:
    run("write", "/a", "1")
    done = run("read", "/\ud800")
    assert (done.code, "lone surrogate" in done.err) == (1, True)


def test_a_name_that_must_be_text_and_is_none_is_an_error_and_no_crash(
    run: Run, workspace: Workspace
) -> None:
    workspace.write("/a", "1")
    done = run("--session", os.fsdecode(b"\xff"), "write", "/a", "2")
    assert (done.code, "lone surrogate" in done.err) == (1, True)
    assert workspace.read_text("/a") == "1"


def test_a_long_result_says_on_stderr_how_to_go_on(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "1\n2\n3\n")
    done = run("read", "/a", "--max-lines", "2")
    assert (done.out, done.err) == (b"1\n2\n", "more follows: --start-line 3 goes on\n")
    assert run("read", "/a", "--start-line", "3").out == b"3\n"
    workspace.write("/b", "1\n")
    assert run("glob", "*", "--limit", "1").err == "more follows: --offset 1 goes on\n"


def test_a_tree_as_deep_as_a_path_can_be_is_json(run: Run, workspace: Workspace) -> None:
    workspace.mkdir("/a" * 2000, parents=True)
    done = run("tree", "--json")
    assert (done.code, done.text.count('"name": "a"')) == (0, 2000)


def test_json_that_is_nested_too_deeply_is_an_error_and_no_crash(run: Run) -> None:
    done = run("apply", stdin=b"[" * 100_000)
    assert (done.code, done.err.splitlines()[0][:31]) == (1, "error: operations must be JSON:")


def test_colour_can_be_forced_and_forbidden(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.mkdir("/d")
    assert b"\x1b" not in run("ls").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert b"\x1b[1md\x1b[0m" in run("ls").out
    assert b"\x1b" not in run("--no-color", "ls").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b" not in run("ls").out


# Exit codes.


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("grep two", 0),
        ("grep none", 1),
        ("exists /a", 0),
        ("exists /b", 1),
        ("read /b", 1),
        ("write /a x --expected-version 77", 3),
        ("--session you undo", 3),
        ("check", 0),
    ],
)
def test_the_exit_code_tells_what_happened(
    words: str, code: int, run: Run, workspace: Workspace
) -> None:
    workspace.write("/a", "one\ntwo\n")
    assert run(*words.split()).code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VshellError("x"), 1),
        (ConflictError("x"), 3),
        (StaleError("x"), 3),
        (OperationTimeoutError("x"), 124),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("x"), 4),
        (BrokenPipeError(), 1),
        (OSError(28, "No space left on device"), 1),
    ],
    ids=repr,
)
def test_each_kind_of_error_has_its_exit_code(
    error: BaseException, code: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise error

    log = commands()["log"]._replace(run=fail)
    monkeypatch.setattr("vshell.repl.commands.commands", lambda: {"log": log})
    assert run("log").code == code


def test_an_internal_error_is_one_line_unless_it_is_looked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError("by zero")

    log = commands()["log"]._replace(run=fail)
    monkeypatch.setattr("vshell.repl.commands.commands", lambda: {"log": log})
    assert run("log").err.splitlines()[0] == "error: internal error: ZeroDivisionError: by zero"
    monkeypatch.setenv("VSHELL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("log")


def test_check_fails_on_a_damaged_workspace(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "text")
    workspace.files.store.database.run("update content set size = size + 1")
    workspace.close()
    done = run("check")
    assert (done.code, done.err) == (1, "the workspace is damaged\n")
    assert done.out


def test_an_error_is_json_with_its_code_when_asked_for(run: Run, workspace: Workspace) -> None:
    done = run("--json", "read", "/nowhere")
    assert json.loads(done.err)["error"] == {
        "code": "not_found",
        "message": "no such file or directory: /nowhere",
        "path": "/nowhere",
    }


def test_hints_say_what_to_type(run: Run, workspace: Workspace) -> None:
    workspace.write("/d/a", "x x")
    workspace.write("/bin", b"\0")
    assert run("rm", "/d").err.endswith("hint: use --recursive\n")
    assert run("read", "/bin").err.endswith("hint: use read-bytes for its bytes\n")
    assert "--all" in run("edit", "/d/a", "x", "y").err


def test_hints_leave_alone_what_a_file_holds(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "call(dry_run=True, expected_version=1)\n")
    assert "dry_run=True, expected_version=1" in run("edit", "/a", "call(dry_run=Tru)", "y").err


def test_what_a_terminal_would_obey_is_shown_and_not_sent_in_errors(run: Run) -> None:
    run("write", "/a", "1")
    assert run("read", "/\x1b]0;title\x07").err.startswith(
        "error: no such file or directory: /\\x1b]0;title\\x07\n"
    )


# Words that differ from the functions'.


def test_edit_takes_json_instead_of_two_texts(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "one two")
    edits = json.dumps([{"old": "one", "new": "1"}, {"old": "two", "new": "2"}])
    assert run("edit", "/a", "--edits", edits).code == 0
    assert run("edit", "/a", "--edits", "-", stdin=b'[{"old":"1","new":"3"}]').code == 0
    assert workspace.read_text("/a") == "3 2"
    assert run("edit", "/a", "3", "4", "--edits", edits).code == 2


def test_edit_replaces_everywhere_with_all(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "x x")
    assert run("edit", "/a", "x", "y", "--all").code == 0
    assert workspace.read_text("/a") == "y y"


def test_edit_prints_its_patch_also_when_it_changes_nothing(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "x\n")
    done = run("edit", "/a", "x", "y", "--dry-run")
    assert done.text.endswith("@@ -1 +1 @@\n-x\n+y\n")
    assert workspace.read_text("/a") == "x\n"
    assert run("edit", "/a", "x", "y", "--json").json["patch"] == done.text


def test_chmod_takes_its_words_in_either_order(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "x")
    run("chmod", "600", "/a")
    assert workspace.stat("/a").mode == 0o600
    run("chmod", "/a", "644")
    assert workspace.stat("/a").mode == 0o644


def test_grep_has_the_options_that_grep_has(run: Run, workspace: Workspace) -> None:
    workspace.write("/a/x", "1\nTwo\n3\n4\n5\ntwo\n")
    workspace.write("/b", "two\n")
    assert run("grep", "-c", "two", "/a").text == "/a/x:1\n"
    assert run("grep", "-il", "two").text == "/a/x\n/b\n"
    assert run("grep", "-iC1", "two", "/a").text == (
        "/a/x-1-1\n/a/x:2:Two\n/a/x-3-3\n--\n/a/x-5-5\n/a/x:6:two\n"
    )
    assert run("grep", "-F", "t.o").code == 1


def test_grep_shows_each_line_of_a_match_over_several(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "1\n2\n3\n4\n")
    assert run("grep", "--multiline", "2\n3", "-A1").text == "/a:2:2\n/a:3:3\n/a-4-4\n"


def test_export_takes_the_whole_workspace_where_no_source_is_given(
    run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.write("/d/a", "x")
    run("export", "all")
    run("export", "/d", "--no-overwrite", "part")
    assert (tmp_path / "all/d/a").read_text() == (tmp_path / "part/a").read_text() == "x"


def test_import_leaves_out_what_is_ignored_only_when_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.gitignore").write_text("*.log\n")
    (tmp_path / "tree/a.log").write_text("")
    assert run("import", "tree", "/in", "--ignore").err == "1 file, 0 directories, 0 links, 6 B, 1 ignored\n"  # fmt: skip
    assert run("import", "tree", "/in").err == "2 files, 0 directories, 0 links, 6 B\n"


def test_a_transfer_names_the_path_of_the_host_that_failed(run: Run) -> None:
    assert run("import", "nowhere").err == "error: no such file or directory: nowhere\n"


def test_undo_takes_back_whatever_was_last_when_no_session_is_named(
    run: Run, workspace: Workspace
) -> None:
    workspace.session("agent").write("/a", "1")
    assert run("--session", "me", "undo").code == 3
    assert run("undo").code == 0
    assert not workspace.exists("/a")


def test_restore_and_compare_take_revisions_and_snapshots(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "1\n")
    workspace.snapshot("named")
    workspace.write("/a", "2\n")
    assert run("compare", "1", "2").text == "write       /a\n"
    assert "-1\n+2\n" in run("compare", "named", "--patch").text
    run("restore", "named")
    assert workspace.read_text("/a") == "1\n"
    run("restore", "2")
    assert workspace.read_text("/a") == "2\n"


def test_a_fork_can_be_of_an_earlier_moment(run: Run, workspace: Workspace, tmp_path: Path) -> None:
    workspace.write("/a", "1")
    workspace.write("/a", "2")
    assert run("fork", "--at", "1", "copy.db").code == 0
    assert run("-w", "copy.db", "read", "/a").out == b"1"
    assert run("fork", "copy.db").code == 1


def test_a_fork_is_merged_back_and_its_conflicts_are_told(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "1\n")
    workspace.write("/b", "1\n")
    assert run("fork", "fork.db").code == 0
    with Workspace.open("fork.db") as fork:
        fork.write("/a", "fork\n")
        fork.write("/b", "fork\n")
    workspace.write("/b", "here\n")
    shown = run("merge", "fork.db", "--dry-run")
    assert shown.code == 3
    assert "+fork" in shown.text
    assert "conflict (content, open): /b\n" in shown.text
    assert workspace.read_text("/a") == "1\n"
    done = run("merge", "fork.db")
    assert (done.code, done.text) == (3, "conflict (content, open): /b\n")
    assert done.err == f"1 path changed, 1 in conflict; revision {workspace.files.revision()}\n"
    assert (workspace.read_text("/a"), workspace.read_text("/b")) == ("fork\n", "here\n")
    assert run("merge", "fork.db", "--policy", "theirs").code == 0
    assert workspace.read_text("/b") == "fork\n"
    assert run("merge", "nowhere.db").code == 1


def test_the_log_is_newest_first_and_shortens_revisions_of_many_changes(
    run: Run, workspace: Workspace
) -> None:
    with workspace.transaction():
        for number in range(6):
            workspace.write(f"/d/{number}", "x")
    workspace.write("/e", "x")
    lines = [line.split() for line in run("log").text.splitlines()]
    assert [line[-1] for line in lines] == ["/e", "/d", "/d/0", "/d/1", "revision"]
    assert lines[-1][:3] == ["...", "4", "more"]
    shown = run("log", "--json", "--patch").json["entries"]
    assert [len(entry["changes"]) for entry in shown] == [1, 7]
    assert shown[0]["patch"].endswith("+x\n\\ No newline at end of file\n")
    last = run("log", "-n", "1")
    assert len(last.text.splitlines()) == 1
    assert last.err == "more follows: --before 2 goes on\n"
    assert len(run("log", "--before", "2").text.splitlines()) == 4
    assert run("log", "/d/3").text.splitlines()[0].endswith("/d/3")


def test_the_log_of_a_path_finds_old_revisions_behind_many_others(
    run: Run, workspace: Workspace
) -> None:
    workspace.write("/old", "x")
    for number in range(50):
        workspace.write("/new", str(number))
    assert len(run("log", "-n", "2", "/old").text.splitlines()) == 1


def test_a_stand_in_for_stdout_that_takes_only_text_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stand_in)
    assert cli.main(["--version"]) == 0
    assert stand_in.getvalue() == f"vshell {__version__}\n"


def test_a_version_is_expected_of_one_path_or_of_each(run: Run, workspace: Workspace) -> None:
    workspace.write("/a", "1")
    workspace.write("/b", "2")
    assert run("mv", "/a", "/b", "--expected-version", "2").code == 3
    pairs = ["--expected-version", "/a=1", "--expected-version", "/b=1"]
    stale = run("mv", "/a", "/b", *pairs)
    assert (stale.code, stale.err.splitlines()[0]) == (
        3,
        "error: it changed since version 1: /b",
    )
    for wrong in (["/a"], ["/a=x"], ["1", "--expected-version", "/a=1"]):
        assert run("mv", "/a", "/b", "--expected-version", *wrong).code == 2
    pairs[-1] = "/b=2"
    assert run("mv", "/a", "/b", *pairs).code == 0
    assert run("undo", "--expected-version", "2").code == 3
    assert run("undo", "--expected-version", "3").code == 0

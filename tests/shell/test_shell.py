"""`Shell`: running, state, limits, transactions, and what it costs when things go wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from vshell import Limits, Workspace
from vshell.errors import ClosedError, ConflictError, RangeError
from vshell.fs import shells
from vshell.shell.limits import limits_of
from vshell.shell.shell import Shell
from vshell.shell.workers import MAX_IDLE


def test_a_script_works_on_the_files_of_the_workspace(workspace: Workspace, shell: Shell) -> None:
    workspace.write("/in.txt", "b\na\n")
    result = shell.run("sort in.txt > out.txt; cat out.txt")
    assert (result.stdout, result.stderr, result.exit_code) == (b"a\nb\n", b"", 0)
    assert workspace.read_text("/out.txt") == "a\nb\n"


def test_the_result_says_what_changed(workspace: Workspace, shell: Shell) -> None:
    workspace.write("/gone", "1")
    workspace.write("/same", "1")
    result = shell.run("echo 2 > new; rm gone; echo -n 1 > same")
    assert [(each.path, each.action) for each in result.changes] == [
        ("/gone", "delete"),
        ("/new", "create"),
    ]


def test_the_journal_names_the_session(workspace: Workspace) -> None:
    with workspace.shell("builder") as shell:
        shell.run("echo 1 > made")
    assert workspace.history("/made").changes[0].session == "builder"


def test_a_result_is_plain_data_on_request(shell: Shell) -> None:
    assert shell.run("echo hi").as_dict()["stdout"] == "hi\n"


@pytest.mark.parametrize("before", ["x=1", "export x=1", "a=(1 2)", "f() { echo $1; }", "cd /tmp"])
@pytest.mark.parametrize("killed", [False, True], ids=["same worker", "fresh worker"])
def test_the_state_lasts_from_one_script_to_the_next(
    shell: Shell, before: str, killed: bool
) -> None:
    shell.run(before)
    if killed:
        assert shell.run("kill -SEGV $$; while :; do :; done", timeout_s=0.05).exit_code in (
            124,
            139,
        )
    shown = shell.run('echo "$x"; echo "${a[@]}"; f 2>/dev/null 7; pwd; env | grep -c ^x=').stdout
    fresh = shell.run('bash -c "true"; echo').exit_code
    assert fresh == 0
    expected = {
        "x=1": b"1\n\n/\n0\n",
        "export x=1": b"1\n\n/\n1\n",
        "a=(1 2)": b"\n1 2\n/\n0\n",
        "f() { echo $1; }": b"\n\n7\n/\n0\n",
        "cd /tmp": b"\n\n/tmp\n0\n",
    }
    assert shown == expected[before]


@pytest.mark.parametrize(
    ("before", "script", "stdout"),
    [
        ("set -u", "echo $nope; echo on", b""),
        ("set -e", "false; echo on", b""),
        ("set -f", "echo /*", b"/*\n"),
        ("set -o pipefail", "false | true; echo $?", b"1\n"),
        ("set -C; echo 1 > f", "echo 2 > f; cat f", b"1\n"),
        ("shopt -s nullglob", "echo /nope*", b"\n"),
        ("set -u; set +u", "echo $nope", b"\n"),
    ],
)
def test_options_are_there_in_a_fresh_worker(
    shell: Shell, before: str, script: str, stdout: bytes
) -> None:
    shell.run(before)
    assert shell.run("while :; do :; done", timeout_s=0.05).exit_code == 124
    assert shell.run(script).stdout == stdout


def test_the_exit_code_of_one_script_is_seen_by_the_next(shell: Shell) -> None:
    shell.run("(exit 7)")
    assert shell.run("echo $?").stdout == b"7\n"


def test_input_is_read_byte_for_byte(workspace: Workspace, shell: Shell) -> None:
    data = bytes(range(256)) * 300
    shell.run("cat > copy", stdin=data)
    assert workspace.read_bytes("/copy") == data


def test_what_reads_the_input_reads_on_where_the_last_one_stopped(shell: Shell) -> None:
    result = shell.run('read a; echo "[$a]"; cat; read b; echo "[$b]"', stdin=b"1\n2\n3\n")
    assert result.stdout.startswith(b"[1]\n2\n3\n")


def test_pipes_and_files_are_byte_exact(workspace: Workspace, shell: Shell) -> None:
    data = bytes(range(256)) * 1000
    workspace.write("/in", data)
    result = shell.run("cat in | cat | cat > out; cat < in")
    assert workspace.read_bytes("/out") == data
    assert result.stdout == data


@pytest.mark.parametrize(
    "name", ["\udcff", "n\udcffm\udc80", "é", "a b", "-x", "new\nline", "日本"]
)
def test_any_name_is_a_name(workspace: Workspace, shell: Shell, name: str) -> None:
    workspace.write(f"/d/{name}", "content")
    listed = os.fsencode(name) if "\udcff" in name or "\udc80" in name else name.encode()
    assert shell.run('cd /d; for f in *; do printf %s "$f"; cat -- "$f"; done').stdout == (
        listed + b"content"
    )


def test_directory_and_variables_of_one_run_are_gone_after_it(shell: Shell) -> None:
    shell.run("mkdir -p /d")
    assert shell.run("pwd; echo $V", cwd="/d", env={"V": "1"}).stdout == b"/d\n1\n"
    assert shell.run("pwd; echo [$V]").stdout == b"/\n[]\n"


def test_arguments_are_positional_parameters(shell: Shell) -> None:
    assert shell.run('echo "$1|$2|$#"', arguments=("name", "a b", "c")).stdout == b"a b|c|2\n"


def test_a_syntax_error_is_an_exit_code(shell: Shell) -> None:
    result = shell.run("echo a\nif true; fi fi")
    assert (result.exit_code, result.stdout) == (2, b"a\n")
    assert result.stderr.startswith(b"bash: line 2: syntax error")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("basename /a/b", b"b"),
        ("basename '/a/b c'", b"b c"),
        ('basename "/a/it\'s"', b"it's"),
        ("basename /a/'x'\"y\"z", b"xyz"),
        ("  basename   /a/b  \n", b"b"),
        ("basename '/a/$x'", b"$x"),
        ("basename '/a/new\nline'", b"new\nline"),
        ("basename ''", b""),
        ('basename "/a/$y"', b"Y"),
        ("basename /a/*", b"*"),
        ("basename /a/b # c", b"b"),
        ("basename /a/b\\ c", b"b c"),
        ("basename ~/x", b"x"),
        ("basename {/a/b,}", b"b"),
        ("y=1 basename /a/b", b"b"),
    ],
)
def test_a_plain_command_has_the_words_that_the_engine_would_give_it(
    shell: Shell, line: str, words: bytes
) -> None:
    shell.run("y=Y")
    assert shell.run(line).stdout == words + b"\n"
    assert shell.run(f"true; {line}").stdout == words + b"\n"


def test_a_plain_command_is_a_function_or_an_alias_when_there_is_one(shell: Shell) -> None:
    shell.run("basename() { echo mine $1; }")
    assert shell.run("basename /a").stdout == b"mine /a\n"
    shell.run("unset -f basename; shopt -s expand_aliases; alias basename='echo other'")
    assert shell.run("basename /a").stdout == b"other /a\n"


# Transactions.


def test_commands_commit_as_they_go(workspace: Workspace, shell: Shell) -> None:
    assert shell.run("echo 1 > a; false").exit_code == 1
    assert workspace.exists("/a")


def test_an_atomic_script_that_fails_changes_nothing(workspace: Workspace, shell: Shell) -> None:
    workspace.write("/a", "0")
    result = shell.run("echo 1 > a; mkdir d; cat a; false", atomic=True)
    assert (result.exit_code, result.committed, result.changes) == (1, False, ())
    assert result.stdout == b"1\n"
    assert workspace.read_text("/a") == "0"
    assert not workspace.exists("/d")


def test_an_atomic_script_that_succeeds_is_one_revision(workspace: Workspace, shell: Shell) -> None:
    before = workspace.files.revision()
    result = shell.run("for i in 1 2 3; do echo $i > f$i; done; cat f* | sort > all", atomic=True)
    assert result.committed
    assert workspace.files.revision() == before + 1
    assert [each.path for each in result.changes] == ["/all", "/f1", "/f2", "/f3"]


def test_an_atomic_script_that_takes_too_long_changes_nothing(
    workspace: Workspace, shell: Shell
) -> None:
    result = shell.run("echo 1 > a; while :; do :; done", atomic=True, timeout_s=0.3)
    assert (result.exit_code, result.committed) == (124, False)
    assert not workspace.exists("/a")
    workspace.write("/b", "the lock is free")


def test_a_dry_run_says_what_it_would_do(workspace: Workspace, shell: Shell) -> None:
    workspace.write("/a", "1\n")
    result = shell.run("echo 2 > a; echo 3 > b", dry_run=True)
    assert [each.path for each in result.changes] == ["/a", "/b"]
    assert result.patch is not None
    assert "-1\n+2\n" in result.patch
    assert not result.committed
    assert workspace.read_text("/a") == "1\n"
    assert not workspace.exists("/b")


def test_a_shell_does_not_run_inside_a_transaction(workspace: Workspace, shell: Shell) -> None:
    with workspace.transaction(), pytest.raises(ConflictError, match="inside a transaction"):
        shell.run("true")


# Limits.


def test_a_timeout_kills_and_the_state_is_that_of_before(shell: Shell) -> None:
    shell.run("x=1; cd /tmp")
    result = shell.run("x=2; echo started; while :; do :; done", timeout_s=0.3)
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"started\n")
    assert b"longer than 0.3 s" in result.stderr
    assert shell.run("echo $x; pwd").stdout == b"1\n/tmp\n"


def test_output_beyond_what_is_kept_is_said_to_be_cut(shell: Shell) -> None:
    result = shell.run("seq 100000", limits={"max_output_bytes": 1000})
    assert (len(result.stdout), result.truncated, result.exit_code) == (1000, True, 0)
    assert result.stdout_bytes == 588895


def test_all_output_can_go_to_a_file(workspace: Workspace) -> None:
    with workspace.shell(limits={"max_output_bytes": 100}, spool="/out") as shell:
        assert shell.run("echo short").spooled_to is None
        result = shell.run("seq 100000; echo end >&2")
    assert (result.spooled_to, len(result.stdout)) == ("/out", 100)
    assert workspace.stat("/out").size == 588895 + 4
    assert workspace.read_bytes("/out").endswith(b"end\n")


def test_too_much_output_ends_the_script(shell: Shell) -> None:
    result = shell.run(
        "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
        limits={"max_total_output_bytes": 100_000},
    )
    assert (result.exit_code, result.committed) == (153, True)
    assert "more than 100000 bytes" in str(result.error)
    assert shell.run("echo on").stdout == b"on\n"


def test_a_limit_of_the_language_has_an_exit_code_of_its_own(shell: Shell) -> None:
    result = shell.run("f() { f; }; f")
    assert result.exit_code == 125
    assert "function depth" in str(result.error)


@pytest.mark.parametrize(
    "limits", [{"timeout_s": 0}, {"nope": 1}, {"max_output_bytes": -1}, {"timeout_s": "1"}]
)
def test_wrong_limits_are_refused(workspace: Workspace, limits: dict[str, object]) -> None:
    with pytest.raises(RangeError):
        workspace.shell(limits=limits)


# Ending.


def interrupt_after(seen: threading.Event, shell: Shell) -> None:
    seen.wait(5)
    shell.interrupt()


def test_an_interrupt_ends_the_script_and_not_the_shell(shell: Shell) -> None:
    seen = threading.Event()
    threading.Thread(target=interrupt_after, args=(seen, shell)).start()
    result = shell.run(
        "x=5; echo ready; while :; do :; done", on_output=lambda *_: seen.set(), timeout_s=20
    )
    assert (result.exit_code, result.timed_out, result.error) == (130, False, "interrupted")
    assert shell.run("echo on").stdout == b"on\n"


def test_an_interrupt_reaches_a_command_that_does_not_look_up(shell: Shell) -> None:
    seen = threading.Event()
    threading.Thread(target=interrupt_after, args=(seen, shell)).start()
    result = shell.run("yes", on_output=lambda *_: seen.set(), timeout_s=20)
    assert result.exit_code == 130


@pytest.mark.slow
def test_what_does_not_end_when_interrupted_is_killed(shell: Shell) -> None:
    shell.run("x=1")
    seen = threading.Event()
    threading.Thread(target=interrupt_after, args=(seen, shell)).start()
    script = "echo ready; x=2; awk 'BEGIN { while (1); }'"
    result = shell.run(script, on_output=lambda *_: seen.set(), timeout_s=30)
    assert (result.exit_code, result.timed_out, result.error) == (130, False, "interrupted")
    assert shell.run("echo $x").stdout == b"1\n"


def test_the_worker_dying_is_an_exit_code(shell: Shell) -> None:
    shell.run("x=1")
    seen = threading.Event()

    def kill() -> None:
        seen.wait(5)
        assert shell._running is not None
        os.kill(shell._running.process_id, signal.SIGSEGV)

    threading.Thread(target=kill).start()
    result = shell.run("echo go; while :; do :; done", on_output=lambda *_: seen.set())
    assert (result.exit_code, result.stdout) == (139, b"go\n")
    assert "crashed" in str(result.error)
    assert shell.run("echo $x").stdout == b"1\n"


def test_output_is_live(shell: Shell) -> None:
    pieces: list[tuple[str, bytes]] = []
    shell.run("echo 1; echo 2 >&2; sleep 0.01; echo 3", on_output=lambda *each: pieces.append(each))
    assert next(data for stream, data in pieces if stream == "stdout") == b"1\n"
    assert ("stderr", b"2\n") in pieces


def test_threads_take_turns(shell: Shell) -> None:
    shell.run("echo 0 > n")
    threads = [
        threading.Thread(target=lambda: shell.run("read x < n; echo $((x + 1)) > n"))
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert shell.run("cat n").stdout == b"8\n"


@pytest.mark.slow
def test_many_shells_share_few_workers(workspace: Workspace) -> None:
    open_shells = [workspace.shell() for _ in range(MAX_IDLE + 3)]
    for number, each in enumerate(open_shells):
        each.run(f"x={number}")
    for number, each in enumerate(open_shells):
        assert each.run("echo $x").stdout == f"{number}\n".encode()
    workers = open_shells[0]._workers
    assert len(workers._all) <= MAX_IDLE + 1
    for each in open_shells:
        each.close()


def test_closing_the_workspace_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    with Workspace.open(tmp_path / "w.db") as workspace:
        shell = workspace.shell()
        shell.run("true")
        workers = list(shell._workers._all)
        template = shell._workers._template
        assert workers
        assert template is not None
    assert not template.alive
    for each in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(each.process_id, 0)
    if before:
        assert len(os.listdir("/proc/self/fd")) <= len(before)
    with pytest.raises(ClosedError):
        shell.run("true")


# Sessions that last.


def test_a_named_session_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as workspace:
        shell = workspace.shell("main")
        shell.run("mkdir -p /src; cd /src; x='a b'; export e=1; f() { echo f $1; }")
        shell.run("a=(1 2); declare -A m; m[k]=v; false")
    with Workspace.open(path) as workspace:
        shell = workspace.shell("main")
        assert shell.cwd == "/src"
        shown = shell.run('pwd; echo "$x"; f 1; echo "${a[1]}" "${m[k]}"; env | grep ^e=')
        assert shown.stdout == b"/src\na b\nf 1\n2 v\ne=1\n"
        assert [each.line for each in shell.history()][-1].startswith("pwd;")
        assert [each.exit_code for each in shell.history()] == [0, 1, 0]


def test_history_is_what_was_typed_in_the_session(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as workspace:
        shell = workspace.shell("main")
        assert shell.run("history").stdout == b""
        assert shell.run("history").stdout == b"    1  history\n"
    with Workspace.open(path) as workspace:
        shell = workspace.shell("main")
        assert shell.run("echo a; history | tail -n 1").stdout == b"a\n    2  history\n"
        assert shell.run("x=history; echo $x $(history 1)").stdout.startswith(b"history 3 echo a")
        assert workspace.shell().run("history; true").stdout == b""


def test_a_session_of_another_version_of_the_engine_is_made_anew(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as workspace:
        with workspace.shell("main") as shell:
            shell.run("mkdir /src; cd /src; x='a b'; export e=1; f() { echo f $1; }; a=(1 '2 3')")
        saved = shells.load(workspace.files, "main")
        assert saved is not None
        with workspace.transaction():
            other = shells.SavedShell(saved.cwd, "bashkit 99", b"what?", saved.portable)
            shells.save(workspace.files, "main", other)
        shell = workspace.shell("main")
        shown = shell.run('pwd; echo "$x"; f 1; echo "${a[1]}"; env | grep ^e=')
        assert shown.stdout == b"/src\na b\nf 1\n2 3\ne=1\n"


def test_sessions_do_not_see_each_other(workspace: Workspace) -> None:
    with workspace.shell() as one:
        one.run("secret=1; f() { :; }; cd /tmp")
    with workspace.shell() as other:
        assert other.run("echo [$secret]; declare -F; pwd").stdout == b"[]\n/\n"


def test_the_clock_of_the_workspace_is_that_of_its_shells() -> None:
    with Workspace.memory(now=lambda: 1_000_000_000_000_000_000) as workspace:
        workspace.shell().run("echo 1 > a")
        assert workspace.stat("/a").mtime_ns == 1_000_000_000_000_000_000


# Knowing without running.


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("echo hi", "complete"),
        ("", "complete"),
        ("if true", "incomplete"),
        ('echo "abc', "incomplete"),
        ("cat <<E\nabc", "incomplete"),
        ("cat <<E\nabc\nE", "complete"),
        ("cat <<-'E'\n\tE\n", "complete"),
        ('echo "<<E"', "complete"),
        ("echo <<<x", "complete"),
        ("a |", "incomplete"),
        ("a && ", "incomplete"),
        ("echo \\", "incomplete"),
        ("f() {", "incomplete"),
        ("echo )", "error"),
        ("fi", "error"),
    ],
)
def test_check_says_whether_lines_are_a_script(shell: Shell, line: str, status: str) -> None:
    assert shell.check(line).status == status


def test_check_says_where(shell: Shell) -> None:
    found = shell.check("echo a\necho )")
    assert (found.line, found.column) == (2, 6)


def test_names_are_what_can_be_completed(shell: Shell) -> None:
    shell.run("myvar=1; myf() { :; }; shopt -s expand_aliases; alias myalias='ls -l'")
    names = shell.names()
    assert "myvar" in names["variables"]
    assert names["functions"] == ["myf"]
    assert names["aliases"] == ["myalias"]
    assert {"ls", "echo", "cd"} <= set(names["commands"])


def test_time_is_not_spent_on_a_worker_that_waits(shell: Shell) -> None:
    shell.run("true")
    started = time.monotonic()
    for _ in range(20):
        shell.run("x=1")
    assert time.monotonic() - started < 5


@pytest.mark.slow
def test_more_output_than_the_engine_passes_on_is_an_error(shell: Shell) -> None:
    line = "a" * 200
    script = f"for ((i = 0; i < 60000; i++)); do echo {line}; done"
    result = shell.run(script, limits={"max_output_bytes": 1 << 24}, timeout_s=60)
    assert (result.exit_code, result.truncated) == (153, True)
    assert "10 MiB" in str(result.error)


def test_one_command_may_print_more_than_the_engine_passes_on(shell: Shell) -> None:
    result = shell.run("seq 2000000", limits={"max_output_bytes": 1 << 24}, timeout_s=60)
    assert (result.exit_code, result.truncated, result.stdout_bytes) == (0, False, 14_888_896)


def test_limits_of_scripts_are_limits_of_a_shell_as_far_as_it_has_them(
    workspace: Workspace,
) -> None:
    with workspace.shell(limits=Limits(timeout_s=0.3, max_output_bytes=5)) as shell:
        assert shell.run("echo 123456789").stdout == b"12345"
        assert shell.run("while :; do :; done").timed_out
    assert limits_of(Limits()).max_memory_bytes == Limits().max_memory_bytes
    with pytest.raises(RangeError, match="max_calls"):
        workspace.shell(limits=Limits(max_calls=7))
    with pytest.raises(RangeError, match="max_calls"):
        workspace.shell(limits={"max_calls": 7})

"""Rules: what a shell may run, read and write, judged after expansion."""

from __future__ import annotations

from typing import Any

import pytest

from vshell import Workspace
from vshell.errors import BadPatternError, RangeError
from vshell.shell.result import ShellResult
from vshell.shell.rules import Question, Rules


def run(workspace: Workspace, rules: dict[str, Any], script: str, **options: Any) -> ShellResult:
    with workspace.shell(rules=rules, **options) as shell:
        return shell.run(script, timeout_s=20)


@pytest.fixture
def files(workspace: Workspace) -> Workspace:
    workspace.write("/secret/key", "hunter2\n")
    workspace.write("/src/a.py", "a\n")
    workspace.write("/src/b.txt", "b\n")
    workspace.symlink("/secret", "/link")
    return workspace


@pytest.mark.parametrize(
    "script",
    [
        "sort /src/a.py",
        "x=sort; $x /src/a.py",
        'eval "so""rt /src/a.py"',
        "echo $(sort /src/a.py)",
        "echo /src/a.py | xargs sort",
        "f() { sort /src/a.py; }; f",
        "/usr/bin/sort /src/a.py",
        "command sort /src/a.py",
        "bash -c 'sort /src/a.py'",
        "sh -c 'sort /src/a.py'",
        "exec sort /src/a.py",
        "true && { sort /src/a.py; }",
        "(sort /src/a.py)",
        "echo x | sort",
        "sort /src/a.py & wait",
        "source <(echo sort /src/a.py)",
        "echo 'sort /src/a.py' > s; chmod +x s; ./s",
    ],
)
def test_a_denied_command_does_not_run_however_it_is_called(files: Workspace, script: str) -> None:
    result = run(files, {"deny": ["sort"]}, script)
    assert b"a\n" not in result.stdout
    assert b"not permitted by the rules" in result.stderr


@pytest.mark.parametrize(
    ("rules", "script", "allowed"),
    [
        ({"deny": ["rm -rf *"]}, "rm /src/a.py", True),
        ({"deny": ["rm -rf *"]}, "rm -rf /src", False),
        ({"default": "deny", "allow": ["cat"]}, "cat /src/a.py", True),
        ({"default": "deny", "allow": ["cat"]}, "sort /src/a.py", False),
        ({"default": "deny", "allow": ["cat"]}, "echo a; [ -f /src/a.py ]; cd /src", True),
        ({"default": "deny", "allow": ["s*"], "deny": ["sort"]}, "sort /src/a.py", False),
        ({"deny": ["echo"]}, "echo a", False),
        ({"deny": ["cd"]}, "cd /src", False),
        ({"deny": ["eval"]}, "eval true", False),
        ({"deny": ["eval"]}, "true", True),
        ({"deny": ["awk"]}, "awk 'BEGIN { print 1 }'", False),
        ({"deny": ["sort"]}, "echo 1 | awk '{ print $1 + 1 }'", True),
    ],
)
def test_patterns_say_what_runs(
    files: Workspace, rules: dict[str, Any], script: str, allowed: bool
) -> None:
    result = run(files, rules, script)
    assert (result.exit_code == 0) is allowed, result
    assert (b"rules" in result.stderr) is not allowed


def test_what_is_to_be_asked_about_is_asked_once_for_each_script(files: Workspace) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> bool:
        asked.append(question)
        return question.words[-1] == "/src/a.py"

    with files.shell(rules={"ask": ["sort"]}, ask=ask) as shell:
        result = shell.run("for i in 1 2; do sort /src/a.py; done; sort /src/b.txt")
    assert result.stdout == b"a\na\n"
    assert [each.text for each in asked] == ["sort /src/a.py", "sort /src/b.txt"]


def test_nobody_to_ask_is_a_no(files: Workspace) -> None:
    assert run(files, {"ask": ["sort"]}, "sort /src/a.py").exit_code == 126


def test_the_time_for_an_answer_is_not_the_script_s(files: Workspace) -> None:
    def slow(_question: Question) -> bool:
        for _ in range(4_000_000):
            pass
        return True

    with files.shell(rules={"ask": ["sort"]}, ask=slow) as shell:
        shell.run("true")
        assert shell.run("sort /src/a.py", timeout_s=0.05).stdout == b"a\n"


@pytest.mark.parametrize(
    "script",
    [
        "cat /secret/key",
        "cat < /secret/key",
        "cat /link/key",
        "cat /src/../secret/key",
        "cd /secret && cat key",
        "x=$(< /secret/key); echo $x",
        "while read l; do echo $l; done < /secret/key",
        "mapfile a < /secret/key; echo ${a[0]}",
        "cp /secret/key /src/c; cat /src/c",
        "cp -r /secret /src/c; cat /src/c/key",
        "mv /secret /src/c; cat /src/c/key",
        "ln /secret/key /src/c; cat /src/c",
        "grep -r hunter /",
        "source /secret/key",
        "tar c /secret | tar xO",
        "sort /secret/key",
        "awk 1 /secret/key",
        "sed -n p /secret/key",
        "head /secret/*",
        "diff /secret/key /src/a.py",
    ],
)
@pytest.mark.parametrize("field", ["hidden", "unreadable"])
def test_what_is_hidden_or_unreadable_is_not_read(
    files: Workspace, field: str, script: str
) -> None:
    result = run(files, {field: ["/secret"]}, script)
    assert b"hunter2" not in result.stdout + result.stderr
    assert files.read_text("/secret/key") == "hunter2\n"


@pytest.mark.parametrize("script", ["ls /", "echo /*", "find /", "ls /secret", "[ -e /secret ]"])
def test_what_is_hidden_is_not_there(files: Workspace, script: str) -> None:
    result = run(files, {"hidden": ["/secret"]}, script)
    assert b"key" not in result.stdout
    assert b"secret" not in result.stdout.replace(b"-> /secret", b"")


@pytest.mark.parametrize(
    "script",
    [
        "echo x > /src/a.py",
        "echo x >> /src/a.py",
        "echo x > /src/new",
        "rm -f /src/a.py",
        "rm -rf /src",
        "mv /src /elsewhere",
        "mv /src/a.py /elsewhere",
        "cp /src/b.txt /src/a.py",
        "ln -s /x /src/l",
        "mkdir /src/d",
        "touch /src/a.py",
        "chmod 600 /src/a.py",
        "sed -i s/a/b/ /src/a.py",
        "tee /src/a.py < /src/b.txt",
        "ln -s /src /s; echo x > /s/a.py",
        "exec 3> /src/a.py; echo x >&3",
        "truncate -s 0 /src/a.py",
    ],
)
def test_what_is_read_only_is_not_changed(files: Workspace, script: str) -> None:
    before = files.stat("/src/a.py")
    run(files, {"read_only": ["/src/**"]}, script)
    assert files.stat("/src/a.py") == before
    assert sorted(entry.name for entry in files.ls("/src").entries) == ["a.py", "b.txt"]


def test_a_glob_is_about_files_at_any_depth(files: Workspace) -> None:
    result = run(files, {"read_only": ["**/*.py"]}, "echo x > /src/b.txt; echo x > /src/a.py")
    assert result.exit_code == 1
    assert [each.path for each in result.changes] == ["/src/b.txt"]


def test_a_write_is_asked_about_by_the_path_without_links(files: Workspace) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> bool:
        asked.append(question)
        return False

    with files.shell(rules={"ask_write": ["/secret/**"]}, ask=ask) as shell:
        assert shell.run("echo x > /link/key").exit_code == 1
    assert asked == [Question("write", path="/secret/key")]


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ({"nope": []}, RangeError),
        ({"default": "maybe"}, RangeError),
        ({"deny": "rm"}, RangeError),
        ({"hidden": [""]}, BadPatternError),
    ],
)
def test_wrong_rules_are_refused(
    workspace: Workspace, rules: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        workspace.shell(rules=rules)


def test_rules_may_be_an_object(files: Workspace) -> None:
    with files.shell(rules=Rules(deny=("sort",))) as shell:
        assert shell.run("sort /src/a.py").exit_code == 126


def test_explain_says_what_a_line_would_do_and_does_nothing(files: Workspace) -> None:
    with files.shell(rules={"ask": ["sort"]}) as shell:
        shell.run("x=1")
        found = shell.explain("x=2; for f in /src/*; do sort $f; done > /out; cat /src/a.py")
        assert [each.words for each in found.commands] == [
            ("sort", "/src/a.py"),
            ("sort", "/src/b.txt"),
            ("cat", "/src/a.py"),
        ]
        assert [each.verdict for each in found.commands] == ["ask", "ask", "allow"]
        assert set(found.reads) == {"/src/a.py", "/src/b.txt"}
        assert [each.path for each in found.changes] == ["/out"]
        assert "+a\n+b\n" in found.patch
        assert not files.exists("/out")
        assert shell.run("echo $x").stdout == b"1\n"


# The ledger of what was read.


@pytest.mark.parametrize(
    "script", ["echo x > f", "sed -i s/a/b/ f", "cp g f", "tee f < g", "mv g f", "sort g -o f"]
)
def test_a_file_that_was_not_read_is_not_overwritten(workspace: Workspace, script: str) -> None:
    workspace.write("/f", "a\n")
    workspace.write("/g", "g\n")
    session = workspace.session("careful", require_read=True)
    with session.shell() as shell:
        result = shell.run(script)
        assert result.exit_code != 0
        assert b"must be read" in result.stderr
        assert workspace.read_text("/f") == "a\n"
        assert shell.run(f"cat f > /dev/null; {script}").exit_code == 0


@pytest.mark.parametrize("script", ["echo x >> f", "echo x | tee -a f", "cat g >> f"])
def test_to_add_to_a_file_is_not_to_read_it(workspace: Workspace, script: str) -> None:
    workspace.write("/f", "a\n")
    workspace.write("/g", "g\n")
    session = workspace.session("careful", require_read=True)
    with session.shell() as shell:
        assert shell.run(script).exit_code == 0
        assert b"must be read" in shell.run("echo y > f").stderr
        assert shell.run(f"cat f; {script}; echo y > f").exit_code == 0


def test_what_the_session_has_read_counts_for_its_shell(workspace: Workspace) -> None:
    workspace.write("/f", "a\n")
    session = workspace.session("careful", require_read=True)
    session.read("/f")
    with session.shell() as shell:
        assert shell.run("echo x > f").exit_code == 0
    session.write("/f", "what the shell wrote is known")


@pytest.mark.parametrize(
    "script",
    [
        "echo x > /secret/key",
        "echo x >> /link/key",
        "rm /secret/key",
        "rm -r /secret",
        "cp /src/a.py /secret/key",
        "cp -r /src /secret",
        "mv /src/a.py /secret/new",
        "sed -i s/h/H/ /secret/key",
        "mkdir /secret/d",
        "chmod 600 /secret/key",
        "touch /secret/new",
        "ln -s /src /secret/l",
        "truncate -s 0 /secret/key",
        "find /secret -name key -delete",
        "echo /secret/key | xargs rm",
        "tee /secret/key < /src/a.py",
        "sort -o /secret/key /src/a.py",
        "tar cf /secret/t.tar /src 2> /dev/null",
        "x=$(rm /secret/key)",
    ],
)
def test_nobody_waits_for_the_lock_while_an_answer_is_awaited(
    files: Workspace, script: str
) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> bool:
        asked.append(question)
        files.write("/log", f"{len(asked)}")  # would wait for ever, were the lock held
        return True

    with files.shell(rules={"ask_write": ["/secret/**"]}, ask=ask) as shell:
        result = shell.run(script, timeout_s=20)
    assert (result.exit_code, result.stderr) == (0, b"")
    assert asked
    assert len(asked) == len(set(asked))
    assert "/log" not in [change.path for change in result.changes if change.path != "/log"]
    assert [change for change in result.changes if change.path.startswith("/secret")]

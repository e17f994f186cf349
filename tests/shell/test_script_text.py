"""What can be seen in a script's text: quotes, comments and here-documents."""

from __future__ import annotations

import pytest

from vshell import Workspace
from vshell.shell.script_text import Code, file_test, with_file_tests
from vshell.shell.shell import Shell
from vshell.shell.words import from_engine, output_from_engine, quoted, to_engine


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo 'a b' c", "echo ..... c"),
        ('echo "a \\" b" c', "echo ........ c"),
        ("echo $'a\\'b' c", "echo $...... c"),
        ("echo a # b\nc", "echo a ...\nc"),
        ("echo a#b", "echo a#b"),
        ("echo \\' a", "echo .. a"),
        ("cat <<E\na 'b\nE\nc", "cat <<E\n.......c"),
        ("cat <<-'E'\n\ta\n\tE\nc", "cat <<-'E'\n......c"),
        ("cat <<<'a' b", "cat <<<... b"),
    ],
)
def test_code_is_told_from_the_rest(script: str, code: str) -> None:
    mask = Code(script).mask
    shown = "".join(letter if flag else "." for letter, flag in zip(script, mask, strict=True))
    assert shown == code


@pytest.mark.parametrize(
    "script",
    [
        "ls -L x",
        "echo '[ -L x ]'",
        "# [ -L x ]",
        "cat <<E\n[ -L x ]\nE\n",
        "grep -h x",
        "[ -L ]",
        "getopts ab o -a -b v",
        "[ x ]; f ! -b v",
        "test x; f ! -L v",
    ],
)
def test_only_tests_are_changed(script: str) -> None:
    assert with_file_tests(script) == script


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/dev/.vshell-test-L/w/.@a/b", ("L", "/w/a/b")),
        ("/dev/.vshell-test-p/w/.@/a", ("p", "/a")),
        ("/dev/null", None),
    ],
)
def test_a_test_is_a_path(path: str, asked: tuple[str, str] | None) -> None:
    assert file_test(path) == asked


@pytest.mark.parametrize(
    "form", ["[ {0} {1} ]", "test {0} {1}", "[[ {0} {1} ]]", "[[ ! ! {0} {1} ]]"]
)
@pytest.mark.parametrize(
    ("flag", "true_of"),
    [
        ("-L", {"link", "dangling"}),
        ("-h", {"link", "dangling"}),
        ("-k", {"sticky"}),
        ("-u", {"setuid"}),
        ("-c", {"/dev/null"}),
        ("-p", set()),
        ("-S", set()),
        ("-b", set()),
        ("-e", {"plain", "sticky", "setuid", "link", "/dev/null", "'a b'"}),
        ("-f", {"plain", "sticky", "setuid", "link", "'a b'", "/dev/null"}),
    ],
)
def test_file_tests_say_what_is_there(
    workspace: Workspace, shell: Shell, form: str, flag: str, true_of: set[str]
) -> None:
    workspace.write("/d/plain", "1")
    workspace.write("/d/a b", "1")
    workspace.write("/d/sticky", "1")
    workspace.chmod("/d/sticky", 0o1644)
    workspace.write("/d/setuid", "1")
    workspace.chmod("/d/setuid", 0o4755)
    workspace.symlink("plain", "/d/link")
    workspace.symlink("nowhere", "/d/dangling")
    names = ["plain", "'a b'", "sticky", "setuid", "link", "dangling", "/dev/null", "nothing"]
    if flag == "-e":
        names.remove("dangling")  # which the engine takes for something
    script = "cd /d\n" + "\n".join(f"{form.format(flag, name)}; echo $?" for name in names)
    found = shell.run(script).stdout.split()
    assert {name for name, code in zip(names, found, strict=True) if code == b"0"} == true_of


def test_words_hold_any_bytes_on_the_way_through_the_engine() -> None:
    text = "a\udc80\udcffé"
    assert from_engine(to_engine(text)) == text
    assert output_from_engine(to_engine(text).encode()) == b"a\x80\xff\xc3\xa9"


@pytest.mark.parametrize("word", ["", "a b", "it's", "$x", "a\nb", "-n", "plain", "*", "\\"])
def test_a_quoted_word_is_itself(shell: Shell, word: str) -> None:
    assert shell.run(f"printf %s {quoted(word)}").stdout == word.encode()

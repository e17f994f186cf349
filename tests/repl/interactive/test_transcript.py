"""The interactive shell, driven as a person drives it, on a real pseudo-terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repl.interactive.terminal import Terminal
from vshell import Workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

CTRL_C, CTRL_D, CTRL_R, TAB = "\x03", "\x04", "\x12", "\t"
CTRL_X_E, ESCAPE, RIGHT = "\x18\x05", "\x1b", "\x1b[C"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Workspace.open(tmp_path / "agent.db") as ws:
        ws.write("/src/app.py", "import os\n")
        ws.write("/src/two words.txt", "text\n")
        ws.snapshot("before")
    with Terminal(tmp_path, "-w", "agent.db") as opened:
        opened.wait_for(r"agent:/ \$")
        yield opened


def colour_of(terminal: Terminal, text: str) -> str | None:
    style = terminal.style_of(text)
    return None if style is None else str(style.fg)


def is_underlined(terminal: Terminal, text: str) -> bool:
    style = terminal.style_of(text)
    return style is not None and bool(style.underscore)


def test_a_line_runs_and_the_prompt_says_where_and_how(terminal: Terminal) -> None:
    assert "app.py" in terminal.run("cd src; ls")
    terminal.wait_for(r"agent:/src \$")
    terminal.run("false")
    terminal.wait_for(r"agent:/src 1 \$")


def test_the_toolbar_shows_revision_size_and_time(terminal: Terminal) -> None:
    terminal.run("echo hello > new")
    terminal.wait_for(r"(?m)^r3  21 B  [\d.]+ (ms|s)$")


def test_a_line_goes_on_until_it_is_complete(terminal: Terminal) -> None:
    terminal.type("for word in one two; do\r")
    terminal.wait_for(r"(?m)^ *>$")
    terminal.type("echo got $word\r")
    terminal.type("done\r")
    terminal.wait_for(r"(?m)^got one\ngot two$")


def test_known_commands_unknown_ones_and_errors_look_different(terminal: Terminal) -> None:
    terminal.type("cat nothing")
    terminal.wait_for(lambda _: colour_of(terminal, "cat") == "green")
    terminal.type(CTRL_C)
    terminal.type("kat nothing")
    terminal.wait_for(lambda _: colour_of(terminal, "kat") == "red")
    terminal.type(CTRL_C)
    terminal.type("echo 'text' $HOME )")
    terminal.wait_for(lambda _: is_underlined(terminal, ")"))
    assert not is_underlined(terminal, "echo")
    assert colour_of(terminal, "'text'") == "brown"
    assert colour_of(terminal, "$HOME") == "blue"


def test_tab_completes_paths_and_quotes_them(terminal: Terminal) -> None:
    terminal.type(f"cat src/tw{TAB}")
    terminal.wait_for(r"cat src/two\\ words\.txt")
    terminal.type("\r")
    terminal.wait_for(r"(?m)^text$")


def test_tab_completes_options_with_their_meaning(terminal: Terminal) -> None:
    terminal.type(f"ls --{TAB}")
    shown = terminal.wait_for(r"--almost-all")
    assert "do not ignore entries" in shown.lower() or "." in shown


def test_tab_completes_commands_variables_and_snapshots(terminal: Terminal) -> None:
    terminal.type(f"md5s{TAB}")
    terminal.wait_for(r"md5sum")
    terminal.type(CTRL_C)
    terminal.run("long_name=1")
    terminal.type(f"echo $long_{TAB}")
    terminal.wait_for(r"echo \$long_name")
    terminal.type(CTRL_C)
    terminal.type(f"restore bef{TAB}")
    terminal.wait_for(r"restore before")


def test_ctrl_c_ends_the_line_and_not_the_shell(terminal: Terminal) -> None:
    terminal.run("kept=still")
    terminal.type("sleep 1000\r")
    terminal.wait_for(r"sleep 1000")
    terminal.type(CTRL_C)
    terminal.wait_for(r"agent:/ 130 \$")
    terminal.run("echo $kept here")
    terminal.wait_for(r"(?m)^still here$")
    terminal.type("half a line")
    terminal.wait_for("half a line")
    terminal.type(CTRL_C)
    terminal.wait_for(r"(?m)^agent:/ \$$")


def test_ctrl_d_leaves_with_the_last_exit_code(terminal: Terminal) -> None:
    terminal.run("(exit 7)")
    terminal.type(CTRL_D)
    assert terminal.wait_for_end() == 7


def test_history_is_in_the_workspace_and_is_searched(tmp_path: Path, terminal: Terminal) -> None:
    terminal.run("echo from the first one")
    terminal.type(CTRL_D)
    terminal.wait_for_end()
    with Terminal(tmp_path, "-w", "agent.db") as again:
        again.wait_for(r"agent:/ \$")
        again.type(f"{CTRL_R}first")
        again.wait_for(r"echo from the first one")
        again.type("\r")
        again.wait_for(r"(?m)^from the first one$")


def test_a_session_comes_back_where_it_was(tmp_path: Path, terminal: Terminal) -> None:
    terminal.run("cd src; name=value")
    terminal.type(CTRL_D)
    terminal.wait_for_end()
    with Terminal(tmp_path, "-w", "agent.db") as again:
        again.wait_for(r"agent:/src \$")
        again.run("echo $name")
        again.wait_for(r"(?m)^value$")


def test_scripts_run_against_the_state(terminal: Terminal) -> None:
    terminal.run(":py state.read_file('/src/app.py').upper()")
    terminal.wait_for(r"(?m)^IMPORT OS$")
    terminal.type(":js\r")
    terminal.wait_for(r"(?m)^js>$")
    terminal.type("40 + 2\r")
    terminal.wait_for(r"(?m)^42\njs>$")
    terminal.type(CTRL_D)
    terminal.wait_for(r"(?m)^agent:/ \$$")


def test_watch_shows_what_others_change(tmp_path: Path, terminal: Terminal) -> None:
    terminal.type(":watch\r")
    terminal.wait_for(r":watch")
    with Workspace.open(tmp_path / "agent.db") as other:
        seen = 0
        while "/made/elsewhere" not in terminal.text and seen < 50:
            other.session("other").write("/made/elsewhere", f"{seen}")
            seen += 1
            terminal.wait_for(lambda text: True)
            terminal._read()
    terminal.wait_for(r"other  write  \w+  /made/elsewhere")
    terminal.type(CTRL_C)
    terminal.wait_for(r"(?m)^agent:/ \$$")


def test_an_unknown_directive_says_what_there_is(terminal: Terminal) -> None:
    terminal.run(":nothing")
    terminal.wait_for(r"no such command: :nothing")
    terminal.type(":help\r")
    terminal.wait_for(r":watch +show changes")


def test_a_word_that_is_no_command_is_met_with_one_that_is(terminal: Terminal) -> None:
    terminal.run("gerp x src/app.py")
    terminal.wait_for(r"(?m)^hint: did you mean grep\?$")
    terminal.run("totally-unlike-anything")
    assert "mean" not in terminal.text.rpartition("totally-unlike-anything")[2]


def test_what_was_run_is_suggested_while_it_is_typed_again(terminal: Terminal) -> None:
    terminal.run("echo something long")
    terminal.type("echo some")
    terminal.wait_for(r"\$ echo something long\nr\d")
    terminal.type(f"{RIGHT}er")
    terminal.wait_for(r"\$ echo something longer")
    terminal.type("\r")
    terminal.wait_for(r"(?m)^something longer$")


def test_keys_can_be_those_of_vi(terminal: Terminal) -> None:
    terminal.type(":vi\r")
    terminal.wait_for(r"vi-insert")
    terminal.type(f"xecho one{ESCAPE}")
    terminal.wait_for(r"vi-navigation")
    terminal.type("0x")
    terminal.wait_for(r"\$ echo one")
    terminal.type("A two\r")
    terminal.wait_for(r"(?m)^one two$")
    terminal.type(":emacs\r")
    terminal.wait_for(lambda text: "vi-insert" not in text)


def test_a_line_is_edited_in_the_editor(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/before/after/ "$1"\n')
    editor.chmod(0o755)
    with Terminal(tmp_path, "-w", "new.db", EDITOR=str(editor)) as opened:
        opened.wait_for(r"new:/ \$")
        opened.type("echo before")
        opened.wait_for(r"\$ echo before")
        opened.type(CTRL_X_E)
        opened.wait_for(r"(?m)^after$")


def test_what_is_typed_before_the_prompt_is_ready_is_run(tmp_path: Path) -> None:
    with Terminal(tmp_path, "-w", "new.db") as opened:
        opened.wait_for(r"(?m)^vshell \S+: bash on new; :help says what there is$")
        opened.wait_for(r"new:/ \$")
        opened.type("echo typed early; (exit 3)\r")
        opened.wait_for(r"(?m)^typed early\nnew:/ 3 \$$")
        opened.type(CTRL_D)
        assert opened.wait_for_end() == 3
    with Terminal(tmp_path, "-w", "new.db") as again:
        again.wait_for(r"new:/ \$")
        again.type(CTRL_D)
        assert again.wait_for_end() == 0
        assert "vshell" not in again.text


def test_a_terminal_that_can_do_nothing_still_works(tmp_path: Path) -> None:
    with Terminal(tmp_path, "-w", "new.db", TERM="dumb") as plain:
        plain.wait_for(r"new:/ \$")
        plain.type("if true; then\r")
        plain.wait_for(r"(?m)^>")
        plain.type("echo yes; fi\r")
        plain.wait_for(r"(?m)^yes$")
        plain.type(CTRL_D)
        assert plain.wait_for_end() == 0


@pytest.mark.parametrize("how", ["option", "variable"])
def test_nothing_is_coloured_when_it_must_not_be(tmp_path: Path, how: str) -> None:
    words = ["--no-color"] if how == "option" else []
    environment = {} if how == "option" else {"NO_COLOR": "1"}
    with Terminal(tmp_path, *words, "-w", "new.db", rows=24, **environment) as plain:
        plain.wait_for(r"new:/ \$")
        plain.run("mkdir d; echo x > f")
        plain.run("ls")
        plain.wait_for(r"(?m)^d +f$")
        cells = [cell for row in plain.screen.buffer.values() for cell in row.values()]
        assert {cell.fg for cell in cells} == {"default"}


def test_long_output_goes_through_the_pager(tmp_path: Path) -> None:
    with Terminal(tmp_path, "-w", "new.db", PAGER="head -n 3") as paged:
        paged.wait_for(r"new:/ \$")
        paged.run("seq 1 200")
        assert "\n3\n" in paged.text
        assert "\n4\n" not in paged.text
        paged.run("seq 5 9")
        assert "\n9\n" in paged.text

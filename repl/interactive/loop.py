"""Reading a line, running it, showing what it prints; until the person leaves."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from vshell.errors import VshellError
from vshell.fs import shells
from vshell.repl.grammar import nearest
from vshell.session import Session
from vshell.shell.engine import Plan
from vshell.shell.shell import Shell

from .directives import DIRECTIVES, Leave, help_text, run_script_text, watch
from .display import Display, as_shown, pager_of
from .reading import LineReader, PlainReader, Reader, ShellKnowledge
from .status import Status

__all__ = ["Loop"]

INTERRUPTED: Final = 130
NOT_FOUND: Final = 127


class Loop:
    """An interactive shell on a terminal.

    Args:
        session: Who works in it.
        shell: What runs the lines.
        status: What the prompt shows.
        colour: Whether the terminal shows colour.
        plain: Do without prompt-toolkit.
        environment: The host's variables, of which `PAGER` and `EDITOR` are used.
    """

    def __init__(
        self,
        session: Session,
        shell: Shell,
        *,
        status: Status,
        colour: bool,
        plain: bool,
        environment: Mapping[str, str],
    ) -> None:
        self._session = session
        self._shell = shell
        self._colour = colour
        self._plain = plain
        self._pager = () if plain else pager_of(environment)
        self.status = status
        status.cwd = shell.cwd
        self._knowledge = ShellKnowledge(shell)
        self._reader: Reader = self._make_reader()

    def _make_reader(self) -> Reader:
        if self._plain:
            return PlainReader(self._knowledge, self.status)
        return LineReader(
            self._session,
            self._knowledge,
            self.status,
            directives=DIRECTIVES,
            history_of=self._shell.name,
            colour=self._colour,
        )

    def run(self) -> int:
        """Read and run until the person leaves; return the last line's exit code."""
        while True:
            self.status.refresh(self._session.files)
            try:
                line = self._reader.read()
                if line.strip():
                    self._timed(line)
            except KeyboardInterrupt:
                if self._plain:
                    sys.stdout.write("\n")
            except (EOFError, Leave):
                return self.status.exit_code

    def _timed(self, line: str) -> None:
        began = time.monotonic()
        try:
            if line.startswith(":"):
                self.status.exit_code = self._direct(line)
            else:
                self.status.exit_code = self._run_line(line)
        except VshellError as error:
            hint = f"\nhint: {error.hint}" if error.hint else ""
            sys.stderr.write(f"error: {error.message}{hint}\n")
            self.status.exit_code = 1
        self.status.seconds = time.monotonic() - began
        self.status.cwd = self._shell.cwd
        self._knowledge.forget()

    def _run_line(self, line: str) -> int:
        columns, rows = shutil.get_terminal_size()
        plan = None
        if not self._plain:
            try:
                plan = self._shell.plan(line)
            except VshellError:
                plan = None
        shown = as_shown(line, plan, columns=columns, colour=self._colour)
        display = Display(pager=self._pager, rows=rows)
        terminal = {"COLUMNS": str(columns), "LINES": str(rows)}
        code = INTERRUPTED

        def work() -> None:
            nonlocal code
            result = self._shell.run(
                shown,
                env=terminal,
                on_output=display.write,
                timeout_s=_FOREVER_S,
                remember=False,  # what was typed is kept, and not what it became
            )
            code = result.exit_code

        cwd = self._shell.cwd
        self._interruptible(work, self._shell.interrupt)
        display.finish()
        self._remember(line, cwd, code)
        if code == NOT_FOUND and plan is not None:
            self._suggest(plan)
        return code

    def _suggest(self, plan: Plan) -> None:
        """Say what may have been meant by a command that is not there."""
        groups = ("commands", "functions", "aliases")
        known = {name for each in groups for name in self._knowledge.names().get(each, ())}
        for command in plan.commands:
            if command.name and command.name not in known and "/" not in command.name:
                near = nearest(command.name, sorted(known))
                if near:
                    sys.stderr.write(f"hint: did you mean {near}?\n")
                return

    def _remember(self, line: str, cwd: str, code: int) -> None:
        if not self._session.files.store.database.read_only:
            with self._session.changing("shell"):
                shells.add_history(self._session.files, self._shell.name, cwd, code, line)

    def _interruptible(self, work: Callable[[], None], interrupt: Callable[[], None]) -> None:
        """Do something in another thread, so that Ctrl-C reaches this one."""
        failed: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised again below
                failed.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                sys.stdout.flush()
                interrupt()
        if failed:
            raise failed[0]

    def _direct(self, line: str) -> int:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        if name in (":py", ":js"):
            return self._script("python" if name == ":py" else "javascript", rest)
        if name == ":watch":
            return self._watch(rest or self._shell.cwd)
        if name in (":vi", ":emacs") and isinstance(self._reader, LineReader):
            self._reader.vi_mode = name == ":vi"
            return 0
        if name == ":help":
            sys.stdout.write(help_text())
            return 0
        if name in (":quit", ":q"):
            raise Leave
        sys.stderr.write(f"no such command: {name}\nhint: :help lists them\n")
        return 2

    def _script(self, language: str, source: str) -> int:
        if source:
            return run_script_text(self._session, source, language)
        code = 0
        prompt = "py> " if language == "python" else "js> "
        while True:
            try:
                typed = self._reader.read_script(prompt)
            except EOFError:
                return code
            except KeyboardInterrupt:
                continue
            if typed.strip() in (":quit", ":q"):
                return code
            if typed.strip():
                code = run_script_text(self._session, typed, language)

    def _watch(self, path: str) -> int:
        ended = threading.Event()
        path = Session(self._session.files, cwd=self._shell.cwd).resolve(path)
        self._interruptible(lambda: watch(self._session, path, ended=ended.is_set), ended.set)
        return 0


_FOREVER_S: Final = 1e7

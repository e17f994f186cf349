"""How lines are read: prompt-toolkit for a terminal that can, plain lines for one that cannot."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from vshell.errors import VshellError
from vshell.session import Session
from vshell.shell.engine import Check
from vshell.shell.shell import Shell

from .highlight import STYLE, ShellLexer
from .status import Status, prompt_text, toolbar_text

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings

__all__ = ["LineReader", "PlainReader", "Reader", "ShellKnowledge"]

CONTINUATION: Final = "> "

_MENU_LINES: Final = 5
"""How many lines stay free below the line, for what it can become."""

_KEPT_LEXERS: Final = 16
"""prompt-toolkit keeps the colours of eight texts by their lexers' ids, which must not recur."""


class ShellKnowledge:
    """What the shell says of lines and names, asked once for each text.

    Args:
        shell: The shell. Its worker is asked only between lines, when it is idle.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._names: Mapping[str, list[str]] | None = None
        self._commands: frozenset[str] | None = None
        self._checked: tuple[str, Check] = ("", Check("complete"))
        self._wanted: str | None = None
        self._stale = True
        self.version = 0
        self._waiting: list[Callable[[], object]] = []
        self._is_working = False
        self._lock = threading.Lock()
        self.changed: Callable[[], None] = lambda: None

    def forget(self) -> None:
        """Ask anew: a line was run, and may have defined something."""
        self._stale = True

    def names(self) -> Mapping[str, list[str]]:
        """Return what can be completed; may wait for the worker."""
        if self._stale:
            self._renew_names()
        return self._names or {}

    def _renew_names(self) -> None:
        try:
            names = self._shell.names()
        except VshellError:
            return
        self._stale = False
        if names != self._names:
            self._names, self._commands = names, None
            self.version += 1

    def commands(self) -> frozenset[str] | None:
        """Return what can be run, or None while it is not known; never waits."""
        if self._commands is None and self._names is not None:
            groups = ("commands", "functions", "aliases")
            known = self._names
            self._commands = frozenset(name for each in groups for name in known.get(each, ()))
        if self._stale:
            self._in_background(self._renew_names)
        return self._commands

    def check(self, text: str) -> Check:
        """Return what the parser says of a text; may wait for the worker."""
        if self._checked[0] != text:
            try:
                found = self._shell.check(text)
            except VshellError:
                return Check("complete")
            if "error" in (found.status, self._checked[1].status):
                self.version += 1
            self._checked = (text, found)
        return self._checked[1]

    def error_at(self, text: str) -> tuple[int, int] | None:
        """Return where a text is wrong, as far as it is known by now; never waits."""
        checked, found = self._checked
        if checked != text:
            self._wanted = text
            self._in_background(self._check_wanted)
            return None
        if found.status != "error" or found.line is None:
            return None
        return found.line - 1, (found.column or 1) - 1

    def _check_wanted(self) -> None:
        while self._wanted is not None:
            text, self._wanted = self._wanted, None
            self.check(text)

    def _in_background(self, work: Callable[[], object]) -> None:
        with self._lock:
            if work not in self._waiting:
                self._waiting.append(work)
            if self._is_working:
                return
            self._is_working = True
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    break
                work = self._waiting.pop(0)
            work()
        self.changed()


class Reader(Protocol):
    """Reads lines from a person."""

    def read(self) -> str:
        """Return the next complete line.

        Raises:
            EOFError: The person leaves.
            KeyboardInterrupt: The person gives the line up.
        """

    def read_script(self, prompt: str) -> str:
        """Return a script, ended by an empty line; errors as `read`."""


class LineReader:
    """Reads with completion, history, colours and editing.

    Args:
        session: Whose files are completed.
        knowledge: What the shell knows.
        status: What the prompt shows.
        directives: The prompt's own commands, with what they do.
        history_of: The name of the shell's session.
        colour: Whether the terminal shows colour.
    """

    def __init__(
        self,
        session: Session,
        knowledge: ShellKnowledge,
        status: Status,
        *,
        directives: Mapping[str, str],
        history_of: str,
        colour: bool,
    ) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
        from prompt_toolkit.output import ColorDepth

        from .completion import ShellCompleter
        from .history import WorkspaceHistory

        self._knowledge = knowledge
        self._status = status
        self._colour = colour
        self._lexers: deque[ShellLexer] = deque(maxlen=_KEPT_LEXERS)
        self._shown_version = 0
        self._script_sessions: dict[str, PromptSession[str]] = {}
        completer = ShellCompleter(session, lambda: status.cwd, knowledge.names, directives)
        self.session: PromptSession[str] = PromptSession(
            history=WorkspaceHistory(session.files, history_of),
            auto_suggest=AutoSuggestFromHistory(),
            completer=completer,
            complete_in_thread=True,
            complete_while_typing=False,
            lexer=self._lexer(),
            style=STYLE,
            color_depth=None if colour else ColorDepth.DEPTH_1_BIT,
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=self._keys(),
            bottom_toolbar=lambda: toolbar_text(status, mode=self._mode()),
            reserve_space_for_menu=_MENU_LINES,
            enable_open_in_editor=True,
            enable_history_search=False,
            search_ignore_case=True,
        )
        knowledge.changed = self._show_anew

    def _lexer(self) -> ShellLexer:
        self._lexers.append(ShellLexer(self._knowledge.commands, self._knowledge.error_at))
        return self._lexers[-1]

    def _show_anew(self) -> None:
        """Colour the same text again. Only another lexer makes prompt-toolkit do so."""
        if self._knowledge.version != self._shown_version:
            self._shown_version = self._knowledge.version
            self.session.lexer = self._lexer()
        self.session.app.invalidate()

    @property
    def vi_mode(self) -> bool:
        """Whether keys are vi's."""
        from prompt_toolkit.enums import EditingMode

        return self.session.editing_mode == EditingMode.VI

    @vi_mode.setter
    def vi_mode(self, wanted: bool) -> None:
        from prompt_toolkit.enums import EditingMode

        self.session.editing_mode = EditingMode.VI if wanted else EditingMode.EMACS

    def _mode(self) -> str:
        """Return which of vi's modes the keys are in; nothing for those of emacs."""
        return self.session.app.vi_state.input_mode.value if self.vi_mode else ""

    def read(self) -> str:
        return self.session.prompt(
            lambda: prompt_text(self._status, shows_colour=self._colour), multiline=True
        )

    def read_script(self, prompt: str) -> str:
        lines: list[str] = []
        while True:
            line = self._script_session(prompt).prompt(prompt if not lines else "... ")
            if not line and lines:
                return "\n".join(lines)
            if line.strip() and not lines and not line.rstrip().endswith((":", "{", "(", "[", ",")):
                return line
            if line:
                lines.append(line)

    def _script_session(self, prompt: str) -> PromptSession[str]:
        """Return what reads scripts at a prompt, with what was typed there before."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory

        if prompt not in self._script_sessions:
            self._script_sessions[prompt] = PromptSession(
                style=STYLE, auto_suggest=AutoSuggestFromHistory()
            )
        found = self._script_sessions[prompt]
        found.editing_mode = self.session.editing_mode
        return found

    def _continuation(self, width: int, _number: int, _wrapped: int) -> StyleAndTextTuples:
        return [("class:prompt.continuation", CONTINUATION.rjust(width))]

    def _keys(self) -> KeyBindings:
        from prompt_toolkit.filters import has_completions, is_searching
        from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
        from prompt_toolkit.search import accept_search

        keys = KeyBindings()

        @keys.add("enter", filter=~is_searching & ~has_completions)
        def _accept(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            text = buffer.text
            wants_more = text.strip() and not text.startswith(":")
            if wants_more and self._knowledge.check(text).status == "incomplete":
                buffer.newline()
            else:
                buffer.validate_and_handle()

        @keys.add("enter", filter=is_searching)
        def _found(event: KeyPressEvent) -> None:
            accept_search()
            event.current_buffer.validate_and_handle()

        @keys.add("enter", filter=has_completions)
        def _choose(event: KeyPressEvent) -> None:
            event.current_buffer.complete_state = None

        return keys


class PlainReader:
    """Reads lines from a terminal that can do nothing, or from a test."""

    def __init__(self, knowledge: ShellKnowledge, status: Status) -> None:
        self._knowledge = knowledge
        self._status = status

    def read(self) -> str:
        text = self._line("".join(part[1] for part in prompt_text(self._status)))
        while not text.startswith(":") and self._knowledge.check(text).status == "incomplete":
            text += "\n" + self._line(CONTINUATION)
        return text

    def read_script(self, prompt: str) -> str:
        lines = [self._line(prompt)]
        while lines[-1]:
            lines.append(self._line("... "))
        return "\n".join(lines)

    def _line(self, prompt: str) -> str:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.removesuffix("\n")

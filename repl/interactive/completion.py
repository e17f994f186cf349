"""What a word can become: commands, options with their help, paths, variables, snapshots.

It runs in a thread of its own, so that typing never waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from vshell.errors import VshellError
from vshell.ops.ls import ls
from vshell.ops.moments import snapshots
from vshell.session import Session

from .syntax import Typed, typed_at

__all__ = ["Names", "ShellCompleter"]

Names = Mapping[str, Sequence[str]]
"""What a shell knows: `commands`, `functions`, `variables` and `aliases`."""

_MAX_ENTRIES: Final = 2000
_OF_SNAPSHOTS: Final = frozenset({"restore", "compare", "fork", "delete-snapshot"})
_DIRECTORIES_ONLY: Final = frozenset({"cd", "pushd", "rmdir"})
_TAKES_COMMANDS: Final = frozenset({"man", "which", "type", "help", "command"})
_SPECIAL: Final = re.compile(r"([\s'\"\\$`&|;<>()*?\[\]{}~#!])")
_VARIABLE: Final = re.compile(r"(?:.*[^\\])?\$(\{?)([A-Za-z_0-9]*)\Z", re.DOTALL)


class ShellCompleter(Completer):
    """Completes shell lines.

    Args:
        session: Whose files.
        cwd: Returns the shell's working directory.
        names: Returns what the shell knows by name.
        directives: The commands of the prompt itself, such as `:py`, and what each does.
    """

    def __init__(
        self,
        session: Session,
        cwd: Callable[[], str],
        names: Callable[[], Names],
        directives: Mapping[str, str],
    ) -> None:
        self._session = session
        self._cwd = cwd
        self._names = names
        self._directives = directives

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - it does not matter who asks
    ) -> Iterator[Completion]:
        """Yield what the word before the cursor can become."""
        text = document.text_before_cursor
        if text.startswith(":") and " " not in text:
            yield from _chosen(self._directives, text, text)
            return
        typed = typed_at(text)
        variable = _VARIABLE.match(typed.word)
        if variable is not None and not typed.word.startswith("'"):
            yield from self._variables(variable[1], variable[2])
        elif not typed.command and not typed.is_redirect:
            yield from self._commands(typed)
        else:
            yield from self._arguments(typed)

    def _commands(self, typed: Typed) -> Iterator[Completion]:
        if "/" in typed.word:
            yield from self._paths(typed)
            return
        if not typed.word:
            return
        names = self._names()
        kinds = {"functions": "function", "aliases": "alias"}
        meant = {name: kind for group, kind in kinds.items() for name in names.get(group, ())}
        known = {name: meant.get(name, "") for name in names.get("commands", ())} | meant
        known = {
            name: known[name] or _summary(name) for name in known if name.startswith(typed.word)
        }
        yield from _chosen(known, typed.word, typed.word)

    def _arguments(self, typed: Typed) -> Iterator[Completion]:
        if typed.word.startswith("-") and not typed.is_redirect:
            yield from _chosen(_options(typed.command), typed.word, typed.word)
            return
        if typed.command in _OF_SNAPSHOTS and not typed.is_redirect:
            yield from _chosen(self._snapshots(), typed.word, typed.word)
        if typed.command in _TAKES_COMMANDS:
            names = self._names().get("commands", ())
            yield from _chosen(dict.fromkeys(names, ""), typed.word, typed.word)
            return
        yield from self._paths(typed)

    def _variables(self, brace: str, beginning: str) -> Iterator[Completion]:
        end = "}" if brace else ""
        for name in self._names().get("variables", ()):
            if name.startswith(beginning):
                yield Completion(name + end, -len(beginning), display=name)

    def _snapshots(self) -> dict[str, str]:
        with suppress(VshellError):
            return {each.name: f"revision {each.revision}" for each in snapshots(self._session)}
        return {}

    def _paths(self, typed: Typed) -> Iterator[Completion]:
        quote = typed.word[:1] if typed.word[:1] in ("'", '"') else ""
        plain = typed.word[1:] if quote else re.sub(r"\\(.)", r"\1", typed.word, flags=re.DOTALL)
        directory, _, name = plain.rpartition("/")
        where = f"{directory}/" if "/" in plain else ""
        try:
            entries = ls(self._moved(), where or ".", limit=_MAX_ENTRIES).entries
        except VshellError:
            return
        for entry in entries:
            if not entry.name.startswith(name) or (entry.name[:1] == "." and name[:1] != "."):
                continue
            leads_on = entry.kind == "directory"
            if typed.command in _DIRECTORIES_ONLY and entry.kind == "file":
                continue
            full = where + entry.name + ("/" if leads_on else "")
            written = quote + full if quote else _SPECIAL.sub(r"\\\1", full)
            end = "" if leads_on else quote
            shown = entry.name + ("/" if leads_on else "@" if entry.kind == "symlink" else "")
            yield Completion(written + end, -len(typed.word), display=shown)

    def _moved(self) -> Session:
        return Session(self._session.files, name=self._session.name, cwd=self._cwd())


def _chosen(known: Mapping[str, str], beginning: str, typed: str) -> Iterator[Completion]:
    for name in sorted(known):
        if name.startswith(beginning):
            yield Completion(name, -len(typed), display_meta=known[name])


def _summary(name: str) -> str:
    from vshell.shell import commands

    command = commands.find(name)
    return "" if command is None else command.summary


def _options(name: str) -> dict[str, str]:
    from vshell.shell import commands

    command = commands.find(name)
    if command is None:
        return {}
    return dict(_spellings((option.flags, option.help, option.value) for option in command.options))


def _spellings(
    options: Iterable[tuple[Sequence[str], str, str | None]],
) -> Iterator[tuple[str, str]]:
    for flags, text, value in options:
        for flag in flags:
            yield f"{flag}=" if value is not None and flag.startswith("--") else flag, text

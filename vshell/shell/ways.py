"""The way in which a script is run: the quickest that shows no difference.

- One plain command of ours needs no interpreter at all.
- A script of the language's own commands, and of filters whose use is plain, needs no event
  loop. That is a fifth of the time; but output then comes as text, so nothing may print what
  is none.
- Everything else runs in the loop, where commands are called and output streams.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from vshell.shell.native import LANGUAGE, PRINTING, QUICK
from vshell.shell.native_filters import FILTERS, served
from vshell.shell.rules import Judge

_WORD: Final = r"""(?:[A-Za-z0-9_./=:,@%+-]|'[^']*'|"[^"$`\\]*")+"""
_PLAIN_COMMAND: Final = re.compile(rf"[ \t]*{_WORD}(?:[ \t]+{_WORD})*[ \t\n]*")
_QUICK_CHARACTERS: Final = 4096
_SLOW: Final = re.compile(r"\\(?![nt])|\b(?:select|coproc|time)\b|[<>]\(|(?<![&>])&(?![&>])|`")
"""What the quick way is not for: output that may be no text, and jobs."""
_KNOWN: Final = QUICK | FILTERS
_LOOP: Final = re.compile(r"\b(?:for|while|until)\b")


@dataclass(frozen=True, slots=True)
class Way:
    """How to run a script.

    Attributes:
        loop: Whether it needs the event loop.
        endless: Whether it may take long, so that a signal must be able to end it.
        natives: The filters that the engine's own commands serve.
    """

    loop: bool = True
    endless: bool = True
    natives: frozenset[str] = frozenset()


def plain_words(script: str) -> list[str]:
    """Return the words of a script that is one command with nothing to expand.

    Most lines that are run are (`ls -la src`).
    """
    return shlex.split(script) if _PLAIN_COMMAND.fullmatch(script) else []


def way_of(
    script: str,
    plan: Any,
    *,
    functions: Collection[str],
    judge: Judge,
    has_input: bool,
) -> Way:
    """Return how to run a script.

    Args:
        script: The script.
        plan: What the engine's analysis says of it.
        functions: The functions that there are before.
        judge: Knows which commands must be asked about.
        has_input: Whether it is given something to read.
    """
    if plan.is_opaque or plan.has_dynamic_commands:
        return Way()
    commands = [each for each in plan.commands if not each.is_assignment_only]
    names = {each.name or "" for each in commands}
    if names & {*functions}:
        return Way()
    own = {*plan.functions}
    reads = has_input or any(each.mode == "read" for each in plan.redirects)
    if reads or len(script) > _QUICK_CHARACTERS or _SLOW.search(script):
        return Way()
    if any(map(judge.names, names)) or not names - own <= _KNOWN:
        return Way()
    natives = frozenset() if judge.judges_commands else served(script, commands)
    if not names - own <= QUICK | natives:
        return Way()
    endless = _LOOP.search(script) is not None or bool(own)
    # Without the loop, bashkit keeps 10 MB of what is printed, and says nothing of more.
    return Way(loop=endless and _prints_directly(commands), endless=endless, natives=natives)


def _prints_directly(commands: Iterable[Any]) -> bool:
    return any(
        each.name in PRINTING | FILTERS and each.context != "substitution" for each in commands
    )


def is_served_by_us(words: list[str], ours: Collection[str]) -> bool:
    """Tell whether a plain command is one of ours, that nothing of the language comes before."""
    return bool(words) and words[0] in ours and words[0] not in LANGUAGE

"""Which uses of a filter the engine's own form may serve: those in which it is like ours.

A command of ours takes about a millisecond of a pipeline, in changes of thread; the engine's
own takes some microseconds. But the engine knows fewer options, and what is no UTF-8 it may
replace. So its commands run only where a script's words show that neither matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

_SET: Final = (
    r"(?!-[A-Za-z])(?:[A-Za-z0-9 ,.:;_/+=@%#-]|\\n|\\t"
    r"|\[:(?:upper|lower|digit|space|alpha|alnum|punct):\])+"
)
_LIST: Final = r"[1-9]\d{0,3}(?:-\d{0,4})?(?:,[1-9]\d{0,3}(?:-\d{0,4})?)*"
_TEXT: Final = r"[A-Za-z0-9 _:;,=@%#-]+"


# Words after the command, joined by NUL. Of `head`, the engine's takes the square of the lines.
_FORMS: Final = {
    name: re.compile(pattern)
    for name, pattern in {
        "cat": "-?",
        "cut": rf"(?:-d\0?[ -\[\]-~]\0?)?-f\0?{_LIST}",
        "grep": rf"(?:-(?:[qcviwF]{{1,2}})\0)?(?!-){_TEXT}",
        "head": r"(?:-n\0?|-)\d{1,2}",
        "rev": "",
        "sed": rf"s/\^?{_TEXT}/{_TEXT}?/g?",
        "seq": r"\d{1,4}(?:\0\d{1,4})?",
        "sort": r"(?:-(?:[nru]|nr|rn|nu|un|ru|ur))?",
        "tail": r"(?:-n\0?|-)\d{1,6}|-n\0?\+\d{1,6}",
        "tr": rf"-d\0{_SET}|-s\0{_SET}|-cd\0{_SET}|{_SET}\0{_SET}",
        "uniq": "(?:-[cdu])?",
        "wc": "(?:-[lcw])?",
    }.items()
}

FILTERS: Final = frozenset(_FORMS)

_SHARED: Final = re.compile(
    r"\|&?\s*(?:[({!]|(?:while|until|for|if|case|select)\b)|(?:[})]|\b(?:done|fi|esac))\s*\d*<"
    r"|\bexec\b"
)
"""Input that several commands share: the engine's own leave there what they have read."""

_INDIRECT_NAMES = """
. alias bash builtin command coproc env eval exec nice nohup sh source timeout trap
"""
_INDIRECT: Final = frozenset(_INDIRECT_NAMES.split())
"""Commands that run others by words that are not seen to be commands."""


class Words(Protocol):
    """A command in a script, as far as its text says it."""

    @property
    def name(self) -> str | None: ...
    @property
    def args(self) -> Sequence[str | None]: ...


def served(script: str, commands: Iterable[Words]) -> frozenset[str]:
    """Return the filters of a script that the engine's own may serve, wherever they stand.

    Args:
        script: The script, in which nothing can print or read what is no UTF-8.
        commands: All its commands, but for mere assignments.
    """
    uses = [(each.name, list(each.args)) for each in commands]
    names = {name for name, _ in uses}
    if not names & FILTERS or None in names or names & _INDIRECT or _SHARED.search(script):
        return frozenset()
    refused = {name for name, words in uses if not _is_plain(name or "", words)}
    return frozenset(name for name in names if name in FILTERS and name not in refused)


def _is_plain(name: str, words: list[str | None]) -> bool:
    form = _FORMS.get(name)
    if form is None or None in words:
        return False
    return form.fullmatch("\0".join(map(str, words))) is not None

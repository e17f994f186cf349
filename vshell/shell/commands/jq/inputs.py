"""What programs of `jq` run on: the values of its inputs, one after the other."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import read_all
from vshell.shell.commands.jq.documents import placed_documents
from vshell.shell.commands.jq.settings import Settings
from vshell.shell.messages import reason


@dataclass(frozen=True, slots=True)
class _Sources:
    """The texts of all inputs together, as nothing stands between them.

    Attributes:
        text: The texts.
        names: The file of each; None for standard input that was not named.
        ends: Where each ends.
    """

    text: str
    names: list[str | None]
    ends: list[int]

    def name_at(self, end: int) -> str | None:
        """Return the file in which what ends there ends."""
        return self.names[bisect_left(self.ends, end)] if self.names else None


def inputs(
    call: Invocation, settings: Settings, failed: Callable[[], None]
) -> Iterator[tuple[str, str | None]]:
    """Yield the text of each input value, and the file that it is from.

    Args:
        call: The command's run.
        settings: What was asked for.
        failed: Called for a file that cannot be read.

    Raises:
        BadJSONError: An input is no JSON.
    """
    sources = _sources(call, settings, failed)
    raw, slurp = "raw-input" in settings.flags, "slurp" in settings.flags
    if raw and slurp:
        yield json.dumps(sources.text), None
        return
    found = _lines(sources) if raw else _values(sources)
    if "stream" in settings.flags and not raw:
        found = ((event, name) for text, name in found for event in _events(text))
    if slurp:
        yield f"[{','.join(text for text, _ in found)}]", None
    else:
        yield from found


def _sources(call: Invocation, settings: Settings, failed: Callable[[], None]) -> _Sources:
    texts: list[str] = []
    names: list[str | None] = []
    for name in settings.files or (None,):
        try:
            data = call.stdin.read() if name is None else read_all(call, name)
        except VshellError as error:
            call.complain(f"error: Could not open file {name}: {reason(error)}")
            failed()
            continue
        texts.append(data.decode("utf-8", "replace"))
        names.append(name)
    return _Sources("".join(texts), names, list(accumulate(map(len, texts))))


def _values(sources: _Sources) -> Iterator[tuple[str, str | None]]:
    for text, end in placed_documents(sources.text):
        yield text, sources.name_at(end)


def _lines(sources: _Sources) -> Iterator[tuple[str, str | None]]:
    end = 0
    for line in sources.text.removesuffix("\n").split("\n") if sources.text else []:
        end += len(line) + 1
        yield json.dumps(line), sources.name_at(min(end, len(sources.text)))


def _events(text: str) -> Iterator[str]:
    """Yield what `--stream` makes of a value: each leaf with its path, each end of a holder."""
    import jq

    yield from jq.compile("tostream | tojson").input_text(text)

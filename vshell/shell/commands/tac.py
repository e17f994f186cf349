"""`tac`: files, the last line first."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    failing,
    open_input,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, reason

# tac.


@failing
def run_tac(call: Invocation) -> int:
    parsed = call.parsed
    failures: list[str] = []
    separator = parsed.value("separator", "\n") or ""
    if not separator and parsed.flag("regex"):
        raise UsageError("separator cannot be empty", hint=False)
    before = parsed.flag("before")
    split = (
        _regex_splitter(separator)
        if parsed.flag("regex")
        else _plain_splitter(to_bytes(separator) or b"\0")
    )
    form = "failed to open {quoted} for reading: {reason}"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                data = open_input(call, name).read()
            except VshellError as error:
                what = f"{quote(name)}: read error" if error.code == "is_directory" else None
                message = form.format(quoted=quote(name), reason=reason(error))
                call.complain(message if what is None else f"{name}: read error: {reason(error)}")
                failures.append(name)
                continue
            for part in reversed(_cut(data, list(split(data)), before=before)):
                out.write(part)
    return 1 if failures else 0


Splitter = Callable[[bytes], Iterator[tuple[int, int]]]


def _plain_splitter(separator: bytes) -> Splitter:
    pattern = re.compile(re.escape(separator))
    return lambda data: ((match.start(), match.end()) for match in pattern.finditer(data))


def _regex_splitter(separator: str) -> Splitter:
    from vshell.text.posix_regex import compile_posix

    pattern = compile_posix(separator)

    def split(data: bytes) -> Iterator[tuple[int, int]]:
        text = to_text(data)
        offsets = [0]
        for character in text:
            offsets.append(offsets[-1] + len(to_bytes(character)))
        end = len(text)
        # From the end backwards, as `tac` looks for them: the latest start that matches.
        found = []
        while end > 0:
            for start in range(end - 1, -1, -1):
                match = pattern.match(text, start, end)
                if match and match.end() > start:
                    found.append((offsets[start], offsets[match.end()]))
                    end = start
                    break
            else:
                break
        yield from reversed(found)

    return split


def _cut(data: bytes, separators: Sequence[tuple[int, int]], *, before: bool) -> list[bytes]:
    places = [start if before else end for start, end in separators]
    bounds = [0, *places, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]


COMMANDS: Final = (
    Command(
        "tac",
        "[OPTION]... [FILE]...",
        "Write each FILE to standard output, last line first.",
        run_tac,
        options=(
            Option(("-b", "--before"), "Attach the separator before instead of after."),
            Option(("-r", "--regex"), "Interpret the separator as a regular expression."),
            Option(
                ("-s", "--separator"), "Use STRING as the separator instead of newline.", "STRING"
            ),
        ),
    ),
)

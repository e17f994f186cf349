"""`tsort`: what comes before what."""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    Failure,
    failing,
    require_input,
    to_text,
)
from vshell.shell.messages import quote_typographic

# tsort.


@failing
def run_tsort(call: Invocation) -> int:
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    name = call.operands[0] if call.operands else "-"
    words = require_input(call, name).read().split()
    if len(words) % 2:
        raise Failure(f"{name}: input contains an odd number of tokens")
    after: dict[bytes, list[bytes]] = {}
    before: dict[bytes, int] = {}
    for first, second in zip(words[::2], words[1::2], strict=True):
        for word in (first, second):
            after.setdefault(word, [])
            before.setdefault(word, 0)
        if first != second:
            after[first].append(second)
            before[second] += 1
    return _print_order(call, name, after, before)


def _print_order(
    call: Invocation, name: str, after: dict[bytes, list[bytes]], before: dict[bytes, int]
) -> int:
    status = 0
    ready = sorted(word for word in before if not before[word])
    left = dict(before)
    with BufferedOutput(call.stdout) as out:
        while left:
            if not ready:
                status = 1
                ready = [_break_loop(call, name, after, left)]
            queue, ready = ready, []
            for word in queue:
                if word not in left:
                    continue
                out.write(word + b"\n")
                del left[word]
                # The one that was named last comes first, as in a list that grows at its head.
                for following in reversed(after[word]):
                    if following in left:
                        left[following] -= 1
                        if left[following] == 0:
                            ready.append(following)
    return status


def _break_loop(
    call: Invocation, name: str, after: dict[bytes, list[bytes]], left: dict[bytes, int]
) -> bytes:
    """Find a loop, report it, and return one word of it as free."""
    start = min(left)
    path: list[bytes] = []
    word = start
    leads = {
        following: first
        for first in sorted(left, reverse=True)
        for following in after[first]
        if following in left
    }
    while word not in path:
        path.append(word)
        word = leads[word]
    loop = list(reversed(path[path.index(word) :]))
    least = loop.index(min(loop))
    loop = loop[least:] + loop[:least]
    call.complain(f"{name}: input contains a loop:")
    for each in loop:
        call.complain(to_text(each))
    last, first = loop[-1], loop[0]
    after[last] = [each for each in after[last] if each != first]
    left[first] = 0
    return first


COMMANDS: Final = (
    Command(
        "tsort",
        "[OPTION] [FILE]",
        "Write totally ordered list consistent with the partial ordering in FILE.",
        run_tsort,
    ),
)

"""Asking a container what is at some paths now."""

from __future__ import annotations

from collections.abc import Iterable

from vshell.errors import UnavailableError
from vshell.sync.container_listing import CLOCK, clock_ns, entry_of, records, told
from vshell.sync.container_loop import ContainerLoop
from vshell.sync.target import Entry

__all__ = ["Looking", "encoded", "is_answered", "look_list", "path_list"]

_LOOKED = (0, 1, 123)
"""What `find` and `xargs` end with when some of what they were asked for is not there."""


class Looking:
    """Looks at paths through a shell in the container."""

    def __init__(self, loop: ContainerLoop) -> None:
        self._loop = loop

    def at(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is at these paths now, without what is not there."""
        data = look_list(paths)
        answer = self._loop.ask(f"take {len(data)} look; tick; stats $control/look", [data])
        return self.seen(data, *answer)

    def seen(self, asked: bytes, code: int, said: bytes) -> dict[str, Entry]:
        """Return what an answer to `stats` says, which was asked about a list of paths."""
        if not is_answered(code):  # what is not told of would be taken for gone
            raise UnavailableError(
                "the container cannot look at its files", hint="see whether it has memory left"
            )
        is_plain = self._loop.tools == "plain"
        found = told(asked.split(b"\0")[:-1], said) if is_plain else records([said])
        now_ns = clock_ns(next(found, b""))
        entries = (entry_of(record, now_ns) for record in found)
        return {entry.path: entry for entry in entries}


def is_answered(code: int) -> bool:
    """Tell whether a look ended well, whatever was there."""
    return code in _LOOKED


def look_list(paths: Iterable[str]) -> bytes:
    """Return the paths for `stats`, after that of the clock."""
    return CLOCK.encode() + b"\0" + path_list(paths)


def path_list(paths: Iterable[str]) -> bytes:
    """Return paths below the mirror, as `xargs -0` takes them."""
    return b"".join(b"./" + encoded(path) + b"\0" for path in paths)


def encoded(path: str) -> bytes:
    """Return the bytes of a path."""
    return path.encode("utf-8", "surrogateescape")

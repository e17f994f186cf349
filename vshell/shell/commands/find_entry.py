"""What `find` looks at, and the state of one run of it."""

from __future__ import annotations

from collections.abc import Callable

from vshell.fs.records import EntryStat
from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput
from vshell.shell.nodes import Listing


class Found:
    """One thing that was found.

    Attributes:
        path: Its path, beginning with the starting point as it was typed.
        node: What it is; when links are followed, what it leads to.
        depth: How far below the starting point; that itself is 0.
        start: The starting point.
        is_link: Whether a link led there.
    """

    __slots__ = ("depth", "is_link", "node", "path", "start")

    def __init__(
        self, path: str, node: EntryStat, depth: int, start: str, *, is_link: bool = False
    ) -> None:
        self.path = path
        self.node = node
        self.depth = depth
        self.start = start
        self.is_link = is_link

    @property
    def name(self) -> str:
        """Its name, without the directory; of `/` that is `/`."""
        stripped = self.path.rstrip("/")
        return stripped.rpartition("/")[2] if stripped else "/"

    @property
    def directory(self) -> str:
        """What its path has before the name."""
        stripped = self.path.rstrip("/")
        if not stripped:
            return ""
        directory, slash, _ = stripped.rpartition("/")
        return directory if slash else "."

    @property
    def below(self) -> str:
        """Its path from the starting point on."""
        return self.path[len(self.start) :].lstrip("/")

    def ancestor(self, depth: int) -> str:
        """Return the path of the directory so far below the starting point that it is in."""
        names = self.below.split("/")
        return "/".join([self.start.rstrip("/"), *names[:depth]]) if depth else self.start


Test = Callable[[Found], bool]


class Stop(Exception):  # noqa: N818 - `-quit`, which is no error
    """Ends the walk."""


class Run:
    """The state of one run.

    Attributes:
        follow: Which links are followed: `never`, `operands` or `always`.
        expression: What is asked of everything.
        pruned: Set by `-prune`: the directory is not gone into.
        listing: What is below the starting point.
    """

    def __init__(self, call: Invocation, out: BufferedOutput) -> None:
        self.call = call
        self.out = out
        self.follow = "never"
        self.expression: Test = lambda _: True
        self.min_depth = 0
        self.max_depth = 1 << 30
        self.depth_first = False
        self.pruned = False
        self.start = ""
        self.status = 0
        self.listing: Listing | None = None
        self.at_end: list[Callable[[], None]] = []

    def fail(self, message: str) -> None:
        """Complain; the exit code will be 1."""
        self.out.flush()
        self.call.complain(message)
        self.status = 1

    def finish(self) -> None:
        """Run what was put off, such as the last `-exec ... +`, and write output files."""
        for work in self.at_end:
            work()

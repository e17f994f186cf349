"""Where adapters run commands: in the virtual shell, or in a container beside the workspace.

Harnesses start every command afresh, several at once, and may give one up. So an executor
makes a `Command` of each: it is run once, in any thread, and can be interrupted from another.
In a container the workspace is at `/workspace`; `Executor.root` says where it is, and
`to_workspace` and `from_workspace` translate.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from vshell.errors import InvalidPathError, RangeError, UnavailableError
from vshell.fs.paths import is_below, lexical
from vshell.ops.context import Context
from vshell.tools.commands import Ran

if TYPE_CHECKING:
    from vshell.shell.rules import Rules

Words: TypeAlias = str | Sequence[str]
OnOutput: TypeAlias = Callable[[str, bytes], None]

NO_TIMEOUT_S: Final = 7 * 24 * 3600.0
"""How long a command may run for whom sets no limit: a week."""

MAX_OUTPUT_BYTES: Final = 64 * 1024**2
"""How much of each stream a command's result holds."""


class Command(Protocol):
    """A command that can be run once."""

    def run(self) -> Ran:
        """Run it, and return what it did.

        Raises:
            UnavailableError: There is no shell or no container here.
        """

    def interrupt(self) -> None:
        """End it; any thread may."""


class Executor(Protocol):
    """What runs commands on the files of a workspace."""

    @property
    def root(self) -> str:
        """Where commands see the root of the workspace."""

    def command(
        self,
        command: Words,
        *,
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        stdin: bytes = b"",
        on_output: OnOutput | None = None,
    ) -> Command:
        """Return a command to run.

        Args:
            command: The program and its arguments; text is a script.
            cwd: Where it runs, as commands see paths; None for the executor's directory.
            environment: Variables, beside those of the executor.
            timeout_s: Seconds before it is ended; None for a week.
            stdin: What it reads.
            on_output: Is called with `"stdout"` or `"stderr"` and bytes while it runs.
        """

    def close(self) -> None:
        """Let go of what runs commands. The files stay."""


class VirtualExecutor:
    """Runs commands in the workspace's own shell, each in a fresh one.

    Args:
        context: The workspace or session.
        rules: What may be run, as `Session.shell` takes it.
    """

    root = "/"

    def __init__(self, context: Context, *, rules: Rules | Mapping[str, Any] | None = None) -> None:
        self._context = context
        self._rules = rules

    def command(
        self,
        command: Words,
        *,
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        stdin: bytes = b"",
        on_output: OnOutput | None = None,
    ) -> _VirtualCommand:
        """See `Executor.command`.

        Raises:
            UnavailableError: The workspace has no shell.
        """
        make = getattr(self._context, "shell", None)
        if make is None:
            raise UnavailableError("there is no shell in this installation")
        limits = {
            "max_output_bytes": MAX_OUTPUT_BYTES,
            "max_total_output_bytes": 2 * MAX_OUTPUT_BYTES,
        }
        options = {
            "cwd": cwd,
            "env": environment,
            "timeout_s": timeout_s or NO_TIMEOUT_S,
            "stdin": stdin,
            "on_output": on_output,
        }
        return _VirtualCommand(make(rules=self._rules, limits=limits), _script(command), options)

    def close(self) -> None:
        """See `Executor.close`."""


class _VirtualCommand:
    def __init__(self, shell: Any, script: str, options: dict[str, Any]) -> None:
        self._shell = shell
        self._script = script
        self._options = options
        self._is_interrupted = False

    def run(self) -> Ran:
        try:
            # A shell forgets an interrupt that comes before it runs something.
            if self._is_interrupted:
                return Ran(b"", b"", 130, timed_out=False)
            result = self._shell.run(self._script, **self._options)
        finally:
            self._shell.close()
        return Ran(
            result.stdout,
            result.stderr,
            result.exit_code,
            timed_out=result.timed_out,
            truncated=result.truncated,
        )

    def interrupt(self) -> None:
        self._is_interrupted = True
        self._shell.interrupt()


ExecutorChoice: TypeAlias = Literal["virtual", "container"] | Executor


def open_executor(
    context: Context,
    choice: ExecutorChoice = "virtual",
    *,
    image: str | None = None,
    rules: Rules | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Executor:
    """Return the executor that an adapter was asked for.

    Args:
        context: The workspace or session.
        choice: `"virtual"` for the workspace's shell, `"container"`, or an executor.
        image: The container's image.
        rules: What the virtual shell may run, as `Session.shell` takes it.
        options: What `Session.container` takes beside the image.

    Raises:
        RangeError: The container has no image, or there is no such choice.
        UnavailableError: The library `docker` is missing, or no daemon answers.
    """
    if choice == "virtual":
        return VirtualExecutor(context, rules=rules)
    if choice == "container":
        if image is None:
            raise RangeError("the container needs an image", hint='pass image="debian:12"')
        from vshell.tools.container_executor import ContainerExecutor

        return ContainerExecutor(context, image, **(options or {}))
    if isinstance(choice, str):
        raise RangeError(f"there is no executor {choice!r}", hint='choose "virtual" or "container"')
    return choice


def to_workspace(root: str, path: str) -> str:
    """Return the path in the workspace of a path that commands see.

    Raises:
        InvalidPathError: It is not below `root`.
    """
    where = lexical(path) if path.startswith("/") else path
    if root == "/" or not where.startswith("/"):
        return path
    if not is_below(where, root):
        raise InvalidPathError(
            f"outside of the workspace: {path}", path=path, hint=f"the workspace is at {root}"
        )
    return where[len(root) :] or "/"


def from_workspace(root: str, path: str) -> str:
    """Return how commands see a path of the workspace."""
    return path if root == "/" else (root + path).rstrip("/")


def _script(command: Words) -> str:
    return command if isinstance(command, str) else shlex.join(command)

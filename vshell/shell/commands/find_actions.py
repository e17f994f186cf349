"""The actions of `find`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY
from vshell.shell.command import UsageError
from vshell.shell.command_io import to_bytes, write_file
from vshell.shell.commands.find_entry import Found, Run, Stop, Test
from vshell.shell.commands.find_format import long_line, parse_format
from vshell.shell.messages import quote_typographic, reason

_BATCH_BYTES: Final = 120_000
"""How many bytes of names one `-exec ... +` gets at most."""


def print_path(run: Run, end: str) -> Test:
    def show(found: Found) -> bool:
        run.out.write(to_bytes(found.path + end))
        return True

    return show


def _print(end: str) -> Callable[[Run, Sequence[str]], Test]:
    return lambda run, _: print_path(run, end)


class _OutputFile:
    """A file that an action writes; it is there as soon as the command begins."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._parts: list[bytes] = []
        self._write(b"")
        run.at_end.append(lambda: self._write(b"".join(self._parts)))

    def write(self, text: str) -> None:
        self._parts.append(to_bytes(text))

    def _write(self, data: bytes) -> None:
        if self._name in ("/dev/stdout", "/dev/stderr") and not data:
            return
        try:
            write_file(self._run.call, self._name, data)
        except VshellError as error:
            raise UsageError(
                f"{quote_typographic(self._name)}: {reason(error)}", hint=False
            ) from None


def _to_file(show: Callable[[Run, Found], str]) -> Callable[[Run, Sequence[str]], Test]:
    def make(run: Run, words: Sequence[str]) -> Test:
        target = _OutputFile(run, words[0])

        def act(found: Found) -> bool:
            target.write(show(run, found))
            return True

        return act

    return make


def _ls(run: Run, _: Sequence[str]) -> Test:
    def act(found: Found) -> bool:
        run.out.write(to_bytes(long_line(run, found)))
        return True

    return act


def _printf(run: Run, words: Sequence[str]) -> Test:
    show = parse_format(run, words[0])

    def act(found: Found) -> bool:
        run.out.write(to_bytes(show(found)))
        return True

    return act


def _fprintf(run: Run, words: Sequence[str]) -> Test:
    target, show = _OutputFile(run, words[0]), parse_format(run, words[1])

    def act(found: Found) -> bool:
        target.write(show(found))
        return True

    return act


def _prune(run: Run, _: Sequence[str]) -> Test:
    def act(found: Found) -> bool:
        run.pruned = found.node.kind == DIRECTORY
        return True

    return act


def _quit(_run: Run, _: Sequence[str]) -> Test:
    def act(_found: Found) -> bool:
        raise Stop

    return act


def _delete(run: Run, _: Sequence[str]) -> Test:
    run.depth_first = True
    context = run.call.context

    def act(found: Found) -> bool:
        if found.path == ".":
            return True
        path = context.resolve(found.path)
        try:
            with context.changing(run.call.name):
                if found.node.kind == DIRECTORY and not found.is_link:
                    context.files.rmdir(path)
                else:
                    context.files.unlink(path)
        except VshellError as error:
            run.fail(f"cannot delete {quote_typographic(found.path)}: {reason(error)}")
            return False
        return True

    return act


# Other commands.


def _execute(run: Run, words: Sequence[str], directory: str | None) -> int:
    """Run a command, if given in a directory; its output goes out as it is."""
    context = run.call.context
    run.out.flush()
    before = context.cwd
    if directory is not None:
        context.cwd = context.files.realpath(context.resolve(directory))
    try:
        done = run.call.execute(list(words), b"")
    finally:
        context.cwd = before
    run.out.write(done.stdout)
    run.out.flush()
    if done.stderr:
        run.call.stderr.write(done.stderr)
    return done.exit_code


def _exec(run: Run, words: Sequence[str]) -> Test:
    word, *command, end = words
    in_directory = word.endswith("dir")
    if end == "+":
        return _Batches(run, command[:-1], in_directory=in_directory).add
    asks = word.startswith("-ok")

    def act(found: Found) -> bool:
        name = f"./{found.name}" if in_directory else found.path
        filled = [each.replace("{}", name) for each in command]
        if asks and not _agrees(run, filled, found):
            return False
        return _execute(run, filled, found.directory if in_directory else None) == 0

    return act


def _agrees(run: Run, words: Sequence[str], found: Found) -> bool:
    run.out.flush()
    question = f"< {words[0]} ... {found.path} > ? "
    run.call.stderr.write(to_bytes(question))
    return run.call.stdin.readline()[:1] in (b"y", b"Y")


class _Batches:
    """Collects names for `-exec ... +`, and runs the command with as many as fit."""

    def __init__(self, run: Run, command: Sequence[str], *, in_directory: bool) -> None:
        self._run = run
        self._command = command
        self._in_directory = in_directory
        self._names: list[str] = []
        self._size = 0
        self._directory: str | None = None
        run.at_end.append(self.flush)

    def add(self, found: Found) -> bool:
        name = f"./{found.name}" if self._in_directory else found.path
        size = len(to_bytes(name)) + 1
        directory = found.directory if self._in_directory else None
        if self._names and (directory != self._directory or self._size + size > _BATCH_BYTES):
            self.flush()
        self._directory = directory
        self._names.append(name)
        self._size += size
        return True

    def flush(self) -> None:
        if self._names:
            words = [*self._command, *self._names]
            self._names, self._size = [], 0
            if _execute(self._run, words, self._directory):
                self._run.status = 1


@dataclass(frozen=True, slots=True)
class Action:
    """An action: how many arguments it takes, and what makes it.

    Attributes:
        is_output: Whether there is no printing beside it unless asked for.
        is_command: Whether its arguments are a command, up to `;` or `+`.
    """

    count: int
    make: Callable[[Run, Sequence[str]], Test]
    is_output: bool = True
    is_command: bool = False


ACTIONS: Final[dict[str, Action]] = {
    "-print": Action(0, _print("\n")),
    "-print0": Action(0, _print("\0")),
    "-printf": Action(1, _printf),
    "-fprint": Action(1, _to_file(lambda _, found: f"{found.path}\n")),
    "-fprint0": Action(1, _to_file(lambda _, found: f"{found.path}\0")),
    "-fprintf": Action(2, _fprintf),
    "-ls": Action(0, _ls),
    "-fls": Action(1, _to_file(long_line)),
    "-prune": Action(0, _prune, is_output=False),
    "-quit": Action(0, _quit, is_output=False),
    "-delete": Action(0, _delete),
    "-exec": Action(0, _exec, is_command=True),
    "-execdir": Action(0, _exec, is_command=True),
    "-ok": Action(0, _exec, is_command=True),
    "-okdir": Action(0, _exec, is_command=True),
}

"""The `codex` profile: `apply_patch` and `shell`, as OpenAI's Codex has them.

A patch is applied whole or not at all; `atomic=False` applies one file after the other
and stops at the first that fails, as Codex itself does.
"""

from __future__ import annotations

import re
import shlex
import time
from typing import Any, Final

from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    PatchError,
    PatchInvalidError,
    RangeError,
    VshellError,
)
from vshell.limits import MAX_TEXT_BYTES
from vshell.ops.context import Context
from vshell.text.v4a import AddFile, DeleteFile, Dialect, FileChange, UpdateFile, parse_v4a, updated
from vshell.tools.commands import CommandRunner, keep_ends
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.schema_parts import array, record, text, whole

_MAX_OUTPUT_CHARACTERS: Final = 40_000
_DEFAULT_TIMEOUT_MS: Final = 10_000
_MAX_TIMEOUT_MS: Final = 600_000
_SHELLS: Final = ("bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh")
_HEREDOC: Final = re.compile(
    r"""\s*(?:cd\s+(?P<cwd>\S+)\s*&&\s*)?(?:apply_patch|applypatch)\s*
        <<-?\s*(?P<quote>['"]?)(?P<word>\w+)(?P=quote)\n(?P<patch>.*)\n(?P=word)\s*""",
    re.VERBOSE | re.DOTALL,
)

_DESCRIPTION: Final = """\
Applies a patch to files. The patch is text of this form, and every path is relative:

*** Begin Patch
*** Add File: <path>
+<each line of the new file after a plus sign>
*** Delete File: <path>
*** Update File: <path>
*** Move to: <new path, if the file is to be renamed>
@@ <a line that the change comes after, such as a class or function header>
 <a context line, after a space; show 3 lines above and below each change>
-<a line that is removed>
+<a line that is added>
*** End Patch

Nothing is changed unless all of it can be applied."""


def codex_profile(
    context: Context, *, dialect: Dialect = "codex", atomic: bool = True, rules: Any = None
) -> Profile:
    """Return the tools apply_patch and shell.

    Args:
        context: What they work in.
        dialect: `"codex"`: patches mean what they mean to Codex; `"openai"`: what they mean
            to OpenAI's Agents SDK. `vshell.text.v4a` has the differences.
        atomic: Apply a patch whole or not at all.
        rules: What shell may run, as `Session.shell` takes it.

    Raises:
        RangeError: There is no such dialect.
    """
    if dialect not in ("codex", "openai"):
        raise RangeError(f'dialect must be "codex" or "openai", not {dialect!r}')
    patcher = Patcher(context, dialect=dialect, atomic=atomic)
    tools = [
        Tool(
            "apply_patch",
            _DESCRIPTION,
            record(("input",), input=text("The entire contents of the apply_patch command")),
            lambda _, given: patcher.apply(given["input"]),
            aliases={"patch": "input", "diff": "input", "patch_text": "input", "text": "input"},
            changes=True,
            separate=True,
        ),
        Tool(
            "shell",
            "Runs a command in the workspace's shell and returns its output. There is no network."
            ' A pipeline or script is run as ["bash", "-lc", "..."].',
            record(
                ("command",),
                command=array(text(), "The command and its arguments", minItems=1),
                workdir=text("The working directory to execute the command in"),
                timeout_ms=whole("The timeout for the command in milliseconds", minimum=1),
            ),
            lambda runner, given: _shell(runner, patcher, given),
            prepare=_command_words,
            aliases={"cmd": "command", "cwd": "workdir", "timeout": "timeout_ms"},
            runs_commands=True,
        ),
    ]
    return Profile("codex", tools, context=context, rules=rules, render_error=render_error)


def render_error(error: VshellError) -> str:
    """Return an error of vshell as text for the model."""
    hint = f"\n{error.hint}" if error.hint and not isinstance(error, PatchError) else ""
    return f"{error}{hint}"


class Patcher:
    """Applies patches to files.

    Args:
        context: Whose.
        dialect: Whose rules hold.
        atomic: Apply a patch whole or not at all.
    """

    def __init__(
        self, context: Context, *, dialect: Dialect = "codex", atomic: bool = True
    ) -> None:
        self._context = context
        self._dialect = dialect
        self._atomic = atomic

    def apply(self, patch: str, *, cwd: str | None = None) -> str:
        """Apply a patch, and return what was changed, as Codex says it.

        Args:
            patch: Its text.
            cwd: What its paths are relative to; None is the context's own.

        Raises:
            PatchInvalidError: It is no patch.
            PatchContextError: It does not fit the files.
            NotFoundError, IsDirectoryError: A file that it names is not there, or is none.
        """
        changes = parse_v4a(patch, dialect=self._dialect)
        if not changes:
            raise PatchInvalidError("No files were modified.", hint="name files in the patch")
        done: list[tuple[str, str]] = []
        if self._atomic:
            with self._context.changing("apply_patch"):
                done = [self._apply(change, cwd) for change in changes]
        else:
            for change in changes:
                with self._context.changing("apply_patch"):
                    done.append(self._apply(change, cwd))
        listed = [f"{sign} {path}" for wanted in "AMD" for sign, path in done if sign == wanted]
        return "\n".join(["Success. Updated the following files:", *listed, ""])

    def _apply(self, change: FileChange, cwd: str | None) -> tuple[str, str]:
        where = self._place(change.path, cwd)
        try:
            if isinstance(change, AddFile):
                return "A", self._add(change, where)
            if isinstance(change, DeleteFile):
                return "D", self._delete(change, where)
            return "M", self._update(change, where, cwd)
        except (NotDirectoryError, IsDirectoryError) as error:
            raise type(error)(
                f"Failed to write file {where}: {error}", path=where, hint=error.hint
            ) from None

    def _place(self, path: str, cwd: str | None) -> str:
        if not path:
            raise PatchInvalidError(
                "Invalid patch: a file header has no path", hint="name the file"
            )
        here = self._context.resolve(cwd) if cwd else self._context.cwd
        return self._context.resolve(path if path.startswith("/") else f"{here}/{path}")

    def _add(self, change: AddFile, where: str) -> str:
        files = self._context.files
        if self._dialect == "openai" and files.exists(where):
            raise ToolError(f"Failed to create file {change.path}: it exists already")
        self._context.require_seen(where)
        written = files.write(where, _encoded(change.content), parents=True)
        self._context.note_read(where, written.after.hex())
        return change.path

    def _delete(self, change: DeleteFile, where: str) -> str:
        try:
            self._context.files.unlink(where)
        except (NotFoundError, NotDirectoryError, IsDirectoryError) as error:
            raise type(error)(f"Failed to delete file {where}", path=where) from None
        return change.path

    def _update(self, change: UpdateFile, where: str, cwd: str | None) -> str:
        files = self._context.files
        content = self._content(where)
        edited = updated(content, change.chunks, path=where, dialect=self._dialect)
        if change.move_to is None:
            files.write(where, _encoded(edited))
            return change.path
        target = self._place(change.move_to, cwd)
        files.write(target, _encoded(edited), parents=True)
        if not files.exists(target) or files.stat(target).inode != files.stat(where).inode:
            files.unlink(where)
        return change.move_to

    def _content(self, where: str) -> str:
        try:
            data, stat = self._context.files.read_with_stat(where)
        except (NotFoundError, NotDirectoryError, IsDirectoryError) as error:
            raise type(error)(
                f"Failed to read file to update {where}: {error}", path=where
            ) from None
        if len(data) > MAX_TEXT_BYTES:
            raise ToolError(f"Failed to read file to update {where}: it is too large")
        self._context.require_seen(where)
        self._context.note_read(where, stat.hash)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise DecodeError(
                f"Failed to read file to update {where}: it is not valid UTF-8", path=where
            ) from None


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "surrogateescape")


def _command_words(given: Arguments) -> Arguments:
    """Take a command line as a script for bash: models give both."""
    command = given.get("command")
    if isinstance(command, str) and not command.lstrip().startswith("["):
        given["command"] = ["bash", "-lc", command]
    return given


def _shell(runner: CommandRunner, patcher: Patcher, given: Arguments) -> ToolResult:
    words = given["command"]
    script = _script(words)
    cwd = given.get("workdir")
    if words[0] in ("apply_patch", "applypatch") and len(words) == 2:
        return ToolResult(patcher.apply(words[1], cwd=cwd))
    inside = _HEREDOC.fullmatch(script)
    if inside:
        return ToolResult(patcher.apply(inside["patch"], cwd=inside["cwd"] or cwd))
    timeout_ms = min(int(given.get("timeout_ms", _DEFAULT_TIMEOUT_MS)), _MAX_TIMEOUT_MS)
    began = time.monotonic()
    ran = runner.run(script, timeout_s=timeout_ms / 1000, cwd=cwd)
    took = time.monotonic() - began
    output = ran.output
    if ran.timed_out:
        output = f"command timed out after {timeout_ms} milliseconds\n{output}"
    head = f"Exit code: {ran.exit_code}\nWall time: {took:.1f} seconds\n"
    if len(output) > _MAX_OUTPUT_CHARACTERS:
        head += f"Total output lines: {output.count(chr(10))}\n"
    shown = keep_ends(output, _MAX_OUTPUT_CHARACTERS)
    return ToolResult(f"{head}Output:\n{shown}", is_error=ran.timed_out)


def _script(words: list[str]) -> str:
    if len(words) == 3 and words[0] in _SHELLS and words[1] in ("-lc", "-c"):
        return words[2]
    return shlex.join(words)

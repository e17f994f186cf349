"""`ln`, `link`, `readlink` and `realpath`."""

from __future__ import annotations

import posixpath
from typing import Final

from vshell.errors import (
    ExistsError,
    NotDirectoryError,
    NotFoundError,
    SymlinkLoopError,
    VshellError,
)
from vshell.fs.paths import is_below, join
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.limits import MAX_SYMLINKS
from vshell.shell.asking import agrees
from vshell.shell.backups import Backups
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.destinations import TARGET_OPTIONS, destinations
from vshell.shell.messages import quote, quote_if_needed, quote_typographic, reason
from vshell.shell.nodes import node_at, stat_node


def run_ln(call: Invocation) -> int:
    parsed = call.parsed
    if parsed.flag("relative") and not parsed.flag("symbolic"):
        raise UsageError("cannot do --relative without --symbolic", hint=False)
    operands = call.operands
    if (
        len(operands) == 1
        and not parsed.flag("target-directory")
        and not parsed.flag("no-target-directory")
    ):
        pairs = [(operands[0], "./" + operands[0].rstrip("/").rpartition("/")[2])]
    else:
        pairs = destinations(call, follow_last=not parsed.flag("no-dereference"))
    status = 0
    with call.context.changing(call.name):
        backups = Backups(call)
        for source, target in pairs:
            try:
                with call.context.changing(call.name):
                    status |= _link(call, source, target, backups)
            except VshellError as error:
                call.complain(_failure(call, source, target, error))
                status = 1
    return status


def _failure(call: Invocation, source: str, target: str, error: VshellError) -> str:
    symbolic = call.parsed.flag("symbolic")
    if not symbolic and error.data.get("source"):
        return f"failed to access {quote(source)}: {reason(error)}"
    kind = "symbolic" if symbolic else "hard"
    if symbolic and error.code != "exists":
        arrow = f"{quote(target)} -> {quote(source)}" if not source else quote(target)
        return f"failed to create {kind} link {arrow}: {reason(error)}"
    if symbolic or error.code == "exists":
        return f"failed to create {kind} link {quote(target)}: {reason(error)}"
    return f"failed to create {kind} link {quote(target)} => {quote(source)}: {reason(error)}"


def _link(call: Invocation, source: str, target: str, backups: Backups) -> int:
    symbolic = call.parsed.flag("symbolic")
    path = call.context.resolve(target)
    node = None if symbolic else _linked(call, source)
    if node is not None and node.kind == DIRECTORY:
        call.complain(f"{quote_if_needed(source)}: hard link not allowed for directory")
        return 1
    if call.context.files.exists(path, follow=False):
        status = _make_way(call, (source, target), node, backups)
        if status is not None:
            return status
    said = source
    if node is not None:
        call.context.files.link(node.path, path)
    else:
        said = _relative(call, source, path) if call.parsed.flag("relative") else source
        call.context.files.symlink(said, path)
    if call.parsed.flag("verbose"):
        call.write(f"{quote(target)} {'->' if symbolic else '=>'} {quote(said)}\n")
    return 0


def _linked(call: Invocation, source: str) -> EntryStat:
    """Return what a hard link is made to."""
    follow = call.parsed.last("logical", "physical") == "logical"
    try:
        node = node_at(call, source, follow=follow)
    except VshellError as error:
        error.data["source"] = True
        raise
    return node._replace(path=call.context.files.realpath(node.path)) if follow else node


def _make_way(
    call: Invocation, names: tuple[str, str], node: EntryStat | None, backups: Backups
) -> int | None:
    """Remove what is where a link goes; return the exit code if that may not be."""
    source, target = names
    files, path = call.context.files, call.context.resolve(target)
    there = stat_node(files, path)
    replaces = call.parsed.last("force", "interactive")
    if replaces is None and not backups.wanted:
        raise ExistsError(f"file exists: {path}", path=path)
    if there.kind == DIRECTORY:
        call.complain(f"{quote_if_needed(target)}: cannot overwrite directory")
        return 1
    if replaces == "interactive" and not agrees(call, f"replace {quote(target)}? "):
        return 0
    if node is not None and there.inode == node.inode and there.path == node.path:
        call.complain(f"{quote(source)} and {quote(target)} are the same file")
        return 1
    backups.save(target)
    if files.exists(path, follow=False):
        files.unlink(path)
    return None


def _relative(call: Invocation, source: str, path: str) -> str:
    goal = canonical(call, source, "missing") or call.context.resolve(source)
    directory = canonical(call, path.rpartition("/")[0] or "/", "missing") or "/"
    return posixpath.relpath(goal, directory)


def run_link(call: Invocation) -> int:
    operands = call.operands
    if len(operands) < 2:
        if not operands:
            raise UsageError("missing operand")
        raise UsageError(f"missing operand after {quote_typographic(operands[0])}")
    if len(operands) > 2:
        raise UsageError(f"extra operand {quote_typographic(operands[2])}")
    source, target = operands
    try:
        with call.context.changing(call.name):
            call.context.files.link(node_at(call, source).path, call.context.resolve(target))
    except VshellError as error:
        call.complain(f"cannot create link {quote(target)} to {quote(source)}: {reason(error)}")
        return 1
    return 0


def canonical(call: Invocation, path: str, missing: str, *, links: bool = True) -> str | None:
    """Return a path from the root without links, `.` and `..`; None when it cannot be had.

    Args:
        call: The command's run.
        path: The path as it was typed.
        missing: What may be missing: `"nothing"`, `"last"` or `"missing"` for anything.
        links: Whether to follow links; if not, `..` takes off what stands before it.
    """
    try:
        return resolve_path(call, path, missing, links=links)
    except VshellError:
        return None


def resolve_path(call: Invocation, path: str, missing: str, *, links: bool = True) -> str:
    """Return the same as `canonical`.

    Raises:
        VshellError: Something is missing, no directory, or a circle.
    """
    if not path:
        raise NotFoundError("no such file or directory", path=path)
    files = call.context.files
    absolute = path if path.startswith("/") else f"{call.context.cwd}/{path}"
    pending = [part for part in reversed(absolute.split("/")) if part not in ("", ".")]
    done = "/"
    followed = 0
    gone = False
    while pending:
        part = pending.pop()
        if part == "..":
            done = done.rpartition("/")[0] or "/"
            continue
        here = join(done, part)
        call.context.resolve(here)  # a name that is too long is refused
        last = not pending
        if gone or not files.exists(here, follow=False):
            if missing == "nothing" or (missing == "last" and not last):
                raise NotFoundError(f"no such file or directory: {here}", path=here)
            gone, done = True, here
            continue
        node = stat_node(files, here)
        if node.kind == SYMLINK and links:
            followed += 1
            if followed > MAX_SYMLINKS:
                if missing == "missing":
                    done = here
                    continue
                raise SymlinkLoopError(f"too many links: {here}", path=here)
            target = files.readlink(here)
            done = "/" if target.startswith("/") else done
            pending += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            continue
        is_way = node.kind in (DIRECTORY, SYMLINK) or (last and not path.endswith("/"))
        if not is_way and missing != "missing":
            raise NotDirectoryError(f"not a directory: {here}", path=here)
        done = here
    return done


def run_readlink(call: Invocation) -> int:
    parsed, operands = call.parsed, call.operands
    if not operands:
        raise UsageError("missing operand")
    how = parsed.last("canonicalize", "canonicalize-existing", "canonicalize-missing")
    verbose = parsed.last("verbose", "quiet", "silent") == "verbose"
    verbose = verbose or "POSIXLY_CORRECT" in call.environment
    end = "\0" if parsed.flag("zero") else "\n"
    if parsed.flag("no-newline"):
        if len(operands) > 1:
            call.complain("ignoring --no-newline with multiple arguments")
        else:
            end = ""
    missing = {
        "canonicalize": "last",
        "canonicalize-existing": "nothing",
        "canonicalize-missing": "missing",
    }
    status = 0
    for operand in operands:
        try:
            if how is None:
                found = call.context.files.readlink(call.context.resolve(operand))
            else:
                found = resolve_path(call, operand, missing[how])
        except VshellError as error:
            status = 1
            if verbose:
                why = "Invalid argument" if error.code == "not_regular" else reason(error)
                call.complain(f"{quote_if_needed(operand)}: {why}")
            continue
        call.write(found + end)
    return status


def run_realpath(call: Invocation) -> int:
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand")
    how = parsed.last("canonicalize-existing", "canonicalize-missing")
    missing = {"canonicalize-existing": "nothing", "canonicalize-missing": "missing"}.get(
        how or "", "last"
    )
    style = parsed.last("logical", "physical", "no-symlinks", "strip")
    links = style not in ("no-symlinks", "strip")
    base, relative = parsed.value("relative-base"), parsed.value("relative-to")
    start = relative or base
    try:
        start = None if start is None else _directory(call, start, missing, links=links)
        base = None if base is None else _directory(call, base, missing, links=links)
    except VshellError as error:
        call.complain(f"{quote_if_needed(relative or base or '')}: {reason(error)}")
        return 1
    end = "\0" if parsed.flag("zero") else "\n"
    status = 0
    for operand in call.operands:
        try:
            typed = operand
            if style == "logical":
                typed = posixpath.normpath(posixpath.join(call.context.cwd, operand))
            found = resolve_path(call, typed if operand else operand, missing, links=links)
            if missing == "nothing" and not links:
                stat_node(call.context.files, found, follow=True)  # a link must lead somewhere
        except VshellError as error:
            status = 1
            if not parsed.flag("quiet"):
                call.complain(f"{quote_if_needed(operand)}: {reason(error)}")
            continue
        if start is not None and (base is None or _both_below(base, start, found)):
            found = posixpath.relpath(found, start)
        call.write(found + end)
    return status


def _both_below(base: str, start: str, found: str) -> bool:
    return is_below(start, base) and is_below(found, base)


def _directory(call: Invocation, path: str, missing: str, *, links: bool) -> str:
    found = resolve_path(call, path, missing, links=links)
    if missing == "nothing" and stat_node(call.context.files, found, follow=True).kind != DIRECTORY:
        raise NotDirectoryError(f"not a directory: {found}", path=found)
    return found


_ZERO: Final = Option(("-z", "--zero"), "End each output line with NUL, not newline.")

COMMANDS: Final = (
    Command(
        "ln",
        "[OPTION]... [-T] TARGET LINK_NAME\n  or:  ln [OPTION]... TARGET... DIRECTORY",
        "Make links between files.",
        run_ln,
        options=(
            Option(("-b",), "Make a backup of each existing destination file."),
            Option(
                ("--backup",),
                "Likewise: none, numbered, existing or simple.",
                "CONTROL",
                optional=True,
            ),
            Option(("-d", "-F", "--directory"), "Try to hard link directories; never allowed."),
            Option(("-f", "--force"), "Remove existing destination files."),
            Option(("-i", "--interactive"), "Prompt whether to remove destinations."),
            Option(("-L", "--logical"), "Dereference TARGETs that are symbolic links."),
            Option(("-n", "--no-dereference"), "Treat LINK_NAME as a file if it is a link."),
            Option(("-P", "--physical"), "Make hard links directly to symbolic links."),
            Option(("-r", "--relative"), "With -s, create links relative to link location."),
            Option(("-s", "--symbolic"), "Make symbolic links instead of hard links."),
            Option(("-S", "--suffix"), "Override the usual backup suffix.", "SUFFIX"),
            *TARGET_OPTIONS,
            Option(("-v", "--verbose"), "Print name of each linked file."),
        ),
    ),
    Command("link", "FILE1 FILE2", "Give FILE1 the second name FILE2.", run_link),
    Command(
        "readlink",
        "[OPTION]... FILE...",
        "Print value of a symbolic link or canonical file name.",
        run_readlink,
        options=(
            Option(("-f", "--canonicalize"), "Follow every link; the last may be missing."),
            Option(("-e", "--canonicalize-existing"), "Follow every link; all must exist."),
            Option(("-m", "--canonicalize-missing"), "Follow every link; any may be missing."),
            Option(("-n", "--no-newline"), "Do not output the trailing delimiter."),
            Option(("-q", "--quiet"), "Suppress most error messages (the default)."),
            Option(("-s", "--silent"), "Suppress most error messages (the default)."),
            Option(("-v", "--verbose"), "Report error messages."),
            _ZERO,
        ),
    ),
    Command(
        "realpath",
        "[OPTION]... FILE...",
        "Print the resolved absolute file name; all but the last component must exist.",
        run_realpath,
        options=(
            Option(("-e", "--canonicalize-existing"), "All components of the path must exist."),
            Option(("-m", "--canonicalize-missing"), "No components need exist."),
            Option(("-L", "--logical"), "Resolve '..' components before symlinks."),
            Option(("-P", "--physical"), "Resolve symlinks as encountered (the default)."),
            Option(("-q", "--quiet"), "Suppress most error messages."),
            Option(("--relative-to",), "Print the resolved path relative to DIR.", "DIR"),
            Option(("--relative-base",), "Print absolute paths unless below DIR.", "DIR"),
            Option(("-s", "--strip", "--no-symlinks"), "Do not expand symlinks."),
            _ZERO,
        ),
    ),
)

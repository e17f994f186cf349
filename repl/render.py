"""Results as lines of text: one function for each kind of result."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from vshell.record import Record, plain

from .output import Output, readable_size


def render(name: str, result: Any, output: Output) -> int:
    """Print an operation's result; return the exit code."""
    if output.as_json and name != "watch":
        output.json(_json_of(result))
    else:
        _RENDERERS.get(name, _plain)(result, output)
    _mention_rest(result, output)
    return _exit_code(name, result)


def _json_of(result: Any) -> Any:
    fields = plain(result)
    if isinstance(fields, dict) and isinstance(getattr(type(result), "patch", None), property):
        fields["patch"] = result.patch
    return fields


def _exit_code(name: str, result: Any) -> int:
    match name:
        case "exists":
            return 0 if result else 1
        case "grep":
            return 0 if result.total else 1
        case "check":
            return 0 if result.ok else 1
        case "patch":
            return 1 if result.rejected else 0
    return 0


def _mention_rest(result: Any, output: Output) -> None:
    """Say on stderr that there is more, and how to see it."""
    offset = getattr(result, "next_offset", None)
    if offset is not None:
        output.talk(f"more follows: --offset {offset} goes on")
    elif getattr(result, "next_line", None) is not None:
        output.talk(f"more follows: --start-line {result.next_line} goes on")
    elif getattr(result, "next_since", None) is not None:
        output.talk(f"more follows: {result.next_since} as SINCE goes on")
    elif getattr(result, "truncated_by", None):
        output.talk(f"cut short by {result.truncated_by}")


def _plain(result: Any, output: Output) -> None:
    if result is None:
        return
    if isinstance(result, bytes | str):
        output.data(result)
    elif isinstance(result, Record):
        _fields(result, output)
    else:
        output.line(str(result))


def _fields(result: Record, output: Output) -> None:
    fields = result.as_dict()
    width = max(map(len, fields))
    for name, value in fields.items():
        if name.endswith("_ns") and isinstance(value, int):
            value = readable_time(value)  # noqa: PLW2901
        elif name == "mode":
            value = f"{value:04o}"  # noqa: PLW2901
        output.line(f"{name:<{width}}  {'-' if value is None else value}")


def _text_line(result: str, output: Output) -> None:
    output.line(result)


def _read(result: Any, output: Output) -> None:
    output.data(result.text)


def _written(result: Any, output: Output) -> None:
    done = "created" if getattr(result, "created", False) else "wrote"
    output.talk(f"{done} {result.path}: {result.bytes} bytes, version {result.version}")


def _patch(result: Any, output: Output) -> None:
    colors = {"+": "green", "-": "red", "@": "cyan"}
    for line in result.patch.splitlines(keepends=True):
        style = colors.get(line[:1])
        body = line.rstrip("\n")
        output.data(output.style(body, style) + line[len(body) :] if style else line)
    for rejected in getattr(result, "rejected", ()):
        output.talk(f"rejected: {plain(rejected)}")


def _paths(result: Any, output: Output) -> None:
    output.data("".join(f"{path}\n" for path in result.paths))


def _entries(result: Any, output: Output) -> None:
    output.data("".join(f"{entry.path}\n" for entry in result.entries))


def _ls(result: Any, output: Output) -> None:
    marks = {"directory": "d", "symlink": "l", "file": "-"}
    sizes = [readable_size(entry.size) for entry in result.entries]
    width = max(map(len, sizes), default=0)
    for entry, size in zip(result.entries, sizes, strict=True):
        mode = marks[entry.kind] + permissions(entry.mode)
        name = output.style(entry.name, "bold") if entry.kind == "directory" else entry.name
        target = "" if entry.target is None else f" -> {entry.target}"
        output.line(f"{mode}  {size:>{width}}  {readable_time(entry.mtime_ns)}  {name}{target}")


def _grep(result: Any, output: Output) -> None:
    if not result.matches:
        for found in result.files:
            output.line(found if isinstance(found, str) else f"{found.path}:{found.count}")
        return
    context = any(match.before or match.after for match in result.matches)
    last: tuple[str, int] | None = None
    for path, line, kind, text in _grep_lines(result.matches):
        if context and last is not None and last != (path, line - 1):
            output.line("--")
        last = (path, line)
        where = output.style(path, "cyan")
        output.line(f"{where}{kind}{line}{kind}{text}")


def _grep_lines(matches: Iterable[Any]) -> Iterator[tuple[str, int, str, str]]:
    """Yield each line once, in order: context of one match may be context of the next."""
    merged: dict[tuple[str, int], tuple[str, str]] = {}
    for match in matches:
        for back, text in enumerate(reversed(match.before), 1):
            merged.setdefault((match.path, match.line - back), ("-", text))
        merged[match.path, match.line] = (":", match.text)
        for ahead, text in enumerate(match.after, 1):
            merged.setdefault((match.path, match.line + ahead), ("-", text))
    for (path, line), (kind, text) in sorted(merged.items()):
        yield path, line, kind, text


def _tree(result: Any, output: Output) -> None:
    output.line(result.path)
    lines: list[str] = []
    pending = [(node, "", node is result.children[-1]) for node in reversed(result.children or ())]
    while pending:
        node, prefix, is_last = pending.pop()
        branch, deeper = ("└── ", "    ") if is_last else ("├── ", "│   ")
        name = output.style(node.name, "bold") if node.kind == "directory" else node.name
        lines.append(f"{prefix}{branch}{name}\n")
        below = node.children or ()
        pending += [(child, prefix + deeper, child is below[-1]) for child in reversed(below)]
    output.data("".join(lines))


def _changes(result: Any, output: Output) -> None:
    for change in result.changes:
        output.line(change_line(change, output))


def change_line(change: Any, output: Output) -> str:
    """Return one change as a line: revision, time, who, in which operation, what."""
    who = f"{change.session or '-'}/{change.operation}"
    path = change.path if change.old_path is None else f"{change.old_path} -> {change.path}"
    revision = output.style(f"{change.revision:>6}", "yellow")
    return f"{revision}  {readable_time(change.time_ns)}  {who:<20}  {change.action:<10}  {path}"


def _watch(changes: Any, output: Output) -> None:
    for change in changes:
        if output.as_json:
            import json

            output.line(json.dumps(change.as_dict()))
        else:
            output.line(change_line(change, output))


def _check(result: Any, output: Output) -> None:
    for problem in result.problems:
        mended = " (repaired)" if problem in result.repaired else ""
        output.line(f"{problem}{mended}")
    output.talk("all is well" if result.ok else "the workspace is damaged")


def _usage(result: Any, output: Output) -> None:
    for name, value in result.as_dict().items():
        shown = "-" if value is None else readable_size(value) if "bytes" in name else value
        output.line(f"{name:<16}{shown}")


def _transfer(result: Any, output: Output) -> None:
    output.talk(
        f"{result.files} files, {result.directories} directories, {result.symlinks} links,"
        f" {readable_size(result.bytes)}"
    )
    for path, reason in result.skipped:
        output.talk(f"skipped {path}: {reason}")


def _exists(result: bool, output: Output) -> None:
    """Say nothing: the exit code is the answer, as with test(1)."""


def readable_time(time_ns: int) -> str:
    """Return a time as the local date and time of day."""
    try:
        moment = datetime.datetime.fromtimestamp(time_ns / 1e9).astimezone()
    except (ValueError, OSError, OverflowError):
        return f"{time_ns} ns"
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def permissions(mode: int) -> str:
    """Return permission bits as ls(1) writes them."""
    letters = ["rwx"[bit % 3] if mode & 0o400 >> bit else "-" for bit in range(9)]
    special = ((0o4000, 2, "s", "S"), (0o2000, 5, "s", "S"), (0o1000, 8, "t", "T"))
    for bit, place, with_x, without_x in special:
        if mode & bit:
            letters[place] = with_x if letters[place] == "x" else without_x
    return "".join(letters)


_RENDERERS: Final[dict[str, Callable[[Any, Output], None]]] = {
    "append": _written,
    "apply": _patch,
    "changes": _changes,
    "check": _check,
    "diff": _patch,
    "diff_text": _patch,
    "edit": _patch,
    "exists": _exists,
    "export_directory": _transfer,
    "find": _entries,
    "glob": _paths,
    "grep": _grep,
    "hash": _text_line,
    "history": _changes,
    "import_directory": _transfer,
    "ls": _ls,
    "patch": _patch,
    "read": _read,
    "readlink": _text_line,
    "realpath": _text_line,
    "tree": _tree,
    "truncate": _written,
    "usage": _usage,
    "vacuum": _usage,
    "watch": _watch,
    "write": _written,
}

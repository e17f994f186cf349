"""Results as lines of text: one function for each kind of result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from vshell.record import Record, plain

from .output import Output, counted, readable_size

_SHOWN_OF_REVISION: Final = 4

# Of these the patch is the result. Elsewhere it is computed only when asked for.
_WITH_PATCH: Final = {"apply", "edit", "patch"}


def render(name: str, result: Any, output: Output) -> int:
    """Print an operation's result; return the exit code."""
    if output.as_json and name != "watch":
        output.json(_json_of(name, result))
    else:
        _RENDERERS.get(name, _plain)(result, output)
    _mention_rest(result, output)
    return _exit_code(name, result)


def explain_search(result: Any, output: Output) -> None:
    """Say how a search was done."""
    plan = result.plan
    case = ", in any case" if plan.any_case else ""
    for clause in plan.required:
        output.talk(f"a file must hold {' or '.join(map(repr, clause))}{case}")
    for word in () if plan.required else plan.words:
        output.talk(f"a word of a file must match {word}{case}")
    narrowed = "every file" if plan.candidates is None else counted(plan.candidates, "content")
    output.talk(f"left to search: {narrowed}")
    output.talk(
        f"searched: {counted(result.searched, 'file')}, {readable_size(plan.searched_bytes)}"
        f" with {plan.engine}, in {plan.seconds * 1000:.1f} ms"
    )


def change_line(change: Any, output: Output) -> str:
    """Return one change as a line: revision, time, who, in which operation, what."""
    who = f"{change.session or '-'}/{change.operation}"
    path = output.name(change.path)
    if change.old_path is not None:
        path = f"{output.name(change.old_path)} -> {path}"
    revision = output.style(f"{change.revision:>6}", "yellow")
    return f"{revision}  {readable_time(change.time_ns)}  {who:<20}  {change.action:<10}  {path}"


def readable_time(time_ns: int) -> str:
    """Return a time as the local date and time of day."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_ns // 1_000_000_000))
    except (ValueError, OSError, OverflowError):
        return f"{time_ns} ns"


def permissions(mode: int) -> str:
    """Return permission bits as ls(1) writes them."""
    letters = ["rwx"[bit % 3] if mode & 0o400 >> bit else "-" for bit in range(9)]
    special = ((0o4000, 2, "s", "S"), (0o2000, 5, "s", "S"), (0o1000, 8, "t", "T"))
    for bit, place, with_x, without_x in special:
        if mode & bit:
            letters[place] = with_x if letters[place] == "x" else without_x
    return "".join(letters)


def _json_of(name: str, result: Any) -> Any:
    fields = plain(result)
    if name == "log_patch":
        for shown, entry in zip(fields["entries"], result.entries, strict=True):
            shown["patch"] = entry.patch
    if name in _WITH_PATCH:
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
    reason = getattr(result, "truncated_by", None)
    if getattr(result, "next_offset", None) is not None:
        output.talk(f"more follows: --offset {result.next_offset} goes on")
    elif getattr(result, "next_line", None) is not None:
        output.talk(f"more follows: --start-line {result.next_line} goes on")
    elif getattr(result, "next_before", None) is not None:
        output.talk(f"more follows: --before {result.next_before} goes on")
    elif getattr(result, "next_since", None) is not None:
        output.talk(f"more follows: {result.next_since} as SINCE goes on")
    elif reason:
        output.talk(f"cut short by {_REASONS.get(reason, reason)}")
    elif getattr(result, "truncated", False):
        output.talk("more follows: --limit shows it")


_REASONS: Final = {
    "bytes": "--max-bytes, in the middle of a line; read-bytes goes on",
    "memory": "the memory that the pattern takes",
    "per_file": "--max-per-file",
    "timeout": "--timeout-s",
}


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
        output.line(f"{name:<{width}}  {_shown(name, value, output)}")


def _shown(name: str, value: Any, output: Output) -> str:
    if value is None:
        return "-"
    if name.endswith("_ns"):
        return readable_time(value)
    if name == "mode":
        return f"{value:04o}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return output.name(str(value))


def _text_line(result: str, output: Output) -> None:
    output.line(output.name(result))


def _read(result: Any, output: Output) -> None:
    output.data(result.text)


def _written(result: Any, output: Output) -> None:
    done = "created" if result.created else "wrote"
    output.talk(f"{done} {result.path}: {counted(result.bytes, 'byte')}, version {result.version}")


def _patch(result: Any, output: Output) -> None:
    colors = {"+": "green", "-": "red", "@": "cyan"}
    *lines, rest = result.patch.split("\n")
    for line in lines:
        style = colors.get(line[:1])
        output.line(output.style(line, style) if style else line)
    output.data(rest)


def _patched(result: Any, output: Output) -> None:
    for file in result.files:
        path = output.name(file.path)
        if file.old_path is not None:
            path = f"{output.name(file.old_path)} -> {path}"
        output.line(f"{file.action:<8}{path}")
    for rejected in result.rejected:
        output.talk(f"rejected {rejected.path}: {rejected.message}")


def _paths(result: Any, output: Output) -> None:
    for path in result.paths:
        output.line(output.name(path))


def _entries(result: Any, output: Output) -> None:
    for entry in result.entries:
        output.line(output.name(entry.path))


def _ls(result: Any, output: Output) -> None:
    marks = {"directory": "d", "symlink": "l", "file": "-"}
    sizes = [readable_size(entry.size) for entry in result.entries]
    width = max(map(len, sizes), default=0)
    for entry, size in zip(result.entries, sizes, strict=True):
        mode = marks[entry.kind] + permissions(entry.mode)
        target = "" if entry.target is None else f" -> {output.name(entry.target)}"
        name = f"{_named(entry, output)}{target}"
        output.line(f"{mode}  {size:>{width}}  {readable_time(entry.mtime_ns)}  {name}")


def _named(entry: Any, output: Output) -> str:
    styles = {"directory": "bold", "symlink": "cyan"}
    name = output.name(entry.name)
    return output.style(name, styles[entry.kind]) if entry.kind in styles else name


def _grep(result: Any, output: Output) -> None:
    for count in result.counts:
        output.line(f"{output.style(output.name(count.path), 'cyan')}:{count.count}")
    if not result.matches and not result.counts:
        for path in result.files:
            output.line(output.name(path))
    context = any(match.before or match.after for match in result.matches)
    last: tuple[str, int] | None = None
    for path, line, mark, text in _grep_lines(result.matches):
        if context and last is not None and last != (path, line - 1):
            output.line("--")
        last = (path, line)
        output.line(f"{output.style(output.name(path), 'cyan')}{mark}{line}{mark}{text}")
    for count, what in ((result.skipped_binary, "binary"), (result.skipped_large, "too large")):
        if count and not result.total:
            output.talk(f"not searched: {counted(count, 'file')}, {what}")


def _grep_lines(matches: Iterable[Any]) -> Iterator[tuple[str, int, str, str]]:
    """Yield each line once, in order: context of one match may be context of the next."""
    merged: dict[tuple[str, int], tuple[str, str]] = {}
    for match in matches:
        for back, text in enumerate(reversed(match.before), 1):
            merged.setdefault((match.path, match.line - back), ("-", text))
        lines = match.text.split("\n")
        for place, text in enumerate(lines, match.line):
            merged[match.path, place] = (":", text)
        for ahead, text in enumerate(match.after, match.line + len(lines)):
            merged.setdefault((match.path, ahead), ("-", text))
    for (path, line), (mark, text) in sorted(merged.items()):
        yield path, line, mark, text


def _tree(result: Any, output: Output) -> None:
    output.line(output.name(result.path))
    pending = _siblings(result, "")
    cut = result.truncated
    while pending:
        node, prefix, is_last = pending.pop()
        branch, deeper = ("└── ", "    ") if is_last else ("├── ", "│   ")
        target = "" if node.target is None else f" -> {output.name(node.target)}"
        output.line(f"{prefix}{branch}{_named(node, output)}{target}")
        pending += _siblings(node, prefix + deeper)
        cut = cut or node.truncated
    if cut and not result.truncated:
        output.talk("more follows: --limit shows it")


def _siblings(node: Any, prefix: str) -> list[tuple[Any, str, bool]]:
    """Return the children of a node, the first one last, and which one ends them."""
    children = list(node.children or ())
    return [(child, prefix, child is children[-1]) for child in reversed(children)]


def _changes(result: Any, output: Output) -> None:
    for change in result.changes:
        output.line(change_line(change, output))


def _log(result: Any, output: Output, *, with_patches: bool = False) -> None:
    """Print revisions; of one with many changes only the first, and how many there are more."""
    for entry in result.entries:
        changes = entry.changes
        shown = changes if len(changes) <= _SHOWN_OF_REVISION else changes[: _SHOWN_OF_REVISION - 1]
        for change in shown:
            output.line(change_line(change, output))
        if len(shown) < len(changes):
            output.line(f"        ... {len(changes) - len(shown)} more in this revision")
        if with_patches:
            _patch(entry, output)


def _log_patches(result: Any, output: Output) -> None:
    _log(result, output, with_patches=True)


def _watch(changes: Any, output: Output) -> None:
    import json

    for change in changes:
        if output.as_json:
            output.line(json.dumps(change.as_dict()))
        else:
            output.line(change_line(change, output))
        output.flush()


def _compared(result: Any, output: Output) -> None:
    for change in result.changes:
        output.line(f"{change.action:<12}{output.name(change.path)}")


def _restored(result: Any, output: Output) -> None:
    output.talk(
        f"{counted(result.changed, 'path')} changed; revision {result.revision}"
        f" has the tree of revision {result.state_of}"
    )


def _snapshot(result: Any, output: Output) -> None:
    output.talk(f"snapshot {result.name} of revision {result.revision}")


def _snapshots(result: Any, output: Output) -> None:
    for made in result:
        revision = output.style(f"{made.revision:>6}", "yellow")
        who = made.session or "-"
        output.line(
            f"{revision}  {readable_time(made.time_ns)}  {who:<12}  {output.name(made.name)}"
        )


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
    counts = [
        counted(result.files, "file"),
        counted(result.directories, "directory", "directories"),
        counted(result.symlinks, "link"),
        readable_size(result.bytes),
    ]
    if result.ignored:
        counts.append(f"{result.ignored} ignored")
    if result.removed:
        counts.append(f"{result.removed} removed")
    output.talk(", ".join(counts))
    for path, reason in result.skipped:
        output.talk(f"skipped {path}: {reason}")
    if result.skipped_total > len(result.skipped):
        output.talk(f"... {result.skipped_total - len(result.skipped)} more were skipped")


def _exists(result: bool, output: Output) -> None:
    """Say nothing: the exit code is the answer, as with test(1)."""


_RENDERERS: Final[dict[str, Callable[[Any, Output], None]]] = {
    "append": _written,
    "apply": _patch,
    "changes": _changes,
    "check": _check,
    "compare": _compared,
    "compare_patch": _patch,
    "diff": _patch,
    "diff_text": _patch,
    "edit": _patch,
    "exists": _exists,
    "export_archive": _transfer,
    "export_directory": _transfer,
    "find": _entries,
    "gc": _usage,
    "glob": _paths,
    "grep": _grep,
    "hash": _text_line,
    "history": _changes,
    "import_archive": _transfer,
    "import_directory": _transfer,
    "index": _usage,
    "log": _log,
    "log_patch": _log_patches,
    "ls": _ls,
    "patch": _patched,
    "read": _read,
    "readlink": _text_line,
    "realpath": _text_line,
    "redo": _restored,
    "restore": _restored,
    "snapshot": _snapshot,
    "snapshots": _snapshots,
    "tree": _tree,
    "truncate": _written,
    "undo": _restored,
    "usage": _usage,
    "vacuum": _usage,
    "watch": _watch,
    "write": _written,
}

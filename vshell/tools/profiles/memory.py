"""The `memory` profile: Anthropic's memory tool (`memory_20250818`) on files of the workspace.

Its texts are those of `BetaLocalFilesystemMemoryTool` in the `anthropic` package, which
the tests compare it with. Everything is below `/memories`, whatever paths and links say.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import NotDirectoryError, NotFoundError, SymlinkLoopError, VshellError
from vshell.fs.paths import is_below, lexical, split
from vshell.ops.context import Context
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.profiles.numbered import MAX_LINES, content_of, listing, numbered, places
from vshell.tools.result import ToolError
from vshell.tools.schema_parts import array, record, text, whole

ROOT: Final = "/memories"
_NEEDED: Final = {
    "view": ("path",),
    "create": ("path", "file_text"),
    "str_replace": ("path", "old_str", "new_str"),
    "insert": ("path", "insert_line", "insert_text"),
    "delete": ("path",),
    "rename": ("old_path", "new_path"),
}


def memory_profile(context: Context) -> Profile:
    """Return the tool memory, with the commands view, create, str_replace, insert, delete and
    rename.

    Args:
        context: What it works in; `/memories` is made when it is needed.
    """
    tool = Tool(
        "memory",
        "Store and retrieve information in files below /memories, which persist between"
        " conversations. View the directory before anything else.",
        _PARAMETERS,
        _run,
        aliases={"new_text": "insert_text", "text": "file_text", "content": "file_text"},
        changes=lambda given: given.get("command") != "view",
        anthropic={"type": "memory_20250818"},
    )
    return Profile("memory", [tool], context=context, render_error=render_error)


_PARAMETERS: Final = record(
    ("command",),
    command=text("What to do", *_NEEDED),
    path=text("The file or directory, such as /memories/notes.txt"),
    view_range=array(
        whole(), "The first and the last line to view; -1 is the last", minItems=2, maxItems=2
    ),
    file_text=text("create: the content of the new file"),
    old_str=text("str_replace: the text to replace, which must be there exactly once"),
    new_str=text("str_replace: what to put in its place; empty removes it"),
    insert_line=whole("insert: the line to insert after; 0 is the beginning"),
    insert_text=text("insert: the text"),
    old_path=text("rename: what to rename"),
    new_path=text("rename: its new path"),
)


def render_error(error: VshellError) -> str:
    """Return an error of vshell as text for the model."""
    hint = f" ({error.hint})" if error.hint else ""
    return f"Error: {error}{hint}"


def _run(context: Context, given: Arguments) -> Any:
    command = given["command"]
    given.setdefault("new_str", "")
    for name in _NEEDED[command]:
        if name not in given:
            raise ToolError(f"Parameter `{name}` is required for command: {command}")
    return _COMMANDS[command](context, given)


def _place(context: Context, path: str) -> str:
    """Return the path that a model means, links followed, if it is below `/memories`."""
    if path != ROOT and not path.startswith(ROOT + "/"):
        raise ToolError(f"Path must start with /memories, got: {path}")
    where = context.resolve(path)
    if not is_below(lexical(where), ROOT):
        raise ToolError(f"Path {path} would escape /memories directory")
    real = _real(context, where)
    if not is_below(real, ROOT):
        raise ToolError(f"Path {path} would escape /memories directory")
    return real


def _real(context: Context, where: str) -> str:
    """Return a path without links; what is not there yet stands for itself."""
    missing: list[str] = []
    here = lexical(where)
    while here != "/":
        try:
            return "/".join([context.files.realpath(here).rstrip("/"), *reversed(missing)]) or "/"
        except (NotFoundError, NotDirectoryError):
            if context.files.exists(here, follow=False):
                raise ToolError("Path would escape /memories directory via symlink") from None
        except SymlinkLoopError:
            raise ToolError("Path would escape /memories directory via symlink") from None
        here, name = split(here)
        missing.append(name)
    return "/" + "/".join(reversed(missing))


def _view(context: Context, given: Arguments) -> str:
    path, where = given["path"], _place(context, given["path"])
    if where == ROOT and not context.files.exists(where):
        return listing_of_nothing(path)
    if not context.files.exists(where):
        raise ToolError(f"The path {path} does not exist. Please provide a valid path.")
    if context.files.stat(where).kind == "directory":
        return listing(context, where, path, root=ROOT)
    lines = content_of(context, where, path).split("\n")
    if len(lines) > MAX_LINES:
        raise ToolError(f"File {path} exceeds maximum line limit of 999,999 lines.")
    first, last = _range(given, len(lines))
    shown = numbered(lines[first:last], first + 1)
    return f"Here's the content of {path} with line numbers:\n{shown}"


def listing_of_nothing(path: str) -> str:
    """Return what an empty memory looks like."""
    head = "Here're the files and directories up to 2 levels deep in"
    return f"{head} {path}, excluding hidden items:\n4K\t{path}"


def _range(given: Arguments, total: int) -> tuple[int, int]:
    if "view_range" not in given:
        return 0, total
    first, last = (int(line) for line in given["view_range"])
    return max(1, first) - 1, total if last == -1 else last


def _create(context: Context, given: Arguments) -> str:
    path, where = given["path"], _place(context, given["path"])
    if context.files.exists(where, follow=False):
        raise ToolError(f"File {path} already exists")
    context.files.write(where, _encoded(given["file_text"]), parents=True)
    return f"File created successfully at: {path}"


def _file(context: Context, path: str) -> tuple[str, str]:
    """Return where a file is, and its text."""
    where = _place(context, path)
    if not context.files.exists(where):
        raise ToolError(f"The path {path} does not exist. Please provide a valid path.")
    if context.files.stat(where).kind != "file":
        raise ToolError(f"The path {path} is not a file.")
    return where, content_of(context, where, path)


def _str_replace(context: Context, given: Arguments) -> str:
    path, old = given["path"], given["old_str"]
    where, content = _file(context, path)
    if not old:
        raise ToolError("No replacement was performed, old_str must not be empty.")
    lines = places(content, old)
    if not lines:
        raise ToolError(
            f"No replacement was performed, old_str `{old}` did not appear verbatim in {path}."
        )
    if content.count(old) > 1:
        raise ToolError(
            f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines:"
            f" {', '.join(map(str, lines))}. Please ensure it is unique"
        )
    edited = content.replace(old, given["new_str"])
    context.files.write(where, _encoded(edited))
    rows = edited.split("\n")
    first = max(0, lines[0] - 3)
    return (
        "The memory file has been edited. Here is the snippet showing the change (with line"
        f" numbers):\n{numbered(rows[first : lines[0] + 2], first + 1)}"
    )


def _insert(context: Context, given: Arguments) -> str:
    path, at = given["path"], int(given["insert_line"])
    where, content = _file(context, path)
    lines = content.split("\n")
    if not lines[-1]:
        lines.pop()
    if not 0 <= at <= len(lines):
        raise ToolError(
            f"Invalid `insert_line` parameter: {at}. It should be within the range"
            f" [0, {len(lines)}]."
        )
    lines.insert(at, given["insert_text"].rstrip("\n"))
    edited = "\n".join(lines)
    context.files.write(where, _encoded(edited if edited.endswith("\n") else f"{edited}\n"))
    return f"The file {path} has been edited."


def _delete(context: Context, given: Arguments) -> str:
    path, where = given["path"], _place(context, given["path"])
    if where == ROOT:
        raise ToolError("Cannot delete the /memories directory itself")
    if not context.files.exists(where):
        raise ToolError(f"The path {path} does not exist")
    context.files.remove_tree(where)
    return f"Successfully deleted {path}"


def _rename(context: Context, given: Arguments) -> str:
    old, new = given["old_path"], given["new_path"]
    source, target = _place(context, old), _place(context, new)
    if source == ROOT:
        raise ToolError("Cannot rename the /memories directory itself")
    if context.files.exists(target):
        raise ToolError(f"The destination {new} already exists")
    if not context.files.exists(source):
        raise ToolError(f"The path {old} does not exist")
    context.files.rename(source, target, parents=True)
    return f"Successfully renamed {old} to {new}"


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "surrogateescape")


_COMMANDS: Final = {
    "view": _view,
    "create": _create,
    "str_replace": _str_replace,
    "insert": _insert,
    "delete": _delete,
    "rename": _rename,
}

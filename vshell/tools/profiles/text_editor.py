"""The `text_editor` profile: Anthropic's text editor tool (`text_editor_20250728`).

Commands and texts are those of its documentation and of the reference implementation
in `anthropic-quickstarts`. `undo_edit`, which earlier versions
of the tool had, is gone from it.
"""

from __future__ import annotations

from typing import Any, Final

from vshell.errors import IsDirectoryError, NotDirectoryError, NotFoundError, VshellError
from vshell.ops.context import Context
from vshell.tools.media import IMAGES, attachment
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.profiles.numbered import content_of, listing, numbered, places
from vshell.tools.result import ToolError, ToolResult
from vshell.tools.schema_parts import array, record, text, whole

_SNIPPET_LINES: Final = 4
_MAX_CHARACTERS: Final = 200_000
_CUT: Final = (
    "<response clipped><NOTE>To save on context only part of this file has been shown to you. You"
    " should retry this tool after you have searched inside the file with `grep -n` in order to"
    " find the line numbers of what you are looking for.</NOTE>"
)
_NEEDED: Final = {
    "view": (),
    "create": ("file_text",),
    "str_replace": ("old_str",),
    "insert": ("insert_line", "insert_text"),
}


def text_editor_profile(context: Context, *, max_characters: int = _MAX_CHARACTERS) -> Profile:
    """Return the tool str_replace_based_edit_tool: view, create, str_replace and insert.

    Args:
        context: What it works in.
        max_characters: How much of a file `view` shows at most.
    """
    tool = Tool(
        "str_replace_based_edit_tool",
        "View, create and edit text files: view shows a file or directory, create writes a file,"
        " str_replace replaces text that is there exactly once, insert adds text after a line.",
        _PARAMETERS,
        lambda context, given: _run(context, given, max_characters),
        # `new_str` of `insert` is what earlier versions of the tool called it.
        prepare=_prepare,
        aliases={"file_path": "path", "content": "file_text", "insert_str": "insert_text"},
        changes=lambda given: given.get("command") != "view",
        anthropic={"type": "text_editor_20250728"},
    )
    return Profile("text_editor", [tool], context=context, render_error=render_error)


_PARAMETERS: Final = record(
    ("command", "path"),
    command=text("What to do", *_NEEDED),
    path=text("Absolute path to file or directory, such as /repo/file.py"),
    view_range=array(
        whole(), "view: the first and the last line; -1 is the last", minItems=2, maxItems=2
    ),
    file_text=text("create: the content of the file"),
    old_str=text("str_replace: the text to replace, with its white space"),
    new_str=text("str_replace: what to put in its place; without it, the text is removed"),
    insert_line=whole("insert: the line after which to insert; 0 is the beginning"),
    insert_text=text("insert: the text to insert"),
)


def _prepare(given: Arguments) -> Arguments:
    if given.get("command") == "insert" and "insert_text" not in given and "new_str" in given:
        given["insert_text"] = given.pop("new_str")
    return given


def render_error(error: VshellError) -> str:
    """Return an error of vshell as text for the model."""
    if isinstance(error, NotFoundError):
        return f"The path {error.filename} does not exist. Please provide a valid path."
    hint = f" ({error.hint})" if error.hint else ""
    return f"Error: {error}{hint}"


def _run(context: Context, given: Arguments, max_characters: int) -> Any:
    command, path = given["command"], given["path"]
    for name in _NEEDED[command]:
        if name not in given:
            raise ToolError(f"Parameter `{name}` is required for command: {command}")
    where = context.resolve(path)
    if command == "create":
        return _create(context, where, given)
    if not context.files.exists(where):
        raise ToolError(f"The path {path} does not exist. Please provide a valid path.")
    if context.files.stat(where).kind != "directory":
        if command == "view":
            return _view(context, where, given, max_characters)
        change = _str_replace if command == "str_replace" else _insert
        return change(context, where, given)
    if command != "view":
        raise ToolError(
            f"The path {path} is a directory and only the `view` command can be used on directories"
        )
    if "view_range" in given:
        raise ToolError(
            "The `view_range` parameter is not allowed when `path` points to a directory."
        )
    return listing(context, where, path)


def _view(context: Context, where: str, given: Arguments, max_characters: int) -> Any:
    path = given["path"]
    data, _ = context.files.read_with_stat(where)
    shown = attachment(where, data, IMAGES)
    if shown is not None:
        return ToolResult(f"Image: {path}", attachments=(shown,))
    content = content_of(context, where, path)
    lines = content.split("\n")
    first, last = _range(given, len(lines))
    body = "\n".join(lines[first - 1 : last])
    if len(body) > max_characters:
        body = body[:max_characters] + _CUT
    shown_lines = numbered(body.split("\n"), first)
    return f"Here's the result of running `cat -n` on {path}:\n{shown_lines}\n"


def _range(given: Arguments, total: int) -> tuple[int, int]:
    if "view_range" not in given:
        return 1, total
    first, last = (int(line) for line in given["view_range"])
    told = f"Invalid `view_range`: [{first}, {last}]."
    if not 1 <= first <= total:
        raise ToolError(
            f"{told} Its first element `{first}` should be within the range of lines of the file:"
            f" [1, {total}]"
        )
    if last > total:
        raise ToolError(
            f"{told} Its second element `{last}` should be smaller than the number of lines in the"
            f" file: `{total}`"
        )
    if last not in (-1, *range(first, total + 1)):
        raise ToolError(
            f"{told} Its second element `{last}` should be larger or equal than its first `{first}`"
        )
    return first, total if last == -1 else last


def _create(context: Context, where: str, given: Arguments) -> str:
    path = given["path"]
    if context.files.exists(where):
        raise ToolError(
            f"File already exists at: {path}. Cannot overwrite files using command `create`."
        )
    try:
        context.files.write(where, _encoded(given["file_text"]), parents=True)
    except (NotDirectoryError, IsDirectoryError) as error:
        raise ToolError(f"File {path} cannot be created: {error}.") from None
    return f"File created successfully at: {path}"


def _str_replace(context: Context, where: str, given: Arguments) -> str:
    path, old, new = given["path"], given["old_str"], given.get("new_str", "")
    content = content_of(context, where, path)
    lines = places(content, old) if old else []
    if not lines:
        raise ToolError(
            f"No replacement was performed, old_str `{old}` did not appear verbatim in {path}."
        )
    if content.count(old) > 1:
        raise ToolError(
            f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines"
            f" {lines}. Please ensure it is unique"
        )
    edited = content.replace(old, new)
    context.files.write(where, _encoded(edited))
    first = max(0, lines[0] - 1 - _SNIPPET_LINES)
    last = lines[0] + _SNIPPET_LINES + new.count("\n")
    return (
        f"The file {path} has been edited. {_snippet(edited, first, last, f'a snippet of {path}')}"
        "Review the changes and make sure they are as expected. Edit the file again if necessary."
    )


def _insert(context: Context, where: str, given: Arguments) -> str:
    path, at, new = given["path"], int(given["insert_line"]), given["insert_text"]
    content = content_of(context, where, path)
    lines = content.split("\n")
    total = len(lines) if lines[-1] else len(lines) - 1
    if not 0 <= at <= total:
        raise ToolError(
            f"Invalid `insert_line` parameter: {at}. It should be within the range of lines of the"
            f" file: [0, {total}]"
        )
    added = new.removesuffix("\n").split("\n")
    edited = "\n".join([*lines[:at], *added, *lines[at:]])
    context.files.write(where, _encoded(edited))
    first = max(0, at - _SNIPPET_LINES)
    shown = _snippet(
        edited, first, at + len(added) + _SNIPPET_LINES, "a snippet of the edited file"
    )
    return (
        f"The file {path} has been edited. {shown}"
        "Review the changes and make sure they are as expected (correct indentation, no duplicate"
        " lines, etc). Edit the file again if necessary."
    )


def _snippet(content: str, first: int, last: int, what: str) -> str:
    lines = numbered(content.split("\n")[first:last], first + 1)
    return f"Here's the result of running `cat -n` on {what}:\n{lines}\n"


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "surrogateescape")

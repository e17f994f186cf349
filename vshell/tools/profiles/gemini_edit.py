"""`write_file` and `replace` of the `gemini` profile, which show the code as it is afterwards."""

from __future__ import annotations

from typing import Final

from vshell.errors import EditError, MultipleMatchesError, NoMatchError
from vshell.ops.context import Context
from vshell.ops.edit import edit
from vshell.ops.write import write
from vshell.text.linediff import diff_sequences
from vshell.text.lines import decode
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError, ToolResult

_AROUND: Final = 5


def run_write(context: Context, given: Arguments) -> str:
    """Write a file."""
    before = _text_before(context, given["file_path"])
    done = write(context, given["file_path"], given["content"])
    if done.created:
        told = f"Successfully created and wrote to new file: {done.path}."
    else:
        told = f"Successfully overwrote file: {done.path}."
    return told + _updated(before, given["content"])


def run_replace(context: Context, given: Arguments) -> ToolResult:
    """Replace text in a file."""
    path, old, new = given["file_path"], given["old_string"], given["new_string"]
    where = context.resolve(path)
    if not old:
        return _create(context, path, new)
    if not context.files.exists(where):
        raise ToolError(f"File not found: {where}")
    if old == new:
        raise ToolError(
            f"No changes to apply. The old_string and new_string are identical in file: {where}"
        )
    before = _text_before(context, path)
    expected = int(given.get("expected_replacements", 1))
    every = given.get("allow_multiple", False) or expected > 1
    try:
        done = edit(context, path, {"old": old, "new": new, "replace_all": every}, fuzz="strip")
    except EditError as error:
        raise ToolError(_edit_message(error, where)) from None
    if "expected_replacements" in given and done.replacements != expected:
        raise ToolError(
            f"Failed to edit, Expected {expected} occurrences but found {done.replacements} for"
            f" old_string in file: {where}"
        )
    told = f"Successfully modified file: {where} ({done.replacements} replacements)."
    told += _updated(before, _text_before(context, path))
    if done.strategy != "exact":
        told += f" Applied fuzzy match at line {done.first_changed_line}."
    return ToolResult(told, structured={"diff": done.patch})


def _create(context: Context, path: str, content: str) -> ToolResult:
    where = context.resolve(path)
    if context.files.exists(where):
        raise ToolError(f"File already exists, cannot create: {where}")
    write(context, path, content)
    told = f"Created new file: {where} with provided content."
    return ToolResult(told + _updated("", content))


def _edit_message(error: EditError, where: str) -> str:
    match error:
        case MultipleMatchesError():
            return (
                f"Failed to edit, Expected 1 occurrence but found {error.data['count']} for"
                f" old_string in file: {where}. If you intended to replace multiple occurrences,"
                " set 'allow_multiple' to true."
            )
        case NoMatchError():
            near = error.data.get("near") or []
            told = f" The nearest text is at line {near[0]['line']}." if near else ""
            return (
                f"Could not find an exact match for 'old_string' in '{where}'.{told} If previous"
                " edits modified the file or you are modifying lines outside your recent read"
                " window, please use ReadFile to inspect the target lines before retrying with an"
                " exact 'old_string'."
            )
    return str(error)


def _text_before(context: Context, path: str) -> str:
    where = context.resolve(path)
    if not context.files.exists(where) or context.files.stat(where).kind != "file":
        return ""
    return decode(context.files.read_with_stat(where)[0]).text


def _updated(before: str, after: str) -> str:
    return f" Here is the updated code:\n{changed_lines(before, after)}"


def changed_lines(before: str, after: str) -> str:
    """Return the lines of a text that changed, with five around them, and `...` between."""
    new = [line.removesuffix("\r") for line in after.split("\n")]
    changed: list[tuple[int, int]] = []
    old = [line.removesuffix("\r") for line in before.split("\n")] if before else []
    for run in diff_sequences(old, new):
        if run.tag == "equal":
            continue
        start, end = max(0, run.new_start - _AROUND), min(len(new), run.new_end + _AROUND)
        if changed and start <= changed[-1][1]:
            changed[-1] = (changed[-1][0], max(changed[-1][1], end))
        else:
            changed.append((start, end))
    if not before or not changed:
        return after
    parts, last = [], 0
    for start, end in changed:
        parts += ["..."] if start > last else []
        parts += new[start:end]
        last = end
    return "\n".join(parts + (["..."] if last < len(new) else []))

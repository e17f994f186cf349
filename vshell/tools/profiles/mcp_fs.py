"""The `mcp_fs` profile: the tools of `@modelcontextprotocol/server-filesystem` (2026.8).

Everything of the workspace is allowed, so no path is outside of what is. Three things
are better: an edit keeps the file's line endings, a failed one names the nearest text,
and a directory is not listed without bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from vshell.ops.context import Context
from vshell.tools.edit_arguments import gathered_edits
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.profiles.mcp_fs_tools import (
    allowed_directories,
    render_error,
    run_create_directory,
    run_directory_tree,
    run_edit,
    run_info,
    run_list_directory,
    run_list_with_sizes,
    run_move,
    run_read_media,
    run_read_multiple,
    run_read_text,
    run_search,
    run_write,
)
from vshell.tools.schema_parts import Schema, array, flag, record, text, whole

Run = Callable[[Context, Arguments], Any]

_PATH: Final = record(("path",), path=text())


_LINES: Final = record(
    ("path",),
    path=text(),
    tail=whole("If provided, returns only the last N lines of the file", minimum=1),
    head=whole("If provided, returns only the first N lines of the file", minimum=1),
)
_EDITS: Final = array(
    record(
        ("oldText", "newText"),
        oldText=text("Text to search for - must match exactly"),
        newText=text("Text to replace with"),
    ),
    minItems=1,
)
_PATTERNS: Final = array(text(), "Globs of what to leave out")


def _tool(name: str, title: str, told: str, schema: Schema, run: Run, **more: Any) -> Tool:
    described = f"{told} Only works within allowed directories."
    more.setdefault("aliases", {"file_path": "path", "filename": "path"})
    return Tool(name, described, schema, run, title=title, **more)


TOOLS: Final = (
    _tool(
        "read_file",
        "Read File (Deprecated)",
        "Read the complete contents of a file as text. DEPRECATED: Use read_text_file instead.",
        _LINES,
        run_read_text,
    ),
    _tool(
        "read_text_file",
        "Read Text File",
        "Read the complete contents of a file as text. Use 'head' or 'tail' to read only the"
        " first or last N lines.",
        _LINES,
        run_read_text,
    ),
    _tool(
        "read_media_file",
        "Read Media File",
        "Read a file and return it as a base64-encoded content block with its MIME type.",
        _PATH,
        run_read_media,
    ),
    _tool(
        "read_multiple_files",
        "Read Multiple Files",
        "Read several files at once. A file that cannot be read does not stop the others.",
        record(("paths",), paths=array(text(), "The files to read", minItems=1, maxItems=1000)),
        run_read_multiple,
        aliases={},
    ),
    _tool(
        "write_file",
        "Write File",
        "Create a new file or completely overwrite an existing file with new content. The"
        " directory must exist.",
        record(("path", "content"), path=text(), content=text()),
        run_write,
        changes=True,
    ),
    _tool(
        "edit_file",
        "Edit File",
        "Make edits to a text file, one after the other. Each replaces an exact text, the first"
        " that is found. Returns a git-style diff.",
        record(
            ("path", "edits"),
            path=text(),
            edits=_EDITS,
            dryRun=flag("Preview changes using git-style diff format"),
        ),
        run_edit,
        prepare=gathered_edits,
        changes=True,
    ),
    _tool(
        "create_directory",
        "Create Directory",
        "Create a directory and its parents, or make sure that it exists.",
        _PATH,
        run_create_directory,
        changes=True,
    ),
    _tool(
        "list_directory",
        "List Directory",
        "List what is in a directory, with [FILE] and [DIR] prefixes.",
        _PATH,
        run_list_directory,
    ),
    _tool(
        "list_directory_with_sizes",
        "List Directory with Sizes",
        "List what is in a directory, with [FILE] and [DIR] prefixes and sizes.",
        record(("path",), path=text(), sortBy=text("Sort by name or size", "name", "size")),
        run_list_with_sizes,
    ),
    _tool(
        "directory_tree",
        "Directory Tree",
        "Get a recursive tree of files and directories as JSON: name, type and, for"
        " directories, children.",
        record(("path",), path=text(), excludePatterns=_PATTERNS),
        run_directory_tree,
    ),
    _tool(
        "move_file",
        "Move File",
        "Move or rename a file or directory. The destination must not exist.",
        record(("source", "destination"), source=text(), destination=text()),
        run_move,
        aliases={"from": "source", "to": "destination"},
        changes=True,
    ),
    _tool(
        "search_files",
        "Search Files",
        "Recursively search for files and directories by a glob such as '**/*.ts'.",
        record(("path", "pattern"), path=text(), pattern=text(), excludePatterns=_PATTERNS),
        run_search,
    ),
    _tool(
        "get_file_info",
        "Get File Info",
        "Get metadata of a file or directory: size, times, type and permissions.",
        _PATH,
        run_info,
    ),
    _tool(
        "list_allowed_directories",
        "List Allowed Directories",
        "Return the directories that may be accessed.",
        record(()),
        lambda *_: allowed_directories(),
        aliases={},
    ),
)


def mcp_fs_profile(context: Context) -> Profile:
    """Return the tools read_text_file, read_media_file, write_file, edit_file and so on.

    Args:
        context: What they work in.
    """
    return Profile("mcp_fs", TOOLS, context=context, render_error=render_error)

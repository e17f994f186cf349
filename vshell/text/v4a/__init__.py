"""V4A patches: what Codex' `apply_patch` and OpenAI's Agents SDK understand, each as it does.

A patch names files and, for each, what to change:

    *** Begin Patch
    *** Update File: src/a.py
    @@ def main():
    -    old
    +    new
    *** Add File: b.txt
    +text
    *** Delete File: c.txt
    *** End Patch

The two dialects differ in what is between the headers:

| | `codex` (0.169) | `openai` (openai-agents 0.24) |
|---|---|---|
| the last line of a changed file | always ends with a newline | ends as it did |
| a new file | ends with a newline | does not |
| typographic dashes and quotes in context | match plain ones | do not |
| lines to add without context | at the end | where the last hunk ended |
| `@@ anchor` that is not there | an error | ignored, unless several are stacked |
| several `@@` before a hunk | an error | each narrows the search |

This module only reads text and makes text; it knows no files.
"""

from vshell.text.v4a.applying import updated
from vshell.text.v4a.parsing import (
    AddFile,
    DeleteFile,
    Dialect,
    FileChange,
    UpdateFile,
    parse_v4a,
)

__all__ = ["AddFile", "DeleteFile", "Dialect", "FileChange", "UpdateFile", "parse_v4a", "updated"]

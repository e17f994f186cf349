"""The `claude` profile speaks as Claude Code does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.tools.profile import Profile


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        yield opened


@pytest.fixture
def tools(workspace: Workspace) -> Profile:
    return workspace.tools("claude")


def test_read_numbers_lines(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "a\n\nc")
    assert tools.call("Read", {"file_path": "/f"}) == "1\ta\n2\t\n3\tc"


def test_read_goes_on_where_it_was_told(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "".join(f"line {n}\n" for n in range(1, 5001)))
    shown = tools.call("Read", {"file_path": "/f"})
    assert "2000\tline 2000\n" in shown
    assert "2001\t" not in shown
    assert "offset=2001" in shown
    assert tools.call("Read", {"file_path": "/f", "offset": 5000}) == "5000\tline 5000"


def test_read_of_an_empty_file_and_beyond_the_end(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/empty", "")
    workspace.write("/f", "a\n")
    assert "the contents are empty" in tools.call("Read", {"file_path": "/empty"})
    shown = tools.call("Read", {"file_path": "/f", "offset": 9})
    assert "shorter than the provided offset (9). The file has 1 lines." in shown


def test_read_of_a_missing_file_says_where_one_of_that_name_is(
    workspace: Workspace, tools: Profile
) -> None:
    workspace.write("/src/deep/main.py", "x")
    shown = tools.call("Read", {"file_path": "/main.py"})
    assert shown.is_error
    assert shown.startswith("File does not exist.")
    assert "Did you mean /src/deep/main.py?" in shown


def test_read_shows_images_and_refuses_other_binaries(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/i.png", b"\x89PNG\r\n\x1a\n\0\0")
    workspace.write("/b.bin", b"\0\1\2")
    shown = tools.run("Read", {"file_path": "/i.png"})
    assert shown.attachments[0].media_type == "image/png"
    assert tools.run("Read", {"file_path": "/b.bin"}).is_error


def test_a_file_must_be_read_before_it_is_changed(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "a\n")
    told = "File has not been read yet. Read it first before writing to it."
    edit = {"file_path": "/f", "old_string": "a", "new_string": "b"}
    assert tools.call("Write", {"file_path": "/f", "content": "x"}) == told
    assert tools.call("Edit", edit) == told
    tools.call("Read", {"file_path": "/f"})
    assert tools.call("Edit", edit) == "The file /f has been updated successfully."
    assert workspace.read_text("/f") == "b\n"


def test_a_file_that_changed_since_is_stale_but_the_same_content_is_not(
    workspace: Workspace, tools: Profile
) -> None:
    workspace.write("/f", "a\n")
    tools.call("Read", {"file_path": "/f"})
    workspace.write("/f", "changed\n")
    edit = {"file_path": "/f", "old_string": "a", "new_string": "b"}
    assert tools.call("Edit", edit).startswith("File has been modified since read")
    workspace.write("/f", "a\n")
    assert not tools.call("Edit", edit).is_error


def test_a_new_file_needs_no_reading(workspace: Workspace, tools: Profile) -> None:
    told = tools.call("Write", {"file_path": "/new/f", "content": "x"})
    assert told == "File created successfully at: /new/f"
    told = tools.call("Write", {"file_path": "/new/f", "content": "y"})
    assert told == "The file /new/f has been updated successfully."


def test_the_errors_of_edit(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "x = 1\nx = 1\nvalue = 2\n")
    tools.call("Read", {"file_path": "/f"})

    def edit(old: str, new: str, **more: bool) -> str:
        return str(
            tools.call("Edit", {"file_path": "/f", "old_string": old, "new_string": new, **more})
        )

    assert edit("q", "q") == ("No changes to make: old_string and new_string are exactly the same.")
    assert edit("valeu = 2", "z").startswith(
        "String to replace not found in file.\nString: valeu = 2"
    )
    assert edit("x = 1", "z").startswith(
        "Found 2 matches of the string to replace, but replace_all is false."
    )
    assert "All occurrences were successfully replaced" in edit("x = 1", "z", replace_all=True)
    assert workspace.read_text("/f") == "z\nz\nvalue = 2\n"


def test_edit_with_nothing_to_replace_makes_a_file(workspace: Workspace, tools: Profile) -> None:
    made = tools.call("Edit", {"file_path": "/n", "old_string": "", "new_string": "x"})
    assert made == "File created successfully at: /n"
    again = tools.call("Edit", {"file_path": "/n", "old_string": "", "new_string": "y"})
    assert again == "Cannot create new file - file already exists."


def test_edit_finds_curly_quotes(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "say “hello”\n")
    tools.call("Read", {"file_path": "/f"})
    edit = {"file_path": "/f", "old_string": 'say "hello"', "new_string": "say bye"}
    assert not tools.call("Edit", edit).is_error
    assert workspace.read_text("/f") == "say bye\n"


def test_glob_shows_the_newest_first(workspace: Workspace, tools: Profile) -> None:
    for number, name in enumerate(["b.py", "a.py", "c.py"]):
        workspace.write(f"/{name}", "x")
        workspace.utime(f"/{name}", mtime_ns=number * 10**9)
    assert tools.call("Glob", {"pattern": "*.py"}) == "/c.py\n/a.py\n/b.py"
    assert tools.call("Glob", {"pattern": "*.rs"}) == "No files found"


def test_grep_in_its_three_modes(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/a.py", "def f():\n    return 1\n\ndef g(): pass\n")
    workspace.write("/b.txt", "def\n")
    grep = {"pattern": "def"}
    assert tools.call("Grep", {**grep, "type": "py"}) == "Found 1 file\n/a.py"
    assert tools.call("Grep", {**grep, "glob": "*.py", "output_mode": "content"}) == (
        "/a.py:1:def f():\n/a.py:4:def g(): pass"
    )
    assert tools.call("Grep", {**grep, "output_mode": "count"}) == (
        "/a.py:2\n/b.txt:1\n\nFound 3 total occurrences across 2 files."
    )
    around = tools.call(
        "Grep", {"pattern": r"def f", "path": "/a.py", "output_mode": "content", "-A": 1}
    )
    assert around == "/a.py:1:def f():\n/a.py-2-    return 1"
    only = tools.call("Grep", {"pattern": r"\w\(\)", "output_mode": "content", "-o": True})
    assert only == "/a.py:1:f()\n/a.py:4:g()"
    assert tools.call("Grep", {"pattern": "nothing here"}) == "No files found"


def test_grep_pages(workspace: Workspace, tools: Profile) -> None:
    workspace.write("/f", "x\n" * 600)
    shown = tools.call("Grep", {"pattern": "x", "output_mode": "content"})
    assert shown.count("\n/f") == 249
    assert shown.endswith("[Showing results with pagination = limit: 250, offset: 0]")
    rest = tools.call(
        "Grep", {"pattern": "x", "output_mode": "content", "offset": 598, "head_limit": 250}
    )
    assert rest.startswith("/f:599:x\n/f:600:x\n\n")


def test_wrong_arguments_are_named_as_claude_code_names_them(tools: Profile) -> None:
    told = tools.call("Read", {"limit": "many", "colour": "red"})
    assert told.splitlines() == [
        "InputValidationError: Read failed due to the following issues:",
        "The required parameter `file_path` is missing",
        "The parameter `limit` type is expected as `number` but provided as `string`",
        "An unexpected parameter `colour` was provided",
    ]

"""The scripting API as a whole: its methods, how they are called, and single files."""

from __future__ import annotations

import inspect
import pickle
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from vshell.errors import (
    InvalidPathError,
    IsDirectoryError,
    NotDirectoryError,
    NotEmptyError,
    NotReadError,
    RangeError,
    ReadOnlyError,
    SymlinkLoopError,
    TooLargeError,
)
from vshell.ops import state_text
from vshell.ops.state import ALL_METHODS, METHODS_BY_NAME, State
from vshell.ops.state_methods import METHODS
from vshell.ops.state_shapes import SHAPES
from vshell.ops.state_table import REQUIRED, Method, snake_case
from vshell.ops.state_types import BadCallError
from vshell.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def state(workspace: Workspace) -> State:
    return workspace.state


# The table.

# One call of each method, by name, that works on the files below.
CALLS: dict[str, dict[str, Any]] = {
    "getCapabilities": {},
    "readFile": {"path": "/a.txt"},
    "readFileBytes": {"path": "/a.txt"},
    "writeFile": {"path": "/new/b", "content": "x"},
    "writeFileBytes": {"path": "/new/b", "content": b"x"},
    "appendFile": {"path": "/a.txt", "content": "x"},
    "readJson": {"path": "/j"},
    "writeJson": {"path": "/j", "value": None, "spaces": 4},
    "queryJson": {"path": "/j", "query": ".k"},
    "updateJson": {"path": "/j", "operations": [{"op": "set", "path": ".k", "value": 2}]},
    "exists": {"path": "/a.txt"},
    "stat": {"path": "/a.txt"},
    "lstat": {"path": "/a.txt"},
    "mkdir": {"path": "/m", "recursive": True},
    "readdir": {"path": "/"},
    "readdirWithFileTypes": {"path": "/"},
    "find": {
        "path": "/",
        "name": "*",
        "pathPattern": "/**",
        "type": "file",
        "minDepth": 1,
        "maxDepth": 3,
        "empty": False,
        "sizeMin": 1,
        "sizeMax": 100,
        "mtimeAfter": 0,
        "mtimeBefore": "2100-01-01",
    },
    "walkTree": {"path": "/", "maxDepth": 1},
    "summarizeTree": {"path": "/", "maxDepth": 1},
    "searchText": {
        "path": "/a.txt",
        "query": "T",
        "caseSensitive": False,
        "regex": True,
        "wholeWord": False,
        "contextBefore": 1,
        "contextAfter": 1,
        "maxMatches": 3,
    },
    "searchFiles": {"pattern": "*.txt", "query": "text"},
    "replaceInFile": {"path": "/a.txt", "search": "t", "replacement": "T"},
    "replaceInFiles": {
        "pattern": "*.txt",
        "search": "t",
        "replacement": "T",
        "dryRun": True,
        "rollbackOnError": False,
    },
    "rm": {"path": "/a.txt", "recursive": True, "force": True},
    "cp": {"src": "/a.txt", "dest": "/c", "recursive": True},
    "mv": {"src": "/a.txt", "dest": "/c", "recursive": True},
    "symlink": {"target": "a.txt", "linkPath": "/l2"},
    "readlink": {"path": "/l"},
    "realpath": {"path": "/l"},
    "resolvePath": {"base": "/a", "path": "../b"},
    "glob": {"pattern": "*"},
    "diff": {"pathA": "/a.txt", "pathB": "/j"},
    "diffContent": {"path": "/a.txt", "newContent": "other"},
    "createArchive": {"path": "/n.tar", "sources": ["/a.txt"]},
    "listArchive": {"path": "/t.tar"},
    "extractArchive": {"path": "/t.tar", "destination": "/out"},
    "compressFile": {"path": "/a.txt", "destination": "/n.gz"},
    "decompressFile": {"path": "/z.gz", "destination": "/z"},
    "hashFile": {"path": "/a.txt", "algorithm": "md5"},
    "detectFile": {"path": "/a.txt"},
    "removeTree": {"path": "/d"},
    "copyTree": {"src": "/d", "dest": "/e"},
    "moveTree": {"src": "/d", "dest": "/e"},
    "planEdits": {"instructions": [{"kind": "write", "path": "/a.txt", "content": "x"}]},
    "applyEditPlan": {"plan": {"edits": []}, "dryRun": True, "rollbackOnError": True},
    "applyEdits": {"edits": [{"path": "/a.txt", "content": "x"}], "dryRun": True},
}


def fill(workspace: Workspace) -> None:
    workspace.write("/a.txt", "text\n")
    workspace.write("/j", '{"k": 1}')
    workspace.write("/d/x", "1")
    workspace.symlink("a.txt", "/l")
    workspace.state.create_archive("/t.tar", ["/d"])
    workspace.state.compress_file("/a.txt", "/z.gz")


def outcome(method: str, *arguments: object, **named: object) -> object:
    """Return what a call gives on fresh files, with all times left out."""
    with Workspace.memory(now=lambda: 10**18) as workspace:
        fill(workspace)
        return getattr(workspace.state, method)(*arguments, **named), workspace.changes().revision


ONE_BY_ONE = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def test_there_are_46_methods() -> None:
    assert len(METHODS) == len({method.name for method in METHODS}) == 46
    assert {method.name for method in METHODS} == set(CALLS)


@ONE_BY_ONE
def test_a_method_is_there_under_both_names(method: Method) -> None:
    by_name = outcome(method.name, **CALLS[method.name])
    assert outcome(method.python_name, **CALLS[method.name]) == by_name


@ONE_BY_ONE
def test_arguments_may_come_by_position(method: Method) -> None:
    given = CALLS[method.name]
    positional = [given.get(each.name, each.default) for each in method.positional]
    options = {each.name: given[each.name] for each in method.options if each.name in given}
    by_name = outcome(method.name, **given)
    assert outcome(method.name, *positional, *([options] if options else [])) == by_name
    assert outcome(method.name, *positional, **options) == by_name


@ONE_BY_ONE
def test_arguments_may_come_as_one_object(method: Method) -> None:
    given = CALLS[method.name]
    options = {each.name: given[each.name] for each in method.options if each.name in given}
    rest = {name: value for name, value in given.items() if name not in options}
    by_name = outcome(method.name, **given)
    assert outcome(method.name, given) == by_name
    assert outcome(method.name, rest | ({"options": options} if options else {})) == by_name


@ONE_BY_ONE
def test_names_of_arguments_may_be_in_snake_case(method: Method) -> None:
    given = CALLS[method.name]
    snake = {snake_case(name): value for name, value in given.items()}
    by_name = outcome(method.name, **given)
    assert outcome(method.name, snake) == by_name
    assert outcome(method.python_name, **snake) == by_name


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("symlink", {"target": "a.txt", "link": "/l2"}),
        ("diff", {"a": "/a.txt", "b": "/j"}),
        ("compressFile", {"path": "/a.txt", "dest": "/n.gz"}),
        ("decompressFile", {"path": "/z.gz", "dest": "/z"}),
        ("searchFiles", {"glob_pattern": "*.txt", "query": "text"}),
        ("glob", {"globPattern": "*"}),
    ],
)
def test_short_names_of_arguments_are_known_too(method: str, given: dict[str, Any]) -> None:
    assert outcome(method, given) == outcome(method, CALLS[method])


@ONE_BY_ONE
def test_a_script_engine_calls_a_method_by_its_name(method: Method) -> None:
    given = CALLS[method.name]
    positional = [given.get(each.name, each.default) for each in method.positional]
    options = {each.name: given[each.name] for each in method.options if each.name in given}
    by_name = outcome(method.name, **given)
    assert outcome("dispatch", method.name, given) == by_name
    assert (
        outcome(
            "dispatch",
            method.python_name,
            [*positional, options][: len(positional) + bool(options)],
        )
        == by_name
    )


@ONE_BY_ONE
def test_what_javascript_leaves_undefined_is_as_good_as_not_given(method: Method) -> None:
    given = CALLS[method.name]
    needed = {each.name: given[each.name] for each in method.parameters if each.default is REQUIRED}
    optional = [each for each in method.parameters if each.default is not REQUIRED]
    undefined = {each.name: None for each in optional}
    assert outcome(method.name, needed | undefined) == outcome(method.name, needed)


@ONE_BY_ONE
def test_an_unknown_argument_is_an_error(method: Method, state: State) -> None:
    with pytest.raises(BadCallError, match=f"{method.name} takes no nonsense"):
        getattr(state, method.name)(CALLS[method.name] | {"nonsense": 1})


@ONE_BY_ONE
def test_too_many_arguments_are_an_error(method: Method, state: State) -> None:
    with pytest.raises(BadCallError):
        getattr(state, method.name)(*["/a"] * (len(method.positional) + 1))


@ONE_BY_ONE
def test_a_missing_argument_is_named(method: Method, state: State) -> None:
    for parameter in method.positional:
        if parameter.default is REQUIRED:
            given = {name: CALLS[method.name][name] for name in CALLS[method.name]}
            del given[parameter.name]
            with pytest.raises(BadCallError, match=f"needs {parameter.name}"):
                state.dispatch(method.name, given)


@ONE_BY_ONE
def test_the_function_takes_what_the_table_says(method: Method) -> None:
    function = inspect.signature(method.function)
    named = [
        name
        for name, each in function.parameters.items()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ][1:]
    assert [name for name in named if name != "timeout_s"] == [
        each.python_name for each in method.parameters if each.python_name in named
    ]
    spread = len(named) - ("timeout_s" in named) < len(method.parameters)
    assert spread == (len(named) < len(function.parameters) - 1)
    assert ("timeout_s" in named) == method.timed


@ONE_BY_ONE
def test_a_method_that_changes_nothing_works_on_a_read_only_workspace(
    method: Method, tmp_path: PurePosixPath
) -> None:
    path = str(tmp_path / "w.db")
    with Workspace.open(path) as workspace:
        fill(workspace)
    with Workspace.open(path, read_only=True) as workspace:
        if method.kind == "read":
            getattr(workspace.state, method.name)(CALLS[method.name])
        else:
            with pytest.raises(ReadOnlyError):
                getattr(workspace.state, method.name)(CALLS[method.name])


@ONE_BY_ONE
def test_a_method_is_documented(method: Method) -> None:
    documentation = inspect.getdoc(getattr(State, method.python_name)) or ""
    assert documentation.startswith(method.doc)
    assert method.doc.endswith(".")
    for parameter in method.parameters:
        assert f"{parameter.python_name}: {parameter.doc}" in documentation
        assert parameter.doc.endswith(".")


def test_every_type_that_the_table_names_is_declared() -> None:
    texts = [method.result for method in ALL_METHODS]
    texts += [each.type.typescript for method in ALL_METHODS for each in method.parameters]
    texts += [field.type for shape in SHAPES for field in shape.fields]
    named = set(re.findall(r"State\w+", " ".join(texts)))
    declared = {shape.name for shape in SHAPES}
    assert named - {"StateEntryType"} == declared


def test_an_unknown_method_suggests_a_known_one(state: State) -> None:
    with pytest.raises(BadCallError) as caught:
        state.dispatch("readfile", [])
    assert caught.value.hint == "did you mean readFile?"


def test_arguments_that_are_no_list_or_object_are_refused(state: State) -> None:
    with pytest.raises(BadCallError, match="a list or an object"):
        state.dispatch("readFile", "/a")


def test_an_argument_that_is_given_twice_is_refused(state: State) -> None:
    with pytest.raises(BadCallError, match="twice"):
        state.mkdir("/a", {"recursive": True}, recursive=True)
    with pytest.raises(BadCallError, match="twice"):
        state.walk_tree({"path": "/", "maxDepth": 1, "max_depth": 1})


def test_what_is_no_option_is_not_taken_among_the_options(state: State) -> None:
    with pytest.raises(BadCallError, match="no option path"):
        state.mkdir("/a", {"path": "/b"})


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("readFile", (1,), "path of readFile must be a path, not int"),
        ("writeFile", ("/a", b"x"), "content of writeFile must be text, not bytes"),
        ("writeFileBytes", ("/a", "x"), "content of writeFileBytes must be bytes, not str"),
        ("appendFile", ("/a", 1), "content of appendFile must be bytes, not int"),
        ("mkdir", ("/a", {"recursive": 1}), "must be true or false, not int"),
        ("mkdir", ("/a", True), "was called with 2 arguments"),
        ("walkTree", ("/", {"maxDepth": 1.5}), "must be a whole number, not float"),
        ("walkTree", ("/", {"maxDepth": True}), "must be a whole number, not bool"),
        ("createArchive", ("/a", "/b"), "sources of createArchive must be a list, not str"),
        ("createArchive", ("/a", [1]), r"sources of createArchive\[0\] must be a path"),
        ("applyEdits", ({"edits": [1]},), "must be an object, not int"),
        ("find", ("/", {"mtimeAfter": []}), "must be a time, not list"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(
    state: State, method: str, arguments: tuple[object, ...], message: str
) -> None:
    with pytest.raises(BadCallError, match=message):
        getattr(state, method)(*arguments)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("walkTree", ("/", {"maxDepth": -1})),
        ("walkTree", ("/", {"maxDepth": 2**70})),
        ("hashFile", ("/", {"algorithm": "crc32"})),
        ("find", ("/", {"type": "socket"})),
        ("find", ("/", {"mtimeAfter": "yesterday"})),
        ("find", ("/", {"mtimeAfter": float("nan")})),
    ],
)
def test_a_value_that_is_out_of_range_is_refused(
    state: State, method: str, arguments: tuple[object, ...]
) -> None:
    with pytest.raises(RangeError):
        getattr(state, method)(*arguments)


def test_a_whole_number_may_be_a_float(state: State) -> None:
    assert "children" not in state.walk_tree("/", max_depth=0.0)


def test_a_path_may_be_an_object_of_pathlib(state: State) -> None:
    state.write_file(PurePosixPath("/a"), "x")
    assert state.read_file(PurePosixPath("/a")) == "x"


def test_a_bad_call_survives_pickling_and_is_a_type_error(state: State) -> None:
    with pytest.raises(TypeError) as caught:
        state.read_file()
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), BadCallError)


def test_both_names_lead_to_one_declaration() -> None:
    assert METHODS_BY_NAME["readFile"] is METHODS_BY_NAME["read_file"]


def test_results_are_plain_data() -> None:
    def check(value: object) -> None:
        if isinstance(value, dict):
            assert type(value) is dict
            for name, item in value.items():
                assert type(name) is str
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)
        else:
            assert type(value) in (str, bytes, int, bool, float, type(None))

    for name, given in CALLS.items():
        with Workspace.memory() as workspace:
            fill(workspace)
            check(getattr(workspace.state, name)(given))


def test_the_python_twin_of_the_example_runs(state: State) -> None:
    state.write_file("/src/a.ts", "// TODO: one\nx\n// TODO: two\n")
    state.write_file("/src/lib/b.ts", "nothing\n")
    results = []
    for file in state.glob("src/**/*.ts"):
        content = state.read_file(file)
        todos = re.findall(r"// TODO:.*", content)
        if todos:
            results.append({"file": file, "todos": todos})
    assert results == [{"file": "/src/a.ts", "todos": ["// TODO: one", "// TODO: two"]}]


# Paths.


def test_relative_paths_start_at_the_working_directory(workspace: Workspace) -> None:
    state = workspace.session("me", cwd="/home/me").state
    state.write_file("a.txt", "x")
    assert workspace.read_text("/home/me/a.txt") == "x"
    assert state.glob("*.txt") == ["/home/me/a.txt"]
    assert state.resolve_path("b", "../c") == "/home/me/c"
    assert state.realpath("") == "/home/me"


def test_two_dots_take_a_name_back_whatever_it_leads_to(workspace: Workspace) -> None:
    workspace.write("/x", "root")
    workspace.write("/d/x", "beside")
    workspace.mkdir("/d/e")
    workspace.symlink("/d/e", "/l")
    assert workspace.state.read_file("/l/../x") == "root"


@pytest.mark.parametrize("method", ["rm", "removeTree"])
def test_nothing_is_removed_by_an_empty_path(workspace: Workspace, method: str) -> None:
    workspace.write("/d/x", "1")
    state = workspace.session("me", cwd="/d").state
    with pytest.raises(InvalidPathError):
        state.dispatch(method, {"path": ""})
    assert workspace.exists("/d/x")


def test_nothing_is_moved_by_an_empty_path(workspace: Workspace) -> None:
    workspace.write("/d/x", "1")
    with pytest.raises(InvalidPathError):
        workspace.session("me", cwd="/d").state.move_tree("", "/e")


@pytest.mark.parametrize("path", ["/a\0b", "/" + "n" * 300])
def test_at_a_path_that_cannot_be_there_is_nothing(state: State, path: str) -> None:
    assert (state.exists(path), state.stat(path), state.lstat(path)) == (False, None, None)


# What the original did wrong with files.


def test_a_directory_of_1500_files_is_moved_whole(state: State) -> None:
    state.apply_edits([{"path": f"/d/{number}", "content": ""} for number in range(1500)])
    state.mv("/d", "/e", {"recursive": True})
    assert len(state.readdir("/e")) == 1500
    assert not state.exists("/d")


@pytest.mark.parametrize("method", ["cp", "copyTree", "mv", "moveTree"])
def test_a_directory_does_not_go_into_itself(state: State, method: str) -> None:
    state.write_file("/d/x", "1")
    options = [{"recursive": True}] if method in ("cp", "mv") else []
    with pytest.raises(InvalidPathError):
        getattr(state, method)("/d", "/d/e/f", *options)
    assert state.find("/d", type="directory")[-1]["path"] == "/d"


def test_text_is_added_to_a_binary_file_without_harm(state: State) -> None:
    state.write_file_bytes("/b", b"\xff\xfe\x00")
    state.append_file("/b", "é")
    assert state.read_file_bytes("/b") == b"\xff\xfe\x00\xc3\xa9"


def test_a_directory_is_moved_only_when_that_is_asked_for(state: State) -> None:
    state.mkdir("/d")
    with pytest.raises(IsDirectoryError):
        state.mv("/d", "/e")
    with pytest.raises(IsDirectoryError):
        state.cp("/d", "/e")


def test_a_directory_does_not_replace_one_with_entries(state: State) -> None:
    state.write_file("/d/x", "1")
    state.write_file("/e/y", "2")
    with pytest.raises(NotEmptyError):
        state.move_tree("/d", "/e")
    assert state.exists("/d/x")
    assert state.exists("/e/y")


def test_a_link_is_copied_and_moved_as_a_link(state: State) -> None:
    state.write_file("/d/x", "1")
    state.symlink("/d", "/l")
    state.cp("/l", "/copy")
    state.mv("/l", "/moved")
    assert (state.readlink("/copy"), state.readlink("/moved")) == ("/d", "/d")


def test_writing_goes_through_a_link(state: State) -> None:
    state.symlink("/made", "/l")
    state.write_file("/l", "x")
    assert state.read_file("/made") == "x"
    assert state.lstat("/l")["type"] == "symlink"


def test_stat_of_links_that_lead_in_a_circle_is_an_error(state: State) -> None:
    state.symlink("/b", "/a")
    state.symlink("/a", "/b")
    with pytest.raises(SymlinkLoopError):
        state.stat("/a")


def test_a_file_on_the_way_is_no_directory(state: State) -> None:
    state.write_file("/f", "x")
    for method, *arguments in (("writeFile", "/f/x", ""), ("readdir", "/f")):
        with pytest.raises(NotDirectoryError):
            state.dispatch(method, arguments)


# Text.


def test_bytes_that_are_no_utf_8_read_as_replacement_characters(state: State) -> None:
    state.write_file_bytes("/b", b"a\xff\xe2\x82")
    assert state.read_file("/b") == "a\ufffd\ufffd"


def test_a_byte_order_mark_is_no_part_of_the_text(state: State) -> None:
    state.write_file_bytes("/b", b"\xef\xbb\xbfx")
    assert state.read_file("/b") == "x"


def test_half_of_a_surrogate_pair_is_written_as_a_replacement_character(state: State) -> None:
    state.write_file("/a", "x\ud800y\ud83d\ude00")
    assert state.read_file("/a") == "x\ufffdy😀"


def test_a_file_that_is_too_large_to_take_whole_is_refused(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.write_file("/a", "12345")
    monkeypatch.setattr(state_text, "MAX_TEXT_BYTES", 4)
    for method in ("readFile", "readFileBytes", "readJson"):
        with pytest.raises(TooLargeError):
            state.dispatch(method, ["/a"])


# Times, sessions and cost.


def test_times_are_milliseconds() -> None:
    with Workspace.memory(now=lambda: 1_700_000_000_123_456_789) as workspace:
        workspace.state.write_file("/a", "x")
        assert workspace.state.stat("/a")["mtime"] == 1_700_000_000_123
        assert workspace.state.find("/a")[0]["mtime"] == 1_700_000_000_123


def test_changes_carry_the_name_of_the_session(workspace: Workspace) -> None:
    workspace.session("fix-1").state.replace_in_files("/**", "a", "b")
    workspace.session("fix-1").state.write_file("/a", "x")
    assert {change.session for change in workspace.changes()} == {"fix-1"}


def test_a_session_that_must_read_first_must_do_so_here_too(workspace: Workspace) -> None:
    workspace.write("/a", "text")
    state = workspace.session("me", require_read=True).state
    calls: list[tuple[str, list[object]]] = [
        ("writeFile", ["/a", "x"]),
        ("replaceInFile", ["/a", "t", "x"]),
        ("applyEdits", [[{"path": "/a", "content": "x"}]]),
    ]
    for method, arguments in calls:
        with pytest.raises(NotReadError):
            state.dispatch(method, arguments)
    state.read_file("/a")
    state.replace_in_file("/a", "t", "x")
    assert workspace.read_text("/a") == "xexx"


def statements(workspace: Workspace, method: str, *arguments: object) -> int:
    with workspace.files.store.database.count_statements() as counted:
        getattr(workspace.state, method)(*arguments)
    return len(counted.statements)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("searchFiles", ("/d/**", "text")),
        ("glob", ("/d/**",)),
        ("find", ("/d",)),
        ("walkTree", ("/d",)),
        ("summarizeTree", ("/d",)),
        ("replaceInFiles", ("/d/**", "not there", "x")),
    ],
)
def test_the_number_of_statements_does_not_depend_on_the_number_of_files(
    method: str, arguments: tuple[object, ...], tmp_path: PurePosixPath
) -> None:
    counts = []
    for files in (10, 100):
        path = str(tmp_path / f"{files}.db")
        with Workspace.open(path) as workspace:
            workspace.state.apply_edits(
                [{"path": f"/d/{number}", "content": f"text {number}"} for number in range(files)]
            )
        with Workspace.open(path) as workspace:
            counts.append(statements(workspace, method, *arguments))
    assert counts[0] == counts[1] < 15

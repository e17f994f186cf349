"""The tools that run commands and scripts, in each profile that has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from vshell import Workspace
from vshell.errors import RangeError
from vshell.tools.profile import Profile

# How each profile's tool is called for a command line, and what it says of a failure.
SHELLS: dict[str, tuple[str, str]] = {
    "claude": ("Bash", "Exit code 3"),
    "codex": ("shell", "Exit code: 3"),
    "pi": ("bash", "Command exited with code 3"),
    "opencode": ("bash", "exit code: 3"),
    "gemini": ("run_shell_command", "Exit Code: 3"),
    "deepagents": ("execute", "[Command failed with exit code 3]"),
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        opened.write("/a.txt", "one\n")
        yield opened


@pytest.mark.parametrize("name", SHELLS)
def test_a_command_runs_and_its_directory_stays(workspace: Workspace, name: str) -> None:
    tool, failed = SHELLS[name]
    profile = workspace.session(name).tools(name)
    made = profile.run(tool, {"command": f"mkdir -p /{name}; cd /{name}; cat /a.txt; echo x > f"})
    assert not made.is_error
    assert "one" in made.text
    assert f"/{name}" in profile.run(tool, {"command": "pwd"}).text
    assert failed in profile.run(tool, {"command": "exit 3"}).text
    assert workspace.read_text(f"/{name}/f") == "x\n"


def test_a_command_that_takes_too_long_says_so(workspace: Workspace) -> None:
    result = workspace.tools("claude").run("Bash", {"command": "sleep 60", "timeout": 100})
    assert result.is_error
    assert result.text.startswith("Command timed out after 0.1s")


def test_long_output_is_cut_and_says_so(workspace: Workspace) -> None:
    shown = workspace.tools("claude").call("Bash", {"command": "seq 100000"})
    assert len(shown) < 31_000
    assert "lines truncated]" in shown
    shown = workspace.tools("pi").call("bash", {"command": "seq 100000"})
    assert shown.startswith("98001\n")
    assert "[Showing lines 98001-100000 of 100000.]" in shown


def test_a_patch_in_a_heredoc_is_applied(workspace: Workspace) -> None:
    patch = "*** Begin Patch\n*** Add File: patched.txt\n+x\n*** End Patch"
    script = f"apply_patch <<'EOF'\n{patch}\nEOF\n"
    result = workspace.tools("codex").run("shell", {"command": ["bash", "-lc", script]})
    assert result.value == "Success. Updated the following files:\nA patched.txt\n"
    assert workspace.read_text("/patched.txt") == "x\n"


def test_what_a_command_read_or_wrote_counts_as_seen(workspace: Workspace) -> None:
    profile = workspace.tools("claude")
    workspace.write("/seen.txt", "a\n")
    edit = {"file_path": "/seen.txt", "old_string": "a", "new_string": "b"}
    assert "has not been read yet" in profile.call("Edit", edit)
    profile.call("Bash", {"command": "cat /seen.txt"})
    assert not profile.call("Edit", edit).is_error
    workspace.write("/seen.txt", "a, by somebody else\n")
    assert "modified since read" in profile.call("Edit", edit)


def run_code(profile: Profile, code: str, **more: Any) -> Any:
    return profile.run("run_code", {"code": code, **more})


def test_a_script_runs_against_state(workspace: Workspace) -> None:
    profile = workspace.session("scripts").tools("code")
    done = run_code(profile, "state.write_file('/s.txt', 'x')\nprint('said')\nreturn 1 + 1")
    assert done.structured == {
        "status": "ok",
        "value": 2,
        "logs": "said\n",
        "changes": ["create /s.txt"],
    }
    source = "async () => (await state.readFile('/s.txt')).length"
    assert run_code(profile, source, language="javascript").structured["value"] == 1
    failed = run_code(profile, "1 / 0")
    assert failed.is_error
    assert failed.structured["error"]["type"] == "ZeroDivisionError"


def test_a_dry_run_of_a_script_changes_nothing(workspace: Workspace) -> None:
    done = run_code(workspace.tools("code"), "state.write_file('/dry', 'x')", dry_run=True)
    assert done.structured["changes"] == ["create /dry"]
    assert not workspace.exists("/dry")


def test_the_description_declares_every_method(workspace: Workspace) -> None:
    from vshell.ops.state import ALL_METHODS

    (tool,) = workspace.tools("code").tools
    for method in ALL_METHODS:
        assert f"  {method.name}(" in tool.description
        assert f"    def {method.python_name}(self" in tool.description


@pytest.mark.parametrize("name", SHELLS)
def test_rules_hold_in_every_profile(workspace: Workspace, name: str) -> None:
    workspace.write(f"/secret-{name}", "kept\n")
    rules = {"deny": ["rm", "sed -i *"], "unreadable": [f"/secret-{name}"]}
    profile = workspace.session(name).tools(name, rules=rules)
    tool = SHELLS[name][0]
    denied = profile.run(tool, {"command": f"rm /secret-{name}"})
    assert "126" in denied.text
    assert workspace.exists(f"/secret-{name}")
    assert "kept" not in profile.run(tool, {"command": f"cat /secret-{name}"}).text
    assert "one" in profile.run(tool, {"command": "cat /a.txt"}).text


def test_rules_that_are_none_are_refused(workspace: Workspace) -> None:
    with pytest.raises(RangeError):
        workspace.tools("claude", rules={"forbid": ["rm"]})


def test_profiles_without_a_shell_take_rules_and_have_no_use_for_them(workspace: Workspace) -> None:
    assert workspace.tools("memory", rules={"deny": ["rm"]}).names == ("memory",)

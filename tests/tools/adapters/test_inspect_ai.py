"""Inspect's own checks of sandboxes, on both executors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("inspect_ai", reason="needs PyPI inspect-ai")

from inspect_ai.util import SandboxUserUnsupportedError
from inspect_ai.util._sandbox import self_check

from tests.sync import daemon
from tests.tools.adapters.examples import run_example
from vshell import Workspace
from vshell.tools.adapters.inspect_ai import VshellConfig, VshellSandboxEnvironment

CHECKS = sorted(name for name in vars(self_check) if name.startswith("test_"))
OTHER_USERS = "there is one user, and there are no others to be"
LACKS = {
    "virtual": {
        "test_cwd_custom": "there is no /usr/bin: commands of the virtual shell are no files",
        "test_exec_as_user": OTHER_USERS,
        "test_exec_permission_error": "there is no /etc/passwd, so it is not found instead",
        "test_read_file_is_directory": "there is no /etc, so it is not found instead",
    },
    "container": {"test_exec_as_user": OTHER_USERS},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def environments() -> Iterator[dict[str, Any]]:
    made: dict[str, Any] = {}
    yield made
    for each in made.values():
        each.close()


def environment(made: dict[str, Any], name: str) -> Any:
    """Return the environment that all checks share."""
    if name not in made:
        image = daemon.image() if name == "container" else None
        config = VshellConfig.model_validate({"executor": name, "image": image})
        made[name] = anyio.run(VshellSandboxEnvironment.sample_init, "self check", config, {})[
            "default"
        ]
    return made[name]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "executor", ["virtual", pytest.param("container", marks=pytest.mark.docker)]
)
def test_self_check(
    environments: dict[str, Any], executor: str, check: str, request: pytest.FixtureRequest
) -> None:
    if reason := LACKS[executor].get(check):
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    anyio.run(getattr(self_check, check), environment(environments, executor))


def test_a_sample_starts_with_a_copy_of_the_template_and_is_kept(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "start.db") as template:
        template.write("/task.txt", "do it\n")
    config = VshellConfig(template=str(tmp_path / "start.db"), keep=str(tmp_path / "kept"))

    async def run() -> str:
        made = await VshellSandboxEnvironment.sample_init("a/task", config, {})
        sandbox = made["default"]
        ran = await sandbox.exec(["cp", "task.txt", "done.txt"])
        assert ran.success
        told = await sandbox.connection()
        await VshellSandboxEnvironment.sample_cleanup("a/task", config, made, False)
        return str(told.command)

    command = anyio.run(run)
    (kept,) = (tmp_path / "kept").glob("*.db")
    assert command == f"vshell -w {kept}"
    with Workspace.open(kept) as workspace:
        assert workspace.read_text("/done.txt") == "do it\n"
        assert workspace.changes().changes[-1].session == "inspect"


def test_a_configuration_survives_a_log() -> None:
    config = VshellConfig(executor="container", image="debian:12", rules={"deny": ["rm"]})
    assert VshellSandboxEnvironment.config_deserialize(config.model_dump()) == config


def test_another_user_is_refused() -> None:
    async def run() -> None:
        made = await VshellSandboxEnvironment.sample_init("task", None, {})
        try:
            with pytest.raises(SandboxUserUnsupportedError):
                await made["default"].exec(["true"], user="root")
        finally:
            await VshellSandboxEnvironment.sample_cleanup("task", None, made, False)

    anyio.run(run)


@pytest.mark.filterwarnings("default")  # Inspect's own use of other libraries warns
def test_an_evaluation_runs_in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It would download a vocabulary to count with.
    async def count(*_: Any) -> int:
        return 1

    monkeypatch.setattr("inspect_ai.model._model.ModelAPI.count_text_tokens", count)
    from inspect_ai import eval as evaluate
    from inspect_ai.model import ModelOutput, get_model

    script = [
        ModelOutput.for_tool_call("mockllm/model", "bash", {"command": "echo $((6 * 7))"}),
        ModelOutput.from_content("mockllm/model", "It is 42."),
    ]
    model = get_model("mockllm/model", custom_outputs=script)
    names = run_example("Inspect")
    (log,) = evaluate(names["task"], model=model, display="none", log_dir=str(tmp_path))
    assert log.status == "success", log.error
    assert log.samples[0].messages[-2].content == "42\n"

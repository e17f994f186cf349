"""The programs that the suites compare with: npm packages, each of one version.

They are in `$VSHELL_COMPAT_DIR` (default `~/.cache/vshell/compat`), and are put there when
they are first needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "@openai/codex": "0.171.0",
    "@modelcontextprotocol/conformance": "0.1.16",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
    "@earendil-works/pi-coding-agent": "1.6.0",
    "@flue/runtime": "2.1.0",
    "@google/gemini-cli-core": "0.61.0",
    "@anthropic-ai/claude-agent-sdk": "0.3.332",
    "opencode-linux-x64": "1.18.33",
    "node": "22",
}


class CannotInstallError(Exception):
    """A package cannot be installed; the text says why."""


def tell(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(f"... {text}", file=sys.stderr, flush=True)


def directory() -> Path:
    """Return where npm packages are."""
    given = os.environ.get("VSHELL_COMPAT_DIR")
    return Path(given) if given else Path.home() / ".cache" / "vshell" / "compat"


def package(name: str) -> Path | None:
    """Return where an npm package is; None when it is not installed."""
    found = directory() / "node_modules" / name
    return found if (found / "package.json").exists() else None


def version(name: str) -> str:
    """Return the version of an npm package; empty when it is not installed."""
    found = package(name)
    if found is None:
        return ""
    described = json.loads((found / "package.json").read_text())
    return str(described["version"])


def install(names: Iterable[str]) -> None:
    """Install npm packages, unless they are there in the right version.

    Raises:
        CannotInstallError: There is no npm, or it cannot install one.
    """
    wanted = [
        f"{name}@{PACKAGES[name]}"
        for name in names
        if not f"{version(name)}.".startswith(f"{PACKAGES[name]}.")
    ]
    if not wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstallError(f"npm is not installed, and {', '.join(wanted)} is needed")
    where = directory()
    where.mkdir(parents=True, exist_ok=True)
    tell(f"npm install {' '.join(wanted)}")
    done = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", *_options(wanted), *wanted],
        cwd=where,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise CannotInstallError(f"npm install {' '.join(wanted)}: {' '.join(last)}")


def _options(wanted: list[str]) -> list[str]:
    """Return options: but for node, which fetches itself so, no package needs its scripts."""
    return [] if any(name.startswith("node@") for name in wanted) else ["--ignore-scripts"]


def codex_binary() -> Path | None:
    """Return Codex' native program, which called `apply_patch` applies a patch."""
    modules = directory() / "node_modules" / "@openai"
    found = sorted(modules.glob("codex-*/vendor/*/bin/codex")) or sorted(
        modules.glob("codex*/vendor/*/codex/codex")
    )
    return found[0] if found else None


def node() -> str | None:
    """Return a node of version 22 or later; None when there is none."""
    ours = directory() / "node_modules" / "node" / "bin" / "node"
    for candidate in (str(ours), shutil.which("node")):
        if candidate is None or not Path(candidate).exists():
            continue
        told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=True)
        if int(told.stdout.lstrip("v").partition(".")[0]) >= 22:
            return candidate
    return None

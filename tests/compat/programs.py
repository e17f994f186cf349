"""The programs that the suites compare with: where they are, and which version each is.

npm packages are looked for in `$VSHELL_COMPAT_DIR` (default `~/.cache/vshell/compat`), and
`python -m tests.compat --install` puts them there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "@openai/codex": "0.169.0",
    "@modelcontextprotocol/conformance": "0.1.16",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
    "@earendil-works/pi-coding-agent": "1.5.2",
    "@flue/runtime": "2.1.0",
    "node": "22",
}


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
    """Install npm packages."""
    where = directory()
    where.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{PACKAGES[name]}" for name in names]
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", *wanted],
        cwd=where,
        check=True,
        timeout=900,
    )


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

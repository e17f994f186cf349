"""Where no namespaces can be made: nothing runs, unless the caller accepts less."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from vshell.jail.probing import probe

pytestmark = pytest.mark.skipif(probe().guests != "full", reason="there are no namespaces here")

# Inside a user namespace of its own, a process can forbid itself to make more of them.
PROGRAM = """
import json
from vshell.jail import kernel, namespaces

namespaces.enter(kernel.CLONE_NEWUSER, keep_user=True)
with open("/proc/sys/user/max_user_namespaces", "w") as limit:
    limit.write("0")

from contextlib import closing
from tests.script.guests import run
from vshell.jail.probing import probe
from vshell.script.engines.python import PythonEngine
from vshell.workspace import Workspace

found = {"guests": probe().guests}
with closing(PythonEngine()) as engine:
    found["reason"] = engine.available().reason
SOURCE = '''
import posix, socket
found = []
for attempt in (lambda: posix.listdir("/"), lambda: posix.open("/etc/passwd", 0), socket.socket,
                posix.fork, lambda: posix.kill(1, 0)):
    try:
        found.append(repr(attempt()))
    except PermissionError:
        found.append("refused")
found
'''
with closing(PythonEngine(allow_reduced=True)) as engine, Workspace.memory() as workspace:
    assert engine.available() is None
    found["isolation"] = engine.isolation
    found["value"] = run(engine, workspace.state, SOURCE).value
print(json.dumps(found))
"""


def test_the_engine_says_why_and_goes_on_only_when_it_is_told_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "guests": "reduced",
        "reason": "scripts cannot be confined here: "
        "the system makes no namespaces (unshare: No space left on device)",
        "isolation": "reduced",
        "value": ["refused"] * 5,
    }

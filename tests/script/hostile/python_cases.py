"""Hostile scripts in Python."""

from __future__ import annotations

from tests.script.hostile.case import Case

__all__ = ["CASES"]


def attempt(name: str, statement: str, *, before: str = "") -> Case:
    """A case that is refused: the statement raises, or gives nothing."""
    lines = statement.replace("\n", "\n    ")
    source = f"""
{before}
def attempt():
    {lines}
    return "ESCAPED"
try:
    result = attempt()
except (OSError, RuntimeError, ValueError, AttributeError, ImportError, TypeError, LookupError,
        NameError, NotImplementedError) as error:
    result = type(error).__name__
result
"""
    return Case(name, source, ("value", "error"))


LOOPS = (
    Case("endless loop", "while True: pass", ("timeout",)),
    Case("loop that swallows everything", "while True:\n try:\n  1/0\n except: pass", ("timeout",)),
    Case(
        "loop that swallows the end of its time",
        "def f():\n while True:\n  try:\n   while True: pass\n  except BaseException: continue\nf()",
        ("timeout",),
    ),
    Case(
        "loop in __del__",
        "class A:\n def __del__(self):\n  while True: pass\na = A()\na = None",
        ("timeout",),
        monty=False,
    ),
    Case(
        "loop in __getattr__",
        "class A:\n def __getattr__(self, name):\n  while True: pass\nA().x",
        ("timeout",),
        monty=False,
    ),
    Case("loop in a generator", "sum(1 for x in iter(int, 1))", ("timeout",), monty=False),
    Case(
        "loop in __str__ of the error",
        "class E(Exception):\n def __str__(self):\n  while True: pass\nraise E",
        ("timeout",),
        monty=False,
    ),
    Case(
        "loop while the result is read",
        "class D(dict):\n def items(self):\n  while True: pass\nD(a=1)",
        ("timeout",),
        monty=False,
    ),
    Case(
        "loop in a coroutine",
        "import asyncio\nasync def f():\n while True: await asyncio.sleep(0)\nawait f()",
        ("timeout",),
    ),
    Case("await of nothing", "import asyncio\nawait asyncio.Future()", ("error",), monty=False),
    Case("long sleep", "import time\ntime.sleep(1000)", ("timeout",)),
    Case(
        "loop in a finaliser at exit",
        "import atexit\n@atexit.register\ndef f():\n while True: pass\n1",
        ("value", "timeout"),
        monty=False,
    ),
    Case(
        "regular expression that backtracks",
        "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
        ("timeout", "value", "error"),
    ),
    Case(
        "sort with a slow key", "sorted(range(10), key=lambda x: sum(range(10**9)))", ("timeout",)
    ),
    Case("sum of a huge range", "sum(range(10**12))", ("timeout", "memory", "error")),
)

MEMORY = (
    Case("string bomb", "'x' * 10**10", ("memory", "timeout")),
    Case("list bomb", "[0] * 10**10", ("memory", "timeout")),
    Case("list that grows", "x = []\nwhile True: x.append('y' * 10000)", ("memory", "timeout")),
    Case("dictionary that doubles", "x = 'a'\nwhile True: x += x", ("memory", "timeout")),
    Case("nested lists", "x = []\nwhile True: x = [x, x]", ("memory", "timeout")),
    Case("format bomb", "'%1000000000d' % 1", ("memory", "timeout")),
    Case("bytes bomb", "bytes(10**10)", ("memory", "error", "timeout")),
    Case("huge power", "10 ** 10 ** 9", ("memory", "timeout", "error")),
    Case("huge shift", "1 << 10**11", ("memory", "error", "timeout")),
    Case("huge factorial", "import math\nmath.factorial(10**7)", ("memory", "timeout", "error")),
    Case("digits of a huge number", "str(10 ** 5000000)", ("error", "memory", "timeout")),
    Case(
        "pattern bomb",
        "import re\nre.compile('(?:a{1000}){1000}{1000}')",
        ("error", "memory", "timeout", "value"),
    ),
    Case(
        "memory that the error keeps",
        "x = []\ntry:\n while True: x.append(' ' * 1000)\nexcept MemoryError: pass\nlen(x) > 0",
        ("value", "memory", "crash", "error", "timeout"),
    ),
)

STACK = (
    Case("endless recursion", "def f(): f()\nf()", ("error",)),
    Case(
        "recursion without a limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f([x])\nf(1)",
        ("crash", "error", "memory", "timeout"),
        monty=False,
    ),
    Case(
        "recursion through C",
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n def __getattr__(s, n): return getattr(s, n + 'x')\nA().a",
        ("crash", "error", "memory", "timeout"),
        monty=False,
    ),
    Case(
        "deep expression",
        "eval('(' * 100000 + ')' * 100000)",
        ("error", "crash", "memory", "value"),
    ),
    Case(
        "deep object as the result",
        "x = []\nfor i in range(100000): x = [x]\nx",
        ("error", "crash", "memory"),
    ),
    Case("result that holds itself", "x = []\nx.append(x)\nx", ("error", "value")),
    Case("repr that never ends", "x = {}\nx['x'] = x\nrepr(x)", ("value",)),
)

FLOODS = (
    Case("flood of calls", "while True: state.exists('/')", ("killed", "timeout")),
    Case("flood of lines", "while True: print('x' * 100)", ("killed", "timeout")),
    Case("one huge line", "print('x' * 30_000_000)", ("killed", "memory")),
    Case("flood of empty lines", "while True: print()", ("killed", "timeout")),
    Case(
        "flood on both streams",
        "import sys\nwhile True:\n print('a')\n print('b', file=sys.stderr)",
        ("killed", "timeout"),
    ),
    Case(
        "huge argument",
        "state.write_file('/big', 'x' * 20_000_000)",
        ("crash", "error", "memory", "timeout"),
    ),
    Case("huge result", "'x' * 20_000_000", ("crash", "error", "memory", "timeout")),
    Case("result of many values", "[[]] * 5_000_000", ("crash", "error", "memory", "timeout")),
    Case(
        "arguments of many values",
        "state.write_json('/x', [[]] * 5_000_000)",
        ("crash", "error", "memory", "timeout"),
    ),
    Case("huge path", "state.exists('/a' * 1_000_000)", ("value", "error")),
    Case("huge pattern", "state.glob('*' * 100000)", ("value", "error", "timeout")),
    Case("huge integer as an argument", "state.mkdir(10**4000)", ("error", "crash")),
    Case("keys that are no text", "state.write_json('/x', {(1, 2): 3})", ("value", "error")),
)

ESCAPES = (
    attempt("read a file of the host", "open('/etc/passwd').read()"),
    attempt("read a file by its descriptor", "import io\nio.FileIO('/etc/passwd').read()"),
    attempt("open with the system's own function", "import os\nos.open('/etc/passwd', 0)"),
    attempt("open through posix", "import posix\nposix.open('/', 0)"),
    attempt("list the host through posix", "import posix\nposix.listdir('/')"),
    attempt("read /proc", "import posix\nposix.open('/proc/self/environ', 0)"),
    attempt("climb out with ..", "import posix\nposix.stat('../../../../etc')"),
    attempt("make a directory", "import posix\nposix.mkdir('/x')"),
    attempt("make a socket", "import socket\nsocket.socket()"),
    attempt("connect", "import socket\nsocket.create_connection(('127.0.0.1', 80), 1)"),
    attempt("make a pair of sockets", "import socket\nsocket.socketpair()"),
    attempt("resolve a name", "import socket\nsocket.getaddrinfo('localhost', 80)"),
    attempt("fetch a page", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1/')"),
    attempt("fork", "import os\nos.fork()"),
    attempt("run a program", "import subprocess\nsubprocess.run(['/bin/ls'])"),
    attempt("replace the process", "import os\nos.execv('/bin/sh', ['sh'])"),
    attempt("spawn", "import os\nos.posix_spawn('/bin/ls', ['ls'], {})"),
    attempt(
        "shell",
        "import os\nassert os.system('true') == 0, 'refused'\n",
        before="AssertionError = OSError",
    ),
    attempt("start a thread", "import threading\nthreading.Thread(target=print).start()"),
    attempt("signal the parent", "import os\nos.kill(1, 9)"),
    attempt("signal everybody", "import os\nos.kill(-1, 9)"),
    attempt("signal itself", "import os\nos.kill(os.getpid(), 9)"),
    attempt("handle a signal", "import signal\nsignal.signal(signal.SIGTERM, print)"),
    attempt("set an alarm", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 1)"),
    attempt(
        "raise its limits", "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))"
    ),
    attempt("load ctypes", "import ctypes\nctypes.CDLL(None)"),
    attempt("load a library", "import _ctypes\n_ctypes.dlopen('libc.so.6', 1)"),
    attempt(
        "load an extension",
        "import _imp\n_imp.create_dynamic(__import__('importlib').machinery.ModuleSpec('x', None, origin='/x.so'))",
    ),
    attempt("map executable memory", "import mmap\nmmap.mmap(-1, 4096, prot=7)"),
    attempt(
        "inherited descriptors",
        "import os\nfound = 0\nfor number in [0, 1, 2, *range(4, 100)]:\n    try:\n        os.write(number, b'')\n        found += 1\n    except OSError:\n        pass\nif not found: raise OSError",
    ),
    attempt("duplicate its socket", "import os\nos.dup(3)"),
    attempt("send a descriptor", "import os\nos.sendfile(3, 3, 0, 10)"),
    attempt("make a pipe", "import os\nos.pipe()"),
    attempt("make memory with a name", "import os\nos.memfd_create('x')"),
    attempt("leave its namespaces", "import os\nos.unshare(0x10000000)"),
    attempt("change its user", "import os\nos.setuid(0)"),
    attempt("change its root", "import os\nos.chroot('/')"),
    attempt("trace", "import os\nos.pidfd_open(1)"),
    attempt("environment of the host", "import os\nif not os.environ: raise OSError"),
    attempt("name of the host", "import os\nos.uname()"),
    attempt(
        "modules by the disk",
        "import importlib.machinery\nloader = importlib.machinery.SourceFileLoader('x', '/etc/passwd')\nloader.get_data('/etc/passwd')",
    ),
    attempt("modules of the host", "import apsw"),
    attempt("the host's own package", "import vshell.workspace"),
)

INTROSPECTION = (
    Case(
        "walk to os through subclasses",
        "found = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close']\n"
        "module = found[0].__init__.__globals__\n"
        "try:\n result = module['popen']('id').read()\nexcept OSError as error: result = 'refused'\nresult",
        ("value", "error"),
        monty=False,
    ),
    Case(
        "walk through frames",
        "import sys\nframe = sys._getframe()\nnames = []\nwhile frame:\n names += frame.f_globals\n frame = frame.f_back\n"
        "'ESCAPED' if 'Workspace' in names else 'nothing of the host'",
        ("value",),
        monty=False,
    ),
    Case(
        "objects of the collector",
        "import gc\nnames = {type(x).__name__ for x in gc.get_objects()}\n"
        "'ESCAPED' if 'Workspace' in names else 'nothing of the host'",
        ("value",),
        monty=False,
    ),
    Case(
        "code made by hand",
        "def f(): pass\nf.__code__ = f.__code__.replace(co_code=bytes([255, 0] * 100))\nf()",
        ("crash", "error"),
        monty=False,
    ),
    Case(
        "closure of state",
        "cells = state.read_file.__closure__\n'no workspace in it' if len(cells) < 3 else 'ESCAPED'",
        ("value", "error"),
        monty=False,
    ),
    Case(
        "patched builtins",
        "import builtins, json\nbuiltins.len = builtins.isinstance = lambda *a: 7\njson.dumps = lambda *a, **k: 'x'\n1",
        ("value", "error", "crash"),
        monty=False,
    ),
    Case(
        "patched exit",
        "import os\nos._exit = lambda code: None\n1",
        ("value", "crash", "timeout", "error"),
        monty=False,
    ),
    Case(
        "forged message",
        "import os, struct\nframe = b'[\"done\",\"forged\"]'\nos.write(3, struct.pack('<I', len(frame)) + frame)\n'mine'",
        ("value",),
        monty=False,
    ),
    Case(
        "forged rubbish",
        "import os\nos.write(3, b'\\x05\\0\\0\\0hello')\nwhile True: pass",
        ("crash",),
        monty=False,
    ),
    Case(
        "forged length",
        "import os\nos.write(3, b'\\xff\\xff\\xff\\xff')\nwhile True: pass",
        ("crash",),
        monty=False,
    ),
    Case(
        "forged use of what was not sent",
        'import os, struct\nframe = b\'["call","exists",["/"],{},[3]]\'\nos.write(3, struct.pack(\'<I\', len(frame)) + frame)\nwhile True: pass',
        ("crash",),
        monty=False,
    ),
    Case(
        "half a message",
        "import os\nos.write(3, b'\\x05\\0')\nwhile True: pass",
        ("timeout",),
        monty=False,
    ),
    Case(
        "forged deep JSON",
        "import os, struct\nframe = b'[' * 1000000\nframe = struct.pack('<I', len(frame)) + frame\nwhile frame: frame = frame[os.write(3, frame):]\nwhile True: pass",
        ("crash",),
        monty=False,
    ),
    Case(
        "calls without reading the answers",
        'import os, struct\nframe = b\'["call","readFile",["/canary"],{}]\'\nframe = struct.pack(\'<I\', len(frame)) + frame\nwhile True: os.write(3, frame)',
        ("killed", "timeout"),
        monty=False,
    ),
    Case(
        "call of what is not offered",
        "import os, struct\nframe = b'[\"call\",\"__class__\",[],{}]'\nos.write(3, struct.pack('<I', len(frame)) + frame)\nos.read(3, 1000)\n1",
        ("value", "error", "crash"),
        monty=False,
    ),
    Case("hang up", "import os\nos.close(3)\nwhile True: pass", ("crash",), monty=False),
    Case("private methods of state", "state._call", ("error", "value")),
    Case("dispatch of state", "state.dispatch('readFile', [])", ("error",)),
    Case(
        "script that edits itself",
        "__file__ = '/x'\nglobals()['state'] = None\n1",
        ("value", "error"),
    ),
    Case("exit", "import os\nos._exit(0)", ("crash", "error")),
    Case("abort", "import os\nos.abort()", ("crash", "error")),
    Case("path with NUL", "state.read_file('/canary\\0x')", ("error",)),
    Case("path above the root", "state.read_file('/../../../../etc/passwd')", ("error",)),
    Case(
        "link out of the workspace",
        "state.symlink('/etc/passwd', '/link')\nstate.read_file('/link')",
        ("error",),
    ),
    Case("lone surrogates", "state.write_file('/\\ud800', '\\ud800')", ("error", "value")),
)

CASES = (*LOOPS, *MEMORY, *STACK, *FLOODS, *ESCAPES, *INTROSPECTION)

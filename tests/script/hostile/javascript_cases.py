"""Hostile scripts in JavaScript."""

from __future__ import annotations

from tests.script.hostile.case import Case

__all__ = ["CASES"]

LOOPS = (
    Case("endless loop", "for (;;) ;", ("timeout",)),
    Case("loop that swallows everything", "for (;;) { try { throw 1 } catch {} }", ("timeout",)),
    Case("loop in finally", "for (;;) { try { continue } finally { continue } }", ("timeout",)),
    Case("loop in a getter", "({ get x() { for (;;) ; } }).x", ("timeout",)),
    Case("loop in a getter of the result", "({ get x() { for (;;) ; } })", ("timeout",)),
    Case("loop in toJSON", "({ toJSON() { for (;;) ; } })", ("timeout",)),
    Case(
        "loop in toString of the error", "throw { toString() { for (;;) ; } }", ("timeout", "error")
    ),
    Case(
        "loop in the name of the error",
        "const e = new Error('x'); Object.defineProperty(e, 'name', { get() { for (;;) ; } }); throw e",
        ("timeout",),
    ),
    Case("loop in a proxy", "new Proxy({}, { ownKeys() { for (;;) ; } })", ("timeout",)),
    Case("promise that never settles", "await new Promise(() => {})", ("error",)),
    Case(
        "endless microtasks",
        "const f = () => Promise.resolve().then(f); await f()",
        ("timeout", "memory"),
    ),
    Case(
        "endless async recursion",
        "const f = async () => { await null; return f() }; await f()",
        ("timeout", "memory", "error"),
    ),
    Case(
        "thenable that never ends",
        "({ then(done) { done(this) } })",
        ("timeout", "memory", "error"),
    ),
    Case(
        "endless timers",
        "const f = () => setTimeout(f, 0); f(); await new Promise(() => {})",
        ("timeout",),
    ),
    Case("flood of timers", "for (;;) setTimeout(() => {}, 1e9)", ("timeout", "memory", "error")),
    Case("long timer", "await new Promise((done) => setTimeout(done, 1e9))", ("timeout",)),
    Case(
        "generator without an end",
        "function* f() { for (;;) yield 1 } [...f()]",
        ("memory", "error", "timeout"),
    ),
    Case(
        "regular expression that backtracks",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        ("timeout", "error"),
    ),
    Case("sort without an end", "[2, 1].sort(() => { for (;;) ; })", ("timeout",)),
)

MEMORY = (
    Case("string bomb", "'x'.repeat(2 ** 29).split('')", ("memory", "error", "timeout")),
    Case("string that doubles", "let s = 'x'; for (;;) s += s", ("memory", "error", "timeout")),
    Case(
        "array that grows",
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        ("memory", "timeout"),
    ),
    Case("array bomb", "new Array(2 ** 32 - 1).fill(0)", ("memory", "error", "timeout")),
    Case("buffer bomb", "new ArrayBuffer(2 ** 40)", ("memory", "error", "timeout")),
    Case(
        "many buffers",
        "const a = []; for (;;) a.push(new Uint8Array(1e6))",
        ("memory", "error", "timeout"),
    ),
    Case(
        "object bomb",
        "const o = {}; for (let i = 0; ; i++) o['k' + i] = { i }",
        ("memory", "timeout"),
    ),
    Case("huge integer", "2n ** (2n ** 40n)", ("memory", "error", "timeout")),
    Case("integer that squares", "let n = 3n; for (;;) n *= n", ("memory", "error", "timeout")),
    Case("join bomb", "new Array(1e9).join('x')", ("memory", "error", "timeout")),
    Case("pad bomb", "'x'.padEnd(1e10)", ("memory", "error", "timeout")),
    Case(
        "closures that pile up",
        "let f = () => 1; for (;;) { const g = f; f = () => g }",
        ("memory", "timeout"),
    ),
)

STACK = (
    Case("endless recursion", "const f = () => f(); f()", ("error",)),
    Case(
        "recursion that swallows",
        "const f = () => { try { f() } catch { f() } }; f()",
        ("error", "timeout", "value", "crash"),
    ),
    Case("recursion in a getter", "const o = { get x() { return this.x } }; o.x", ("error",)),
    Case(
        "recursion in toString", "const o = { toString() { return '' + this } }; '' + o", ("error",)
    ),
    Case("deep source", "eval('('.repeat(1e5) + ')'.repeat(1e5))", ("error", "crash")),
    Case(
        "deep JSON", "JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))", ("error", "crash", "memory")
    ),
    Case("deep result", "let x = []; for (let i = 0; i < 1e5; i++) x = [x]; x", ("error",)),
    Case("result that holds itself", "const x = {}; x.x = x; x", ("error",)),
    Case("log of what holds itself", "const x = {}; x.x = x; console.log(x); 1", ("value",)),
    Case(
        "deep pattern",
        "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
        ("error", "crash", "memory"),
    ),
    Case(
        "deep proxy",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x",
        ("error", "value", "crash"),
    ),
)

FLOODS = (
    Case("flood of calls", "for (;;) await state.exists('/')", ("killed", "timeout")),
    Case("flood of calls at once", "for (;;) state.exists('/')", ("killed", "timeout", "memory")),
    Case("flood of lines", "for (;;) console.log('x'.repeat(100))", ("killed", "timeout")),
    Case("one huge line", "console.log('x'.repeat(2e7))", ("killed", "memory", "error")),
    Case("flood of empty lines", "for (;;) console.log()", ("killed", "timeout")),
    Case(
        "huge argument",
        "await state.writeFile('/big', 'x'.repeat(2e7))",
        ("crash", "error", "memory", "timeout"),
    ),
    Case("huge result", "'x'.repeat(2e7)", ("crash", "error", "memory", "timeout")),
    Case(
        "result of many values", "new Array(5e6).fill([])", ("crash", "error", "memory", "timeout")
    ),
    Case("huge path", "await state.exists('/a'.repeat(1e6))", ("value", "error")),
    Case(
        "bytes of all kinds",
        "await state.writeFileBytes('/x', new Float64Array(10)); await state.readFileBytes('/x')",
        ("value",),
    ),
)

ESCAPES = (
    Case(
        "names of the host",
        "typeof require + typeof process + typeof std + typeof os === 'undefined'.repeat(4) ? 1 : 'ESCAPED'",
        ("value",),
    ),
    Case(
        "names of vshell",
        "typeof exchange + typeof log + typeof vshell + typeof drive + typeof exit === 'undefined'.repeat(5) ? 1 : 'ESCAPED'",
        ("value",),
    ),
    Case("import", "await import('os')", ("error",)),
    Case(
        "import of std",
        "import('std').then((m) => m.open('/etc/passwd', 'r') && 'ESCAPED')",
        ("error",),
    ),
    Case(
        "constructor of functions",
        "(() => {}).constructor('return typeof std')() === 'undefined' ? 1 : 'ESCAPED'",
        ("value",),
    ),
    Case(
        "constructor of async functions",
        "await (async () => {}).constructor('return typeof std')() === 'undefined' ? 1 : 'ESCAPED'",
        ("value",),
    ),
    Case(
        "caller of a method", "try { state.exists.caller ?? 1 } catch { 1 } 1", ("value", "error")
    ),
    Case(
        "Function of a method",
        "state.exists.constructor('return this')() === globalThis ? 1 : 2",
        ("value", "error"),
    ),
    Case(
        "prototype of Object", "Object.prototype.x = 'ESCAPED'; await state.exists('/')", ("value",)
    ),
    Case(
        "toJSON on prototypes",
        "Object.prototype.toJSON = Array.prototype.toJSON = () => ['ESCAPED']; await state.readFile('/canary')",
        ("value",),
    ),
    Case(
        "setters on Array's prototype",
        "Object.defineProperty(Array.prototype, '0', { set() { throw 1 } }); await state.exists('/')",
        ("value", "error"),
    ),
    Case(
        "setter for __proto__",
        "await state.writeJson('/p', JSON.parse('{\"__proto__\": {\"x\": 1}}')); ({}).x === undefined ? 1 : 'ESCAPED'",
        ("value",),
    ),
    Case(
        "patched JSON",
        "JSON.stringify = JSON.parse = () => 'ESCAPED'; await state.exists('/')",
        ("value",),
    ),
    Case(
        "patched Promise",
        "globalThis.Promise = null; Promise_ = (async () => {})().constructor.prototype.then = () => 'ESCAPED'; 1",
        ("value", "error"),
    ),
    Case(
        "patched apply",
        "Reflect.apply = Function.prototype.call = Function.prototype.apply = () => 'ESCAPED'; await state.exists('/')",
        ("value",),
    ),
    Case(
        "patched iterators",
        "Array.prototype[Symbol.iterator] = function* () { yield 'ESCAPED' }; await state.exists('/')",
        ("value", "error"),
    ),
    Case(
        "patched RegExp",
        "RegExp.prototype.exec = String.prototype.split = () => ['ESCAPED']; throw new Error('x')",
        ("error",),
    ),
    Case(
        "patched Error",
        "globalThis.Error = function () { return 'ESCAPED' }; await state.readFile('/nope')",
        ("error",),
    ),
    Case(
        "patched Map and Set",
        "Map.prototype.entries = Set.prototype.values = () => 'ESCAPED'; [new Map([['a', 1]]), new Set([1])]",
        ("value",),
    ),
    Case(
        "prepareStackTrace",
        "Error.prepareStackTrace = (e, frames) => { for (;;) ; }; throw new Error('x')",
        ("timeout", "error"),
    ),
    Case(
        "state replaced",
        "globalThis.state = { exists: () => 'ESCAPED' }; await state.exists('/')",
        ("value", "error"),
    ),
    Case(
        "state changed",
        "state.exists = () => 'ESCAPED'; await state.exists('/')",
        ("value", "error"),
    ),
    Case(
        "state redefined",
        "Object.defineProperty(globalThis, 'state', { value: 'ESCAPED' })",
        ("error",),
    ),
    Case(
        "state deleted",
        "delete globalThis.state; state === undefined ? 'ESCAPED' : 1",
        ("value", "error"),
    ),
    Case("prototype of state", "Object.setPrototypeOf(state, {})", ("error",)),
    Case("method that is not there", "await state.__call('x')", ("error",)),
    Case(
        "shared memory",
        "new SharedArrayBuffer(8); Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 1e9)",
        ("error", "timeout", "value"),
    ),
    Case(
        "memory after the end",
        "const b = new ArrayBuffer(8); b.transfer?.(); new Uint8Array(b)[0] === undefined ? 1 : 2",
        ("value", "error"),
    ),
    Case(
        "collected on purpose",
        "const r = new FinalizationRegistry(() => { for (;;) ; }); for (let i = 0; i < 1e5; i++) r.register({}, i); 1",
        ("value", "timeout"),
    ),
    Case("path with NUL", "await state.readFile('/canary\\0x')", ("error",)),
    Case("path above the root", "await state.readFile('/../../etc/passwd')", ("error",)),
    Case(
        "link out of the workspace",
        "await state.symlink('/etc/passwd', '/link'); await state.readFile('/link')",
        ("error",),
    ),
    Case("lone surrogates", "await state.writeFile('/s', '\\ud800')", ("error", "value")),
    Case("result that lies", "({ then: undefined, $bytes: 'not base64' })", ("value",)),
    Case("tags in results", "[{ $bytes: 1 }, { $number: 'x' }, { $plain: 2 }]", ("value",)),
    Case("throw of nothing", "throw undefined", ("error",)),
    Case("closing brackets", "}); globalThis.x = 1; ({", ("error", "value")),
)

CASES = (*LOOPS, *MEMORY, *STACK, *FLOODS, *ESCAPES)

// What a program finds that was written for Node: process, require, Buffer in part.
// The files are those of the workspace, through `state`.
((inner, options) => {
  "use strict";
  const { call, hidden, put, write, show, format, parses, errorText } = inner;
  const G = globalThis, { exit } = options;
  const stdin = () => (options.stdin ??= call("<stdin>", [-1]));
  const text = (value) => String(value);
  const fail = (code, path, what) => {
    const error = new Error(`${code}: ${what}, '${path}'`);
    error.code = code; error.path = path;
    return error;
  };
  const reported = (error, path) => {
    const codes = { not_found: "ENOENT", is_directory: "EISDIR", not_directory: "ENOTDIR", exists: "EEXIST", not_empty: "ENOTEMPTY" };
    const words = { ENOENT: "no such file or directory", EISDIR: "illegal operation on a directory", ENOTDIR: "not a directory", EEXIST: "file already exists", ENOTEMPTY: "directory not empty" };
    const code = codes[error.code];
    return code ? fail(code, path, words[code]) : error;
  };
  const at = (method, path, ...more) => {
    try { return call(method, [text(path), ...more]); } catch (error) { throw reported(error, text(path)); }
  };

  // --- path ---
  const normalize = (path) => {
    const absolute = path.startsWith("/"), out = [];
    for (const part of path.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === ".." && out.length && out.at(-1) !== "..") out.pop();
      else if (part !== ".." || !absolute) out.push(part);
    }
    return (absolute ? "/" : "") + out.join("/") || (absolute ? "/" : ".");
  };
  const path = {
    sep: "/", delimiter: ":", normalize,
    join: (...parts) => normalize(parts.filter((part) => part !== "").join("/") || "."),
    isAbsolute: (name) => name.startsWith("/"),
    resolve: (...parts) => {
      let out = "";
      for (const part of parts.reverse()) { out = out ? part + "/" + out : part; if (out.startsWith("/")) break; }
      return normalize(out.startsWith("/") ? out : process.cwd() + "/" + out);
    },
    dirname: (name) => { const at = name.replace(/\/+$/, "").lastIndexOf("/"); return at < 0 ? "." : at === 0 ? "/" : name.slice(0, at); },
    basename: (name, end = "") => { const last = name.replace(/\/+$/, "").split("/").at(-1); return end && last.endsWith(end) && last !== end ? last.slice(0, -end.length) : last; },
    extname: (name) => { const last = path.basename(name), at = last.lastIndexOf("."); return at > 0 ? last.slice(at) : ""; },
    relative: (from, to) => {
      const a = path.resolve(from).split("/").filter(Boolean), b = path.resolve(to).split("/").filter(Boolean);
      let same = 0;
      while (same < a.length && same < b.length && a[same] === b[same]) same++;
      return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
    },
    parse: (name) => { const base = path.basename(name), ext = path.extname(name); return { root: name.startsWith("/") ? "/" : "", dir: path.dirname(name), base, ext, name: ext ? base.slice(0, -ext.length) : base }; },
  };
  path.posix = path;

  // --- Buffer: bytes that turn into text ---
  class Buffer extends Uint8Array {
    static from(value, encoding = "utf8") {
      if (typeof value !== "string") return new Buffer(value);
      if (encoding === "base64") return new Buffer(Uint8Array.fromBase64(value));
      if (encoding === "hex") return new Buffer(Uint8Array.fromHex(value));
      return new Buffer(encodeUtf8(value));
    }
    static alloc(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(value) { return encodeUtf8(value).length; }
    static concat(list) {
      const out = new Buffer(list.reduce((sum, each) => sum + each.length, 0));
      let at = 0;
      for (const each of list) { out.set(each, at); at += each.length; }
      return out;
    }
    toString(encoding = "utf8") {
      if (encoding === "base64") return this.toBase64();
      if (encoding === "hex") return this.toHex();
      return decodeUtf8(this);
    }
  }
  const encodeUtf8 = (value) => {
    const out = [];
    for (const letter of value.toWellFormed()) {
      const code = letter.codePointAt(0);
      if (code < 0x80) out.push(code);
      else if (code < 0x800) out.push(0xc0 | code >> 6, 0x80 | code & 63);
      else if (code < 0x10000) out.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
      else out.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    }
    return new Uint8Array(out);
  };
  const decodeUtf8 = (bytes) => {
    let out = "";
    for (let i = 0; i < bytes.length;) {
      const first = bytes[i++];
      const more = first < 0x80 ? 0 : first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
      let code = more === 3 ? first & 7 : more === 2 ? first & 15 : more === 1 ? first & 31 : first;
      let left = more;
      while (left > 0 && (bytes[i] & 0xc0) === 0x80) { code = code << 6 | bytes[i++] & 63; left--; }
      out += more < 0 || left || code > 0x10ffff || code >= 0xd800 && code < 0xe000 ? "\ufffd" : String.fromCodePoint(code);
    }
    return out;
  };
  hidden(G, "Buffer", Buffer);
  hidden(G, "TextEncoder", class TextEncoder { encode(value = "") { return encodeUtf8(value); } });
  hidden(G, "TextDecoder", class TextDecoder { decode(value = []) { return decodeUtf8(value); } });

  // --- fs ---
  const encodingOf = (given) => (typeof given === "string" ? given : given?.encoding);
  const statOf = (method) => (name, given) => {
    const found = at(method, name);
    if (!found) { if (given?.throwIfNoEntry === false) return undefined; throw fail("ENOENT", name, "no such file or directory, stat"); }
    return {
      size: found.size, mode: found.mode, mtimeMs: found.mtime, mtime: new Date(found.mtime),
      isFile: () => found.type === "file", isDirectory: () => found.type === "directory", isSymbolicLink: () => found.type === "symlink",
    };
  };
  const content = (data) => (typeof data === "string" ? encodeUtf8(data) : data);
  const fs = {
    readFileSync: (name, given) => {
      const bytes = name === 0 || name === "/dev/stdin" ? stdin() : at("readFileBytes", name);
      return encodingOf(given) ? new Buffer(bytes).toString(encodingOf(given)) : new Buffer(bytes);
    },
    writeFileSync: (name, data, given) => { at(given?.flag === "a" ? "appendFile" : "writeFileBytes", name, content(data)); },
    appendFileSync: (name, data) => { at("appendFile", name, content(data)); },
    existsSync: (name) => at("exists", name),
    accessSync: (name) => { if (!at("exists", name)) throw fail("ENOENT", name, "no such file or directory, access"); },
    statSync: statOf("stat"), lstatSync: statOf("lstat"),
    readdirSync: (name, given) => {
      if (given?.recursive) {
        const root = at("realpath", name);
        return at("find", root, { minDepth: 1 }).map((each) => each.path.slice(root === "/" ? 1 : root.length + 1)).sort();
      }
      if (!given?.withFileTypes) return at("readdir", name);
      return at("readdirWithFileTypes", name).map((each) => ({
        name: each.name, parentPath: text(name), isFile: () => each.type === "file",
        isDirectory: () => each.type === "directory", isSymbolicLink: () => each.type === "symlink",
      }));
    },
    mkdirSync: (name, given) => {
      if (!given?.recursive && at("exists", name)) throw fail("EEXIST", name, "file already exists, mkdir");
      at("mkdir", name, { recursive: !!given?.recursive });
    },
    rmSync: (name, given) => { at("rm", name, { recursive: !!given?.recursive, force: !!given?.force }); },
    rmdirSync: (name) => { if (at("readdir", name).length) throw fail("ENOTEMPTY", name, "directory not empty, rmdir"); at("rm", name, { recursive: true }); },
    unlinkSync: (name) => { at("rm", name); },
    renameSync: (from, to) => { at("mv", from, text(to), { recursive: true }); },
    copyFileSync: (from, to) => { at("cp", from, text(to)); },
    cpSync: (from, to, given) => { at("cp", from, text(to), { recursive: !!given?.recursive }); },
    symlinkSync: (target, name) => { call("symlink", [text(target), text(name)]); },
    readlinkSync: (name) => at("readlink", name),
    realpathSync: (name) => at("realpath", name),
  };
  fs.promises = {};
  for (const name of Object.keys(fs)) {
    if (!name.endsWith("Sync")) continue;
    const plain = name.slice(0, -4), sync = fs[name];
    fs.promises[plain] = async (...args) => sync(...args);
    fs[plain] = (...args) => {
      const callback = args.pop();
      fs.promises[plain](...args).then((value) => callback(null, value), (error) => callback(error));
    };
  }

  // --- process ---
  class Exit { constructor(code) { this.code = code; } }
  const stream = (name) => ({ write: (data) => { write(name, typeof data === "string" ? data : decodeUtf8(data)); return true; }, isTTY: false, columns: 80 });
  let directory = null;
  const process = {
    argv: ["node", ...(options.name === "[eval]" ? [] : [options.name]), ...options.arguments], env: {}, platform: "linux", pid: 2, version: "v22.0.0",
    versions: { node: "22.0.0" }, exitCode: undefined, execArgv: [],
    cwd: () => (directory ??= call("resolvePath", [".", "."])),
    exit: (code) => exit(code ?? process.exitCode ?? 0),
    stdout: stream("stdout"), stderr: stream("stderr"),
    stdin: {
      isTTY: false, setEncoding: () => process.stdin, resume: () => process.stdin,
      on: (event, f) => {
        if (event === "data") G.setTimeout(() => { if (stdin().length) f(new Buffer(stdin())); }, 0);
        if (event === "end" || event === "close") G.setTimeout(f, 1);
        return process.stdin;
      },
      [Symbol.asyncIterator]: async function* () { yield new Buffer(stdin()); },
    },
    nextTick: (f, ...args) => { queueMicrotask(() => f(...args)); },
    hrtime: Object.assign(() => { const ms = Date.now(); return [Math.floor(ms / 1000), ms % 1000 * 1e6]; }, { bigint: () => BigInt(Date.now()) * 1000000n }),
    uptime: () => 0, memoryUsage: () => ({ heapUsed: 0, rss: 0 }), on: () => process, once: () => process, emitWarning: () => {},
  };
  hidden(G, "process", process);
  hidden(G, "global", G);

  // --- modules ---
  const assert = Object.assign((truth, message) => { if (!truth) throw new Error(message ?? "The expression evaluated to a falsy value"); }, {
    ok: (truth, message) => assert(truth, message),
    strictEqual: (a, b, message) => assert(Object.is(a, b), message ?? `Expected values to be strictly equal: ${show(a, 1, [])} !== ${show(b, 1, [])}`),
    equal: (a, b, message) => assert(a == b, message),
    deepStrictEqual: (a, b, message) => assert(show(a, 0, []) === show(b, 0, []), message ?? "Expected values to be strictly deep-equal"),
    throws: (f) => { try { f(); } catch { return; } throw new Error("Missing expected exception."); },
  });
  assert.deepEqual = assert.deepStrictEqual; assert.strict = assert;
  const builtin = {
    fs, path, process, assert, "fs/promises": fs.promises, buffer: { Buffer },
    os: { EOL: "\n", platform: () => "linux", tmpdir: () => "/tmp", homedir: () => "/", cpus: () => [] },
    util: { inspect: (value) => show(value, 1, []), format: (...args) => format(args), promisify: (f) => (...args) => new Promise((done, failed) => f(...args, (error, value) => (error ? failed(error) : done(value)))) },
    timers: { setTimeout: G.setTimeout }, "timers/promises": { setTimeout: (ms, value) => new Promise((done) => G.setTimeout(() => done(value), ms)) },
  };
  for (const name of Object.keys(builtin)) if (typeof builtin[name] === "object" || name === "assert") builtin[name].default ??= builtin[name];
  const loaded = new Map();
  const load = (name) => {
    const known = loaded.get(name);
    if (known) return known.exports;
    const module = { exports: {}, id: name, filename: name, loaded: false };
    loaded.set(name, module);
    const source = at("readFile", name);
    if (name.endsWith(".json")) module.exports = JSON.parse(source);
    else {
      const [body, problem] = parses("(function (exports, require, module, __filename, __dirname) {" + commonJs(source) + "\n})");
      if (!body) throw problem;
      body.call(module.exports, module.exports, requireFrom(path.dirname(name)), module, name, path.dirname(name));
    }
    module.loaded = true;
    return module.exports;
  };
  const requireFrom = (directory) => (name) => {
    const plain = name.replace(/^node:/, "");
    if (Object.hasOwn(builtin, plain)) return builtin[plain];
    if (/^\.{0,2}\//.test(name)) {
      const base = path.resolve(directory, name);
      for (const end of ["", ".js", ".cjs", ".mjs", ".json", "/index.js"]) {
        const found = call("stat", [base + end]);
        if (found?.type === "file") return load(base + end);
      }
    }
    const error = new Error(`Cannot find module '${name}'`);
    error.code = "MODULE_NOT_FOUND";
    throw error;
  };
  // The forms of import and export that stand on lines of their own, as require and exports.
  const commonJs = (source) => source.replace(/^#!.*/, "")
    .replace(/^import\s+(['"][^'"]+['"]);?/gm, "require($1);")
    .replace(/^import\s+([\w$]+)\s*,\s*\{([^}]*)\}\s*from\s*(['"][^'"]+['"]);?/gm, (_, name, names, from) => `const ${name} = require(${from}).default ?? require(${from}), {${names.replace(/\bas\b/g, ":")}} = require(${from});`)
    .replace(/^import\s+\{([^}]*)\}\s*from\s*(['"][^'"]+['"]);?/gm, (_, names, from) => `const {${names.replace(/\bas\b/g, ":")}} = require(${from});`)
    .replace(/^import\s+\*\s+as\s+([\w$]+)\s+from\s*(['"][^'"]+['"]);?/gm, "const $1 = require($2);")
    .replace(/^import\s+([\w$]+)\s+from\s*(['"][^'"]+['"]);?/gm, "const $1 = require($2).default ?? require($2);")
    .replace(/^export\s+default\s+/gm, "module.exports.default = ")
    .replace(/^export\s+((?:async\s+)?function\*?|class)\s+([\w$]+)/gm, "module.exports.$2 = $2; $1 $2")
    .replace(/^export\s+(?:const|let|var)\s+([\w$]+)\s*=/gm, "const $1 = module.exports.$1 =")
    .replace(/^export\s+\{([^}]*)\};?/gm, "Object.assign(module.exports, {$1});");

  const program = (source) => {
    const module = { exports: {} }, directory = path.dirname(path.resolve(options.name));
    const require = requireFrom(directory);
    require.main = module;
    hidden(G, "require", require);
    const names = "(exports, require, module, __filename, __dirname) => {" + commonJs(source) + "\n}";
    let [main, problem] = parses("(" + names + ")");
    if (!main) [main, problem] = parses("(async " + names + ")");
    if (!main) throw problem;
    return main(module.exports, require, module, options.name, directory);
  };
  return { program, code: () => process.exitCode ?? 0, uncaught: (error) => (error instanceof Error ? "Uncaught " + errorText(error) : "Uncaught " + show(error, 1, [])) + "\n" };
})

// What a script in QuickJS finds: state, console, timers; and what runs it.
//
// Everything that is used after the script has begun is captured here before, and called
// through Reflect.apply, so that a script that replaces JSON, Promise or Map goes on
// talking to the host. It gets the functions of the host as arguments:
//   exchange(json) -> json   a call and its answer
//   log(json)                [stream, text]
// and returns what the guest's Python drives it with.
((exchange, log, FIRST_OWN_LINE) => {
  "use strict";
  const G = globalThis;
  const { stringify, parse } = JSON;
  const { apply, ownKeys } = Reflect;
  const { create, defineProperty, freeze, setPrototypeOf, getPrototypeOf } = Object;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { isFinite, isSafeInteger } = Number;
  const NativePromise = Promise, NativeError = Error, NativeTypeError = TypeError;
  const NativeDate = Date, Bytes = Uint8Array, Buffer_ = ArrayBuffer, NativeMap = Map;
  const NativeSet = Set, NativeRegExp = RegExp, NativeString = String, NativeNumber = Number;
  const run = eval;
  const uncurry = (f) => (self, ...rest) => apply(f, self, rest);
  const then = uncurry(Promise.prototype.then);
  const indexOf = uncurry(String.prototype.indexOf);
  const slice = uncurry(String.prototype.slice);
  const split = uncurry(String.prototype.split);
  const join = uncurry(Array.prototype.join);
  const test = uncurry(RegExp.prototype.exec);
  const toISOString = uncurry(Date.prototype.toISOString);
  const toBase64 = uncurry(Uint8Array.prototype.toBase64);
  const fromBase64 = Uint8Array.fromBase64;
  const mapEntries = uncurry(Map.prototype.entries);
  const nextOfMap = uncurry(getPrototypeOf(new Map().entries()).next);
  const setValues = uncurry(Set.prototype.values);
  const nextOfSet = uncurry(getPrototypeOf(new Set().values()).next);
  const hasOwn = uncurry(Object.prototype.hasOwnProperty);
  const sourceOf = uncurry(RegExp.prototype.toString);
  const MAX_DEPTH = 200;

  const put = (object, name, value) => defineProperty(object, name, {
    __proto__: null, value, writable: true, enumerable: true, configurable: true,
  });
  const list = () => setPrototypeOf([], null);
  const is = (value, kind) => value instanceof kind;

  // --- values -----------------------------------------------------------------------
  const tag = (name, value) => put(create(null), name, value);

  const encode = (value, depth) => {
    switch (typeof value) {
      case "string": case "boolean": return value;
      case "number": return isFinite(value) ? value : tag("$number", NativeString(value));
      case "bigint": {
        const number = NativeNumber(value);
        if (!isSafeInteger(number)) throw new NativeTypeError("a BigInt beyond 2**53 has no form in JSON");
        return number;
      }
      case "object": break;
      default: return null;
    }
    if (value === null) return null;
    if (depth > MAX_DEPTH) throw new NativeTypeError("a value refers to itself, or nests too deep");
    if (isView(value)) {
      const bytes = is(value, Bytes) ? value : new Bytes(value.buffer, value.byteOffset, value.byteLength);
      return tag("$bytes", toBase64(bytes));
    }
    if (is(value, Buffer_)) return tag("$bytes", toBase64(new Bytes(value)));
    if (isArray(value)) {
      const out = list();
      for (let i = 0; i < value.length; i++) put(out, i, encode(value[i], depth + 1));
      return out;
    }
    return encodeObject(value, depth);
  };

  const encodeObject = (value, depth) => {
    if (is(value, NativeDate)) return isFinite(+value) ? toISOString(value) : null;
    if (is(value, NativeMap)) return encodeMap(value, depth);
    if (is(value, NativeSet)) return encodeSet(value, depth);
    if (is(value, NativeRegExp)) return sourceOf(value);
    if (typeof value.toJSON === "function") return encode(value.toJSON(), depth + 1);
    if (is(value, NativeError)) return errorFields(value);
    const out = create(null);
    const names = ownKeys(value);
    let count = 0, last = "";
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name !== "string") continue;
      if (!apply(isEnumerable, value, [name])) continue;
      const item = value[name];
      if (item === undefined || typeof item === "function" || typeof item === "symbol") continue;
      put(out, name, encode(item, depth + 1));
      count++; last = name;
    }
    return count === 1 && last[0] === "$" ? tag("$plain", out) : out;
  };
  const isEnumerable = Object.prototype.propertyIsEnumerable;

  const errorFields = (error) => {
    const out = create(null);
    put(out, "name", NativeString(error.name));
    put(out, "message", NativeString(error.message));
    return out;
  };

  const encodeMap = (map, depth) => {
    const out = create(null), pairs = list(), entries = mapEntries(map);
    let plain = true, count = 0;
    for (let step = nextOfMap(entries); !step.done; step = nextOfMap(entries)) {
      const key = step.value[0], item = encode(step.value[1], depth + 2);
      plain &&= typeof key === "string" || typeof key === "number";
      const pair = list();
      put(pair, 0, encode(key, depth + 2)); put(pair, 1, item);
      put(pairs, count++, pair);
      if (plain) put(out, key, item);
    }
    return plain ? out : pairs;
  };

  const encodeSet = (set, depth) => {
    const out = list(), values = setValues(set);
    let count = 0;
    for (let step = nextOfSet(values); !step.done; step = nextOfSet(values))
      put(out, count++, encode(step.value, depth + 1));
    return out;
  };

  const decode = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) put(value, i, decode(value[i]));
      return value;
    }
    const names = ownKeys(value);
    if (names.length === 1 && names[0][0] === "$") {
      const content = value[names[0]];
      switch (names[0]) {
        case "$bytes": return apply(fromBase64, Bytes, [content]);
        case "$number": return NativeNumber(content);
        case "$plain": value = content;
      }
    }
    const inside = ownKeys(value);
    for (let i = 0; i < inside.length; i++) put(value, inside[i], decode(value[inside[i]]));
    return value;
  };
  const read = (text) => {
    const value = parse(text);
    return indexOf(text, '"$') < 0 ? value : decode(value);
  };

  // A text that is glued together is a rope inside, which does not cross into Python.
  const message = (parts) => stringify(setPrototypeOf(parts, null));

  // --- calls ------------------------------------------------------------------------
  const errorOf = (answer) => {
    const error = new NativeError(answer[2]);
    defineProperty(error, "name", { __proto__: null, value: answer[1], writable: true, configurable: true });
    const data = answer[3], names = ownKeys(data);
    for (let i = 0; i < names.length; i++) if (!hasOwn(error, names[i])) put(error, names[i], data[names[i]]);
    return error;
  };
  // Files that the host expects to be read next; void with the next call of the host.
  let ahead = null, used = list();
  const sentAhead = (args) => {
    const found = ahead !== null && args.length === 1 ? getOf(ahead, args[0]) : undefined;
    if (found === undefined) return undefined;
    deleteOf(ahead, args[0]);
    put(used, used.length, found[0]);
    return found[1];
  };
  // A message with what was used of them at its end.
  const reporting = (parts) => {
    if (used.length) put(parts, parts.length, used);
    used = list();
    return message(parts);
  };
  const call = (name, args) => {
    if (name === "readFile" || name === "read_file") {
      const text = sentAhead(args);
      if (text !== undefined) return text;
    }
    ahead = null;
    const answer = read(exchange(reporting(["call", name, encode(args, 0), create(null)])));
    if (answer[0] !== "answer") throw errorOf(answer);
    if (answer.length > 2) {
      ahead = new NativeMap();
      for (let i = 0; i < answer[2].length; i++) setOf(ahead, answer[2][i][0], [i, answer[2][i][1]]);
    }
    return answer[1];
  };
  const methodOf = (name) => freeze({ __proto__: null, async [name](...args) { return call(name, args); } }[name]);
  const hidden = (object, name, value) => defineProperty(object, name, {
    __proto__: null, value, writable: true, enumerable: false, configurable: true,
  });
  const fixed = (name, value) => defineProperty(G, name, {
    __proto__: null, value, writable: false, enumerable: true, configurable: false,
  });
  // What is asked of any object, such as of what a promise is settled with, is just absent.
  const missing = (_, name) => {
    if (typeof name !== "string" || test(/^(?:then|toJSON|constructor|valueOf|toString|__proto__)$/, name)) return undefined;
    throw new NativeTypeError("state has no method " + name);
  };
  const offer = (methods, functions, inputs) => {
    const state = create(null);
    for (let i = 0; i < methods.length; i++) put(state, methods[i], methodOf(methods[i]));
    setPrototypeOf(state, new Proxy(freeze(create(null)), { __proto__: null, get: missing }));
    fixed("state", freeze(state));
    for (let i = 0; i < functions.length; i++) fixed(functions[i], methodOf(functions[i]));
    const names = ownKeys(inputs);
    for (let i = 0; i < names.length; i++) if (!hasOwn(G, names[i])) put(G, names[i], inputs[names[i]]);
    put(G, "inputs", inputs);
    return state;
  };

  // --- the log ----------------------------------------------------------------------
  const quote = (text) => "'" + join(split(join(split(text, "\\"), "\\\\"), "'"), "\\'") + "'";
  const plainName = /^[A-Za-z_$][\w$]*$/;
  const show = (value, depth, seen) => {
    switch (typeof value) {
      case "string": return depth ? quote(join(split(value, "\n"), "\\n")) : value;
      case "bigint": return value + "n";
      case "symbol": return apply(symbolText, value, []);
      case "number": return value === 0 && 1 / value < 0 ? "-0" : NativeString(value);
      case "function": return showFunction(value);
      case "object": break;
      default: return NativeString(value);
    }
    if (value === null) return "null";
    for (let i = 0; i < seen.length; i++) if (seen[i] === value) return "[Circular *1]";
    if (is(value, NativeError)) return depth ? "[" + (value.stack ? errorText(value) : value) + "]" : errorText(value);
    if (is(value, NativeDate)) return isFinite(+value) ? toISOString(value) : "Invalid Date";
    if (is(value, NativeRegExp)) return sourceOf(value);
    const next = list();
    for (let i = 0; i < seen.length; i++) put(next, i, seen[i]);
    put(next, seen.length, value);
    return showItems(value, depth, next);
  };
  const symbolText = Symbol.prototype.toString;
  const showFunction = (value) => {
    const kind = indexOf(apply(functionText, value, []), "class") === 0 ? "class" : "Function";
    const name = NativeString(value.name);
    return kind === "class" ? "[class " + (name || "(anonymous)") + "]"
      : name ? "[Function: " + name + "]" : "[Function (anonymous)]";
  };
  const functionText = Function.prototype.toString;
  const brackets = (head, open, parts, close) => {
    if (!parts.length) return head + open + close;
    const line = join(parts, ", ");
    if (line.length <= 72 && indexOf(line, "\n") < 0) return head + open + " " + line + " " + close;
    return head + open + "\n  " + join(split(join(parts, ",\n"), "\n"), "\n  ") + "\n" + close;
  };
  const showItems = (value, depth, seen) => {
    if (isArray(value) || isView(value)) return showArray(value, depth, seen);
    const kind = value.constructor && value.constructor !== Object ? NativeString(value.constructor.name) : "";
    if (depth > 2) return "[" + (kind || "Object") + "]";
    const parts = [];
    if (is(value, NativeMap)) {
      const entries = mapEntries(value);
      for (let step = nextOfMap(entries); !step.done; step = nextOfMap(entries))
        put(parts, parts.length, show(step.value[0], depth + 1, seen) + " => " + show(step.value[1], depth + 1, seen));
      return brackets("Map(" + parts.length + ") ", "{", parts, "}");
    }
    if (is(value, NativeSet)) {
      const values = setValues(value);
      for (let step = nextOfSet(values); !step.done; step = nextOfSet(values))
        put(parts, parts.length, show(step.value, depth + 1, seen));
      return brackets("Set(" + parts.length + ") ", "{", parts, "}");
    }
    if (is(value, NativePromise)) return "Promise {}";
    const names = ownKeys(value);
    for (let i = 0; i < names.length; i++) {
      if (typeof names[i] !== "string" || !apply(isEnumerable, value, [names[i]])) continue;
      const name = test(plainName, names[i]) ? names[i] : quote(names[i]);
      put(parts, parts.length, name + ": " + show(value[names[i]], depth + 1, seen));
    }
    const head = getPrototypeOf(value) === null ? "[Object: null prototype] " : kind ? kind + " " : "";
    return brackets(head, "{", parts, "}");
  };
  const showArray = (value, depth, seen) => {
    if (depth > 2) return "[Array]";
    const parts = [];
    for (let i = 0; i < value.length && i < 100; i++) put(parts, i, show(value[i], depth + 1, seen));
    if (value.length > 100) put(parts, 100, "... " + (value.length - 100) + " more items");
    const head = isArray(value) ? "" : value.constructor.name + "(" + value.length + ") ";
    return brackets(head, "[", parts, "]");
  };
  const format = (args) => {
    let text = "", first = 0;
    if (typeof args[0] === "string" && args.length > 1 && indexOf(args[0], "%") >= 0) {
      const parts = split(args[0], "%");
      text = parts[0]; first = 1;
      for (let i = 1; i < parts.length; i++) {
        const letter = parts[i][0];
        if (letter === undefined && i + 1 < parts.length) { text += "%" + parts[++i]; continue; }
        const rest = slice(parts[i], 1);
        if (first >= args.length || indexOf("sdifjoO", letter ?? "-") < 0) { text += "%" + parts[i]; continue; }
        const value = args[first++];
        text += (letter === "s" ? (typeof value === "object" ? show(value, 1, list()) : NativeString(value))
          : letter === "d" ? NativeNumber(value) : letter === "i" ? apply(parseInt_, null, [value])
          : letter === "f" ? apply(parseFloat_, null, [value]) : letter === "j" ? stringify(value)
          : show(value, 1, list())) + rest;
      }
    }
    for (let i = first; i < args.length; i++) text += (i ? " " : "") + show(args[i], 0, list());
    return text;
  };
  const parseInt_ = parseInt, parseFloat_ = parseFloat;
  const write = (stream, text) => log(stringify(encode([stream, text], 0)));
  let indent = "";
  const print = (stream, args) => {
    const text = format(args);
    write(stream, (indent ? indent + join(split(text, "\n"), "\n" + indent) : text) + "\n");
  };
  const counts = new NativeMap(), began = new NativeMap();
  const getOf = uncurry(Map.prototype.get), setOf = uncurry(Map.prototype.set), deleteOf = uncurry(Map.prototype.delete);
  const now = Date.now;
  const console = create(null);
  for (const name of ["log", "info", "debug", "dir", "table"]) put(console, name, (...args) => print("stdout", name === "dir" ? [args[0]] : args));
  for (const name of ["warn", "error", "trace"]) put(console, name, (...args) => print("stderr", args));
  put(console, "assert", (truth, ...args) => { if (!truth) print("stderr", args.length ? ["Assertion failed:", ...args] : ["Assertion failed"]); });
  put(console, "group", (...args) => { if (args.length) print("stdout", args); indent += "  "; });
  put(console, "groupEnd", () => { indent = slice(indent, 2); });
  put(console, "count", (label = "default") => { const n = (getOf(counts, label) ?? 0) + 1; setOf(counts, label, n); print("stdout", [label + ": " + n]); });
  put(console, "time", (label = "default") => { setOf(began, label, now()); });
  put(console, "timeEnd", (label = "default") => print("stdout", [label + ": " + (now() - (getOf(began, label) ?? now())) + "ms"]));
  hidden(G, "console", freeze(console));

  // --- time -------------------------------------------------------------------------
  let timers = list(), timerCount = 0;
  const later = (callback, delay, args, every) => {
    if (typeof callback !== "function") throw new NativeTypeError("a timer needs a function");
    const wait = delay > 0 ? +delay : 0;
    put(timers, timers.length, { __proto__: null, id: ++timerCount, at: now() + wait, callback, args, every: every ? wait || 1 : 0 });
    return timerCount;
  };
  const cancel = (id) => {
    const kept = list();
    for (let i = 0; i < timers.length; i++) if (timers[i].id !== id) put(kept, kept.length, timers[i]);
    timers = kept;
  };
  hidden(G, "setTimeout", (f, delay, ...args) => later(f, delay, args, false));
  hidden(G, "setInterval", (f, delay, ...args) => later(f, delay, args, true));
  hidden(G, "setImmediate", (f, ...args) => later(f, 0, args, false));
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) hidden(G, name, cancel);
  const soonest = () => {
    let found = null;
    for (let i = 0; i < timers.length; i++) if (!found || timers[i].at < found.at) found = timers[i];
    return found;
  };
  const wait = () => { const timer = soonest(); const left = timer && timer.at - now(); return timer ? (left > 0 ? left : 0) : -1; };
  const fire = () => {
    const timer = soonest();
    if (timer.every) timer.at = now() + timer.every; else cancel(timer.id);
    try { apply(timer.callback, undefined, timer.args); } catch (error) { settle("error", error); }
  };
  hidden(G, "structuredClone", (value) => read(stringify(encode(value, 0))));

  const deterministic = (seed, start) => {
    let ms = start, a = seed >>> 0;
    const clock = () => (ms += 0.001, Math_floor(ms));
    defineProperty(Math, "random", { __proto__: null, writable: true, configurable: true, value: () => {
      a = (a + 0x6d2b79f5) | 0;  // mulberry32
      let t = imul(a ^ (a >>> 15), 1 | a);
      t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    } });
    const Fixed = function Date(...args) {
      if (!new.target) return NativeString(new NativeDate(clock()));
      return Reflect_construct(NativeDate, args.length ? args : [clock()], new.target);
    };
    Fixed.prototype = NativeDate.prototype;
    setPrototypeOf(Fixed, NativeDate);
    hidden(Fixed, "now", clock);
    hidden(NativeDate.prototype, "constructor", Fixed);
    hidden(G, "Date", Fixed);
    hidden(G, "performance", freeze({ __proto__: null, timeOrigin: start, now: () => clock() - start }));
  };
  const Reflect_construct = Reflect.construct, Math_floor = Math.floor, imul = Math.imul;

  // --- running ----------------------------------------------------------------------
  let ended = null;
  const settle = (how, value) => { if (ended === null) ended = { __proto__: null, how, value }; };

  // Frames of this file are behind FIRST_OWN_LINE; only the script's own are of interest.
  const framePlace = /<input>:(\d+)(?::\d+)?\)?$/;
  const stackOf = (error) => {
    const lines = split(NativeString(error.stack ?? ""), "\n"), kept = list();
    let line = null;
    for (let i = 0; i < lines.length; i++) {
      const found = test(framePlace, lines[i]);
      if (!found || +found[1] >= FIRST_OWN_LINE) continue;
      line ??= +found[1];
      put(kept, kept.length, lines[i]);
    }
    return [line, join(kept, "\n")];
  };
  const errorText = (error) => {
    const frames = stackOf(error)[1];
    return NativeString(error.name) + (error.message ? ": " + NativeString(error.message) : "") + (frames ? "\n" + frames : "");
  };
  const failure = (error) => {
    if (error === null) return ["failed", "MemoryError", "memory ran out, or the script threw null", null, ""];
    if (!is(error, NativeError)) return ["failed", "Error", show(error, 0, list()), null, ""];
    let name = NativeString(error.name), message = NativeString(error.message);
    if (name === "InternalError" && indexOf(message, "out of memory") >= 0) name = "MemoryError";
    if (indexOf(message, "Maximum call stack") >= 0 || indexOf(message, "stack overflow") >= 0) name = "RecursionError";
    return ["failed", name, message, stackOf(error)[0], errorText(error)];
  };

  const parses = (text) => { try { return [run(text), null]; } catch (error) { return [null, error]; } };
  const asExpression = (source) => parses("(async () => (" + source + "\n))")[0];
  const asStatements = (source) => {
    const [body, problem] = parses("(async () => {" + source + "\n})");
    if (!body) return [null, problem];
    // The last expression of a body is found by trying: the part from some line on must
    // be an expression, and what is before it statements.
    const lines = split(source, "\n");
    let tail = "", tried = 0;
    for (let i = lines.length - 1; i >= 0 && tried < 60; i--) {
      tail = i === lines.length - 1 ? lines[i] : lines[i] + "\n" + tail;
      if (!test(/\S/, lines[i])) continue;
      tried++;
      const found = withTail(i ? join(head(lines, i), "\n") + "\n" : "", tail);
      if (found) return [found, null];
    }
    const called = parses("(async () => {" + source + "\nreturn typeof main === 'function' ? main(state, inputs) : undefined\n})")[0];
    return [called ?? body, null];
  };
  const head = (lines, end) => {
    const out = list();
    for (let i = 0; i < end; i++) put(out, i, lines[i]);
    return out;
  };
  const withTail = (before, tail) => {
    const cut = lastStatement(tail);
    for (let i = 0; i < cut.length; i++) {
      const text = test(/^\s*([^]*?)[\s;]*$/, cut[i][1])[1];
      if (!text || test(/^(?:function|class|async\s+function)\b/, text) || test(/^\/[/*]/, text)) continue;
      if (!asExpression(text)) continue;
      const front = "(async () => {" + before + cut[i][0];
      if (test(continues, text) && parses(front + "\n.x\n})")[0]) continue;
      const found = parses(front + " return (" + text + "\n)})")[0];
      if (found && parses(front + "\n})")[0]) return found;
    }
    return null;
  };
  // What begins like this goes on with an expression in front of it, were there one.
  const continues = /^(?:[^\w$"'#@!~{]|in\b|instanceof\b)/;
  // Where the last statement of a line may begin: at its start, or after a semicolon.
  const lastStatement = (tail) => {
    const out = [["", tail]];
    const trimmed = test(/^([^]*?)[\s;]*$/, tail)[1];
    for (let at = indexOf(trimmed, ";"); at >= 0 && out.length < 20; at = indexOf(trimmed, ";", at + 1))
      out[out.length] = [slice(trimmed, 0, at + 1), slice(trimmed, at + 1)];
    return out;
  };

  const start = (text, mode) => {
    const source = parse(text);
    const trimmed = test(/^([^]*?)[\s;]*$/, source)[1];
    // A declaration with an expression after it would parse as a call of the function.
    const declares = test(/^\s*(?:async\s+)?(?:function|class)\b/, trimmed) && !test(/\}$/, trimmed);
    let main = declares ? null : asExpression(trimmed), problem = null;
    if (!main) [main, problem] = asStatements(source);
    if (!main) return settle("error", problem);
    const state = G.state, inputs = G.inputs;
    const outcome = (async () => {
      const value = await main();
      return typeof value === "function" && mode === "function" ? value(state, inputs) : value;
    })();
    then(outcome, (value) => settle("value", value), (error) => settle("error", error));
  };

  const poll = () => {
    if (ended === null) return "";
    if (ended.how === "error") return reporting(failure(ended.value));
    try { return reporting(["done", encode(ended.value, 0)]); }
    catch (error) { return reporting(failure(error)); }
  };

  const inner = { __proto__: null, failed: () => ended.value, call, encode, format, show, write, run, parses, settle, hidden, put, then, Bytes, freeze, errorText, read, stringify, apply };
  return {
    __proto__: null, inner, start, poll, wait, fire, deterministic,
    offer: (text) => { const [methods, functions, inputs] = read(text); offer(methods, functions, inputs); },
  };
})

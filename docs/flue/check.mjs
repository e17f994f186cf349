// Runs the driver under the real @flue/runtime, against a bridge that is already served,
// in a copy of this directory where the package is installed:
//   VSHELL_URL=... VSHELL_TOKEN=... node --experimental-strip-types check.mjs
import assert from "node:assert/strict";

import * as runtime from "@flue/runtime";

import { vshellDriver } from "./vshell-sandbox.ts";


const driver = vshellDriver({ url: process.env.VSHELL_URL, token: process.env.VSHELL_TOKEN });
const sandbox = runtime.sandboxFromDriver(driver, "/project");
let checks = 0;
async function check(name, run) {
  await run();
  checks += 1;
  console.log(`ok ${name}`);
}

await check("mkdir, writeFile and readFile, relative to the directory", async () => {
  await sandbox.mkdir("/project", { recursive: true });
  await sandbox.writeFile("dir/a.txt", "é\n");
  assert.equal(await sandbox.readFile("dir/a.txt"), "é\n");
  assert.equal(await sandbox.readFile("/project/dir/a.txt"), "é\n");
});
await check("bytes", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
  await sandbox.writeFile("b.bin", bytes);
  assert.deepEqual(new Uint8Array(await sandbox.readFileBuffer("b.bin")), bytes);
});
await check("stat, readdir and exists", async () => {
  const stat = await sandbox.stat("dir/a.txt");
  assert.ok(stat.isFile && !stat.isDirectory && stat.size === 3 && stat.mtime instanceof Date);
  assert.deepEqual(await sandbox.readdir("."), ["b.bin", "dir"]);
  assert.equal(await sandbox.exists("nope"), false);
  assert.equal(await sandbox.exists("\0"), false);
});
await check("errors are thrown", async () => {
  await assert.rejects(sandbox.readFile("nope"), (error) => error.code === "not_found");
});
await check("rm", async () => {
  await sandbox.rm("b.bin");
  await sandbox.rm("b.bin", { force: true });
  assert.deepEqual(await sandbox.readdir("."), ["dir"]);
});
await check("exec with cwd, env and exit code", async () => {
  const ran = await sandbox.exec('pwd; echo "$A"; echo no >&2; exit 3', {
    cwd: "/project/dir",
    env: { A: "b" },
  });
  assert.deepEqual([ran.stdout, ran.stderr, ran.exitCode], ["/project/dir\nb\n", "no\n", 3]);
});
await check("exec with a time limit", async () => {
  const ran = await sandbox.exec("sleep 60", { timeoutMs: 200 });
  assert.equal(ran.exitCode, 124);
});
await check("exec that is aborted", async () => {
  const abort = new AbortController();
  const running = sandbox.exec("sleep 60; echo late > late", { signal: abort.signal });
  setTimeout(() => abort.abort(), 300);
  await assert.rejects(running);
  assert.equal((await sandbox.exec("echo alive")).stdout, "alive\n");
  assert.equal(await sandbox.exists("late"), false);
});
await check("Flue's own tools work on it", async () => {
  const read = runtime.createReadTool(sandbox);
  const write = runtime.createWriteTool(sandbox);
  assert.ok(read && write);
});
console.log(`passed ${checks}`);

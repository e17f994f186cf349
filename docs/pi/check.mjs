// Runs Pi's own tools on a workspace, against a bridge that is already served,
// in a copy of this directory where the package is installed:
//   VSHELL_URL=... VSHELL_TOKEN=... node --experimental-strip-types check.mjs
import assert from "node:assert/strict";

import * as pi from "@earendil-works/pi-coding-agent";

import { vshellDriver } from "../flue/vshell-sandbox.ts";
import { vshellOperations } from "./vshell-operations.ts";

const driver = vshellDriver({ url: process.env.VSHELL_URL, token: process.env.VSHELL_TOKEN });
const operations = vshellOperations(driver);
const tools = {
  read: pi.createReadTool("/project", operations.read),
  write: pi.createWriteTool("/project", operations.write),
  edit: pi.createEditTool("/project", operations.edit),
  ls: pi.createLsTool("/project", operations.ls),
  bash: pi.createBashTool("/project", operations.bash),
};
const call = async (name, given, signal) =>
  (await tools[name].execute("1", given, signal)).content.map((block) => block.text).join("");
let checks = 0;
async function check(name, run) {
  await run();
  checks += 1;
  console.log(`ok ${name}`);
}

await check("write makes parents, and read reads", async () => {
  await call("write", { path: "dir/a.txt", content: "one\ntwo\n" });
  assert.equal(await call("read", { path: "dir/a.txt" }), "one\ntwo\n");
  assert.equal(await driver.readFile("/project/dir/a.txt"), "one\ntwo\n");
});
await check("edit changes", async () => {
  await call("edit", { path: "dir/a.txt", edits: [{ oldText: "two", newText: "2" }] });
  assert.equal(await driver.readFile("/project/dir/a.txt"), "one\n2\n");
});
await check("ls lists", async () => {
  assert.equal(await call("ls", { path: "." }), "dir/");
  await assert.rejects(call("ls", { path: "nope" }));
});
await check("bash runs in the workspace, without the host's variables", async () => {
  const told = await call("bash", { command: 'pwd; cat dir/a.txt; echo "[$VSHELL_TOKEN]"' });
  assert.equal(told, "/project\none\n2\n[]\n");
});
await check("a command that takes too long is told", async () => {
  await assert.rejects(call("bash", { command: "echo begun; sleep 60", timeout: 1 }), (error) =>
    /^begun\n[^]*Command timed out after 1 seconds/.test(error.message),
  );
});
await check("a command is aborted", async () => {
  const abort = new AbortController();
  const running = call("bash", { command: "sleep 60; echo late > late" }, abort.signal);
  setTimeout(() => abort.abort(), 300);
  await assert.rejects(running, /Command aborted/);
  assert.equal(await driver.exists("/project/late"), false);
});
console.log(`passed ${checks}`);

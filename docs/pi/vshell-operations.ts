// Pi's own tools on a vshell workspace, over `vshell serve --http`.
//
//   import { createBashTool, createReadTool } from "@earendil-works/pi-coding-agent";
//   import { vshellDriver } from "../flue/vshell-sandbox.ts";
//   import { vshellOperations } from "./vshell-operations.ts";
//
//   const operations = vshellOperations(vshellDriver({ url, token }));
//   const tools = [createReadTool("/", operations.read), createBashTool("/", operations.bash)];
//
// Pi searches with programs of the host, so its `grep` and `find` are left out: a model calls
// `grep` and `find` in `bash`, or is given vshell's own profile `pi` over MCP.

import type { vshellDriver } from "../flue/vshell-sandbox.ts";

interface ExecGiven {
  onData: (data: Buffer) => void;
  signal?: AbortSignal;
  /** Seconds. */
  timeout?: number;
  env?: Record<string, string | undefined>;
}

/** Return the options of Pi's tools `read`, `write`, `edit`, `ls` and `bash`, by their names. */
export function vshellOperations(driver: ReturnType<typeof vshellDriver>) {
  const readFile = async (path: string) => Buffer.from(await driver.readFileBuffer(path));
  const writeFile = (path: string, content: string) => driver.writeFile(path, content);
  const access = async (path: string) => void (await driver.stat(path));

  async function exec(command: string, cwd: string, given: ExecGiven) {
    const { onData, signal, timeout } = given;
    const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
    // The host's variables say nothing of the workspace, and may be secrets.
    const ran = await driver.exec(command, { cwd, timeoutMs, signal }).catch((error) => {
      throw signal?.aborted ? new Error("aborted") : error;
    });
    if (ran.stdout) onData(Buffer.from(ran.stdout));
    if (ran.stderr) onData(Buffer.from(ran.stderr));
    if (ran.timedOut) throw new Error(`timeout:${timeout}`);
    return { exitCode: ran.exitCode };
  }

  return {
    read: { operations: { readFile, access } },
    write: {
      operations: {
        writeFile,
        mkdir: (path: string) => driver.mkdir(path, { recursive: true }),
      },
    },
    edit: { operations: { readFile, writeFile, access } },
    ls: {
      operations: {
        exists: driver.exists,
        readdir: driver.readdir,
        stat: async (path: string) => {
          const found = await driver.stat(path);
          return { isDirectory: () => found.isDirectory };
        },
      },
    },
    bash: { operations: { exec }, exposeSessionEnvironment: false },
  };
}

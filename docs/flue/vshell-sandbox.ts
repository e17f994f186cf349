// A Flue sandbox on a vshell workspace, over `vshell serve --http`.
//
//   import { sandboxFromDriver } from "@flue/runtime";
//   import { vshellDriver } from "./vshell-sandbox.ts";
//
//   const driver = vshellDriver({ url: "http://127.0.0.1:7717", token: process.env.VSHELL_TOKEN });
//   const sandbox = sandboxFromDriver(driver, "/");
//
// It has no dependencies. Aborting an `exec` closes its connection, and the server then
// interrupts the command.

export interface VshellOptions {
  /** Where `vshell serve --http` listens. */
  url: string;
  /** The token that it was started with, or printed. */
  token: string;
}

export interface FileStat {
  isFile: boolean;
  isDirectory: boolean;
  isSymbolicLink: boolean;
  size: number;
  mtime: Date;
}

export interface ExecOptions {
  cwd?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number;
  /** Whether its time was over. */
  timedOut: boolean;
}

/** An error that the server reports; `code` is vshell's, such as `not_found`. */
export class VshellError extends Error {
  readonly code: string;
  readonly path: string | undefined;
  readonly hint: string | undefined;

  constructor(told: { code: string; message: string; path?: string; hint?: string }) {
    super(told.message);
    this.name = "VshellError";
    this.code = told.code;
    this.path = told.path;
    this.hint = told.hint;
  }
}

/** Return the verbs that Flue's `sandboxFromDriver` wants. */
export function vshellDriver(options: VshellOptions) {
  const base = options.url.replace(/\/+$/, "");

  async function post(
    verb: string,
    body: BodyInit,
    type: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(`${base}/v1/${verb}`, {
      method: "POST",
      headers: { authorization: `Bearer ${options.token}`, "content-type": type },
      body,
      signal: signal ?? null,
    });
    if (!response.ok) {
      const told = await response.json();
      throw new VshellError(told.error);
    }
    return response;
  }

  async function call(verb: string, given: object, signal?: AbortSignal): Promise<any> {
    return (await post(verb, JSON.stringify(given), "application/json", signal)).json();
  }

  return {
    async readFile(path: string): Promise<string> {
      return (await call("readFile", { path })).content;
    },
    async readFileBuffer(path: string): Promise<Uint8Array> {
      const response = await post("readFileBuffer", JSON.stringify({ path }), "application/json");
      return new Uint8Array(await response.arrayBuffer());
    },
    async writeFile(path: string, content: string | Uint8Array): Promise<void> {
      if (typeof content === "string") {
        await call("writeFile", { path, content });
        return;
      }
      const verb = `writeFile?path=${encodeURIComponent(path)}`;
      await post(verb, content as BodyInit, "application/octet-stream");
    },
    async stat(path: string): Promise<FileStat> {
      const { mtimeMs, ...found } = await call("stat", { path });
      return { ...found, mtime: new Date(mtimeMs) };
    },
    async readdir(path: string): Promise<string[]> {
      return (await call("readdir", { path })).names;
    },
    async exists(path: string): Promise<boolean> {
      try {
        return (await call("exists", { path })).exists;
      } catch (error) {
        if (error instanceof VshellError) return false; // such as a path that cannot be one
        throw error;
      }
    },
    async mkdir(path: string, given: { recursive?: boolean } = {}): Promise<void> {
      await call("mkdir", { path, recursive: given.recursive ?? false });
    },
    async rm(path: string, given: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
      const { recursive = false, force = false } = given;
      await call("rm", { path, recursive, force });
    },
    async exec(command: string, given: ExecOptions = {}): Promise<ExecResult> {
      const { signal, ...rest } = given;
      return await call("exec", { command, ...rest }, signal);
    },
  };
}

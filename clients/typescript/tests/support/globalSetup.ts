/** Starts `flowstrand dev` from the repository's virtual environment, on a free port, for all test files. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const APP = fileURLToPath(new URL("../app.py", import.meta.url));
const PYTHON = join(ROOT, ".venv", "bin", "python");
const KEY = "key-of-the-tests";
const START_MS = 60_000;

declare module "vitest" {
  export interface ProvidedContext {
    serverUrl: string;
    apiKey: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(PYTHON)) throw new Error("there is no .venv: run ./scripts/bootstrap dev");
  const data = mkdtempSync(join(tmpdir(), "flowstrand-"));
  const options = ["--port", "0", "--app", APP, "--data", data, "--api-key", KEY];
  const server = spawn(PYTHON, ["-m", "flowstrand.cli", "dev", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  project.provide("serverUrl", await urlOf(server));
  project.provide("apiKey", KEY);
  return async () => {
    await ended(server);
    rmSync(data, { recursive: true, force: true });
  };
}

/** Where it listens, as soon as it says so. */
function urlOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`the server does not start: ${output}`)), START_MS);
    server.once("exit", (status) => reject(new Error(`the server ended with ${status}: ${output}`)));
    server.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const url = /listens on (\S+)\n/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    server.removeAllListeners("exit");
    server.stdout?.destroy();
    server.once("exit", () => resolve());
    server.kill("SIGTERM");
  });
}

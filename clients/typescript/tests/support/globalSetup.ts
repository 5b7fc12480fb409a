/** Starts `flowstrand dev` on a free port, for all test files. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { DevServer } from "./devServer.js";

const APP = fileURLToPath(new URL("../app.py", import.meta.url));
const KEY = "key-of-the-tests";

declare module "vitest" {
  export interface ProvidedContext {
    serverUrl: string;
    apiKey: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const data = mkdtempSync(join(tmpdir(), "flowstrand-"));
  const server = new DevServer(data, ["--app", APP, "--data", data, "--api-key", KEY]);
  await server.start();
  project.provide("serverUrl", server.url);
  project.provide("apiKey", KEY);
  return async () => {
    await server.end("SIGTERM");
    rmSync(data, { recursive: true, force: true });
  };
}

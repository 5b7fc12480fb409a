/** `flowstrand dev` from the repository's virtual environment, as a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Of this project. */
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

const PYTHON = join(ROOT, ".venv", "bin", "python");
const START_MS = 60_000;

/** A Python of the virtual environment; what it prints as an error is shown. */
export function python(
  words: readonly string[],
  folder: string,
  env: Record<string, string> = {},
): ChildProcess {
  if (!existsSync(PYTHON)) throw new Error("there is no .venv: run ./scripts/bootstrap dev");
  return spawn(PYTHON, words, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** What a process prints that matches, as soon as it does; its first group. */
export function printed(running: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`it does not start: ${output}`)), START_MS);
    running.once("exit", (status) => reject(new Error(`it ended with ${status}: ${output}`)));
    running.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const found = pattern.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      running.removeAllListeners("exit");
      resolve(found);
    });
  });
}

/** Resolves once the process has ended; one that has, at once. */
export function ended(running: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (running.exitCode !== null || running.signalCode !== null) return resolve();
    running.stdout?.destroy();
    running.once("exit", () => resolve());
    running.kill(signal);
  });
}

export class DevServer {
  readonly #words: readonly string[];
  readonly #folder: string;
  readonly #env: Record<string, string>;
  #url = "";
  #running: ChildProcess | undefined;

  /** @param options - of `flowstrand dev`, without a port. */
  constructor(folder: string, options: readonly string[], env: Record<string, string> = {}) {
    this.#words = ["-m", "flowstrand.cli", "dev", ...options];
    this.#folder = folder;
    this.#env = env;
  }

  /** Where it listens, from its first start on. */
  get url(): string {
    return this.#url;
  }

  /** Start it, and wait until it listens; started again, it has the port that it had. */
  async start(): Promise<void> {
    const port = this.#url === "" ? "0" : new URL(this.#url).port;
    this.#running = python([...this.#words, "--port", port], this.#folder, this.#env);
    this.#url = await printed(this.#running, /listens on (\S+)\n/);
  }

  /** End it: SIGINT is Ctrl-C, SIGKILL lets it do nothing more. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#running !== undefined) await ended(this.#running, signal);
  }
}

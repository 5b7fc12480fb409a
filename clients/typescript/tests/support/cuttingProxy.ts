/** A TCP proxy that cuts connections: every so often, or after so many bytes of an answer. */

import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { listening } from "./listening.js";

export class CuttingProxy {
  readonly #target: URL;
  readonly #open = new Set<Socket>();
  #url = "";
  #cuts = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Before a server. `afterBytes` says, for each connection, after how many bytes of answers it is cut. */
  static async before(target: string, afterBytes: () => number = () => Infinity): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    const server = createServer((client) => proxy.#serve(client, afterBytes()));
    proxy.#url = await listening(server, () => proxy.cut());
    return proxy;
  }

  /** Where it listens. */
  get url(): string {
    return this.#url;
  }

  /** How many connections it has cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cut what is open now. */
  cut(): void {
    for (const client of this.#open) this.#destroy(client);
  }

  /** Cut what is open every `ms`, until the test ends. */
  cutEvery(ms: number): void {
    const timer = setInterval(() => this.cut(), ms);
    onTestFinished(() => clearInterval(timer));
  }

  #serve(client: Socket, bytes: number): void {
    const upstream = connect(Number(this.#target.port), this.#target.hostname);
    let left = bytes;
    this.#open.add(client);
    client.pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      client.write(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
      // What was written reaches the client first, then the end of the connection in the middle of the answer.
      if (left <= 0) client.end(() => this.#destroy(client));
    });
    upstream.on("end", () => client.end());
    client.on("close", () => {
      this.#open.delete(client);
      upstream.destroy();
    });
    for (const socket of [client, upstream]) socket.on("error", () => client.destroy());
  }

  #destroy(client: Socket): void {
    this.#cuts += 1;
    client.destroy();
  }
}

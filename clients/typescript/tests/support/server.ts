/** The server that the tests share. */

import { inject } from "vitest";
import {
  Connection,
  type ConnectionOptions,
  execution,
  Flowstrand,
  type FollowedEvent,
} from "../../src/index.js";

export const ORG = "dev";

/** A client of the server, or of a proxy before it. */
export function clientOf(options: Partial<ConnectionOptions> = {}): Flowstrand {
  return new Flowstrand({ url: inject("serverUrl"), org: ORG, token: inject("apiKey"), ...options });
}

/** A connection likewise. */
export function connectionOf(options: Partial<ConnectionOptions> = {}): Connection {
  return new Connection({ url: inject("serverUrl"), org: ORG, token: inject("apiKey"), ...options });
}

/** The id of a new execution. */
export async function started(kind: string, input: unknown = null): Promise<string> {
  return (await clientOf().start(kind, input)).workflowExecutionId;
}

/** The whole log of an execution, by the history route, once it has ended. */
export async function ended(id: string): Promise<FollowedEvent[]> {
  return await collected(clientOf().follow(execution(id), { transport: "poll" }));
}

/** All of it. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

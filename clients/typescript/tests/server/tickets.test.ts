import { EventSource } from "eventsource";
import { expect, inject, test } from "vitest";
import { execution, Flowstrand, followExecution, orgFeed, type Ticket } from "../../src/index.js";
import { bufferingProxy } from "../support/bufferingProxy.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { clientOf, collected, ended, ORG, started } from "../support/server.js";

/** A client as a browser has one: without a credential. */
function anonymous(url = inject("serverUrl")): Flowstrand {
  return new Flowstrand({ url, org: ORG });
}

/** Tickets as a server of one's own hands them out. */
function ticketsFor(id: string): () => Promise<Ticket> {
  const json = { scope: "execution", id };
  return () => clientOf().connection.json<Ticket>("stream-tickets", { method: "POST", json });
}

test.each(["sse", "poll", "eventsource"] as const)("a ticket is all that %s needs", async (transport) => {
  const id = await started("talk", { words: 20 });
  const options = {
    transport,
    ticket: ticketsFor(id),
    EventSource: EventSource as typeof globalThis.EventSource,
  };
  expect(await collected(followExecution(anonymous(), id, options))).toEqual(await ended(id));
});

test("an EventSource that is cut goes on where it was", async () => {
  const id = await started("talk", { words: 200 });
  let connections = 0;
  const proxy = await CuttingProxy.before(inject("serverUrl"), () => 3_000 + 7_919 * connections++);
  const options = {
    transport: "eventsource",
    EventSource: EventSource as typeof globalThis.EventSource,
  } as const;
  const events = await collected(followExecution(clientOf({ url: proxy.url }), id, options));
  expect(events).toEqual(await ended(id));
  expect(proxy.cuts).toBeGreaterThan(2);
});

test("an EventSource behind the last event ends", async () => {
  const id = await started("caught");
  const last = (await ended(id)).at(-1)?.position ?? "";
  const options = {
    transport: "eventsource",
    EventSource: EventSource as typeof globalThis.EventSource,
  } as const;
  expect(await collected(followExecution(clientOf(), id, { ...options, after: last }))).toEqual([]);
});

test("why an EventSource does not open is told", async () => {
  const [one, other] = [await started("gated"), await started("gated")];
  const options = {
    transport: "eventsource",
    ticket: ticketsFor(other),
    EventSource: EventSource as typeof globalThis.EventSource,
  } as const;
  const following = collected(followExecution(anonymous(), one, options));
  await expect(following).rejects.toMatchObject({ status: 403, code: "TICKET_OUT_OF_SCOPE" });
});

test("an EventSource that is held back makes it a long-poll, with the ticket", async () => {
  const id = await started("gated");
  const client = anonymous(await bufferingProxy(inject("serverUrl")));
  const changes: string[] = [];
  const options = {
    transport: "eventsource",
    ticket: ticketsFor(id),
    EventSource: EventSource as typeof globalThis.EventSource,
    firstByteMs: 300,
    onTransport: ({ transport }: { transport: string }) => changes.push(transport),
  } as const;
  for await (const event of followExecution(client, id, options)) {
    if (event.type === "WORKFLOW_SUSPENDED") await clientOf().signal(id, "go", "now");
  }
  expect(changes).toEqual(["poll"]);
});

test("a stranger is refused", async () => {
  const following = collected(followExecution(anonymous(), await started("caught")));
  await expect(following).rejects.toMatchObject({ status: 401 });
});

test("the org's feed has each event of an execution once and in order", async () => {
  const followed = new Map<string, number[]>();
  const proxy = await CuttingProxy.before(inject("serverUrl"), () => 6_000);
  const feed = clientOf({ url: proxy.url }).follow(orgFeed());
  const ids = [await started("family", 2), await started("caught"), await started("talk", { words: 30 })];
  const open = new Set(ids);
  for (let step = await feed.next(); !step.done; step = await feed.next()) {
    const { executionId, sequence, type } = step.value;
    followed.set(executionId, [...(followed.get(executionId) ?? []), sequence]);
    if (type === "WORKFLOW_COMPLETED") open.delete(executionId);
    if (open.size === 0) break;
  }
  await feed.return();
  for (const id of ids) {
    const log = await collected(clientOf().follow(execution(id), { transport: "poll" }));
    const shown = log.filter((event) => !event.type.startsWith("STREAM_")).map((event) => event.sequence);
    expect(followed.get(id)).toEqual(shown);
  }
});

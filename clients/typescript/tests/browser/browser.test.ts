import { chromium, type Page } from "playwright-core";
import { beforeAll, expect, inject, onTestFinished, test } from "vitest";
import type { Ticket } from "../../src/index.js";
import { WORDS_FOR_500_EVENTS } from "../interop/longTalk.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { pageServer } from "../support/pageServer.js";
import { clientOf, ended, ORG, started } from "../support/server.js";

const CHROMIUM = process.env["CHROMIUM"] ?? "chromium";

/** The package, as pages have it. */
type Package = typeof import("../../src/index.js");

/** What a page saw: positions and types, in the order of their arrival. */
interface Seen {
  readonly events: [string, string][];
  readonly opened: number;
}

let browser: Awaited<ReturnType<typeof chromium.launch>>;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  return () => browser.close();
});

/** A page of another origin than the API's. */
async function page(): Promise<Page> {
  const opened = await browser.newPage();
  onTestFinished(() => opened.close());
  await opened.goto(await pageServer());
  return opened;
}

async function ticketFor(id: string): Promise<string> {
  const json = { scope: "execution", id };
  const { ticket } = await clientOf().connection.json<Ticket>("stream-tickets", { method: "POST", json });
  return ticket;
}

/** Before the server, cutting every second. */
async function cuttingProxy(): Promise<CuttingProxy> {
  const proxy = await CuttingProxy.before(inject("serverUrl"));
  proxy.cutEvery(1_000);
  return proxy;
}

/** Runs in the page: all that an `EventSource` gets until it stops by itself. */
function eventSourceToItsEnd(url: string): Promise<Seen> {
  return new Promise((resolve) => {
    const events: [string, string][] = [];
    let opened = 0;
    const source = new EventSource(url);
    source.onopen = () => {
      opened += 1;
    };
    source.onmessage = ({ lastEventId, data }) => events.push([lastEventId, JSON.parse(data).type]);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) resolve({ events, opened });
    };
  });
}

/** What every page has to see of an execution. */
async function expected(id: string): Promise<[string, string][]> {
  return (await ended(id)).map((event) => [event.position, event.type]);
}

test("a browser's EventSource, cut every second, gets every event once and in order, and stops at 204", async () => {
  const id = await started("talk", WORDS_FOR_500_EVENTS);
  const proxy = await cuttingProxy();
  const query = new URLSearchParams({ format: "cloudevents", ticket: await ticketFor(id) });
  const url = `${proxy.url}/api/orgs/${ORG}/workflow-executions/${id}/stream?${query}`;
  const { events, opened } = await (await page()).evaluate(eventSourceToItsEnd, url);
  const wanted = await expected(id);
  const typeOf = new Map(wanted);
  expect(events.map(([position]) => position)).toEqual(wanted.map(([position]) => position));
  expect(events).toHaveLength(500);
  for (const [position, publicName] of events) {
    expect(typeOf.get(position)?.toLowerCase()).toBe(publicName.replace(".", "_"));
  }
  expect(opened).toBeGreaterThan(3);
  expect(proxy.cuts).toBeGreaterThan(3);
});

test.each(["sse", "eventsource", "poll"] as const)(
  "in a browser, the package follows over %s from another origin, cut every second",
  async (transport) => {
    const id = await started("talk", { words: 293, pause_ms: 12 });
    const proxy = await cuttingProxy();
    const options = { url: proxy.url, org: ORG, token: inject("apiKey"), id, transport };
    const events = await (await page()).evaluate(async ({ url, org, token, id, transport }) => {
      const { Flowstrand, followExecution } = (globalThis as unknown as { flowstrand: Package }).flowstrand;
      const client = new Flowstrand({ url, org, token });
      const seen: [string, string][] = [];
      for await (const event of followExecution(client, id, { transport }))
        seen.push([event.position, event.type]);
      return seen;
    }, options);
    expect(events).toEqual(await expected(id));
    expect(events).toHaveLength(300);
    expect(proxy.cuts).toBeGreaterThan(1);
  },
);

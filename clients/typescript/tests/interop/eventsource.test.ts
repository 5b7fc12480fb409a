import { EventSource } from "eventsource";
import { expect, inject, test } from "vitest";
import { eventOf } from "../../src/cloudEvent.js";
import type { FollowedEvent } from "../../src/index.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { ended, ORG, started } from "../support/server.js";
import { WORDS_FOR_500_EVENTS } from "./longTalk.js";

/** All that an `EventSource` gets until it gives up, which it does at 204. */
function received(url: string): Promise<FollowedEvent[]> {
  const source = new EventSource(url, {
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${inject("apiKey")}` } }),
  });
  const events: FollowedEvent[] = [];
  return new Promise((resolve, reject) => {
    source.onmessage = (message) => events.push(eventOf(message.lastEventId, message.data));
    source.onerror = (error) => {
      if (source.readyState !== source.CLOSED) return;
      if (error.code === 204) resolve(events);
      else reject(new Error(error.message));
    };
  });
}

test("npm's eventsource, cut every second, gets each of 500 events once and in order", async () => {
  const id = await started("talk", WORDS_FOR_500_EVENTS);
  const proxy = await CuttingProxy.before(inject("serverUrl"));
  proxy.cutEvery(1_000);
  const route = `/api/orgs/${ORG}/workflow-executions/${id}/stream?format=cloudevents`;
  const events = await received(proxy.url + route);
  expect(events).toHaveLength(500);
  expect(events).toEqual(await ended(id));
  expect(proxy.cuts).toBeGreaterThan(3);
});

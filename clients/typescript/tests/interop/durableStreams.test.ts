import { type LiveMode, stream } from "@durable-streams/client";
import { expect, inject, test } from "vitest";
import type { FlowstrandEvent } from "../../src/index.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { clientOf, ORG, started } from "../support/server.js";
import { WORDS_FOR_500_EVENTS } from "./longTalk.js";

const MOST_SESSIONS = 100;

/**
 * All that the client shows of a stream, until that is closed. A session over Server-Sent Events ends with an error when its
 * connection breaks, and is then taken up from the offset of the last batch, as the client's documentation says.
 */
async function received(url: string, live: LiveMode): Promise<FlowstrandEvent[]> {
  const headers = { authorization: `Bearer ${inject("apiKey")}` };
  const events: FlowstrandEvent[] = [];
  let offset = "-1";
  for (let sessions = 1; sessions <= MOST_SESSIONS; sessions += 1) {
    const response = await stream<FlowstrandEvent>({ url, headers, offset, live });
    response.subscribeJson((batch) => {
      events.push(...batch.items);
      offset = batch.offset;
    });
    await response.closed.catch((error) => expect(error).toBeInstanceOf(TypeError));
    if (response.streamClosed) return events;
  }
  throw new Error(`still open after ${MOST_SESSIONS} sessions, at ${offset}`);
}

test.each<LiveMode>(["sse", "long-poll"])(
  "@durable-streams/client over %s, cut every second, gets each of 500 events once and in order",
  async (live) => {
    const id = await started("talk", WORDS_FOR_500_EVENTS);
    const proxy = await CuttingProxy.before(inject("serverUrl"));
    proxy.cutEvery(1_000);
    const events = await received(`${proxy.url}/v1/stream/orgs/${ORG}/executions/${id}`, live);
    const history = await clientOf().history(id, { limit: 1_000 });
    expect(events).toHaveLength(500);
    expect(events).toEqual(history.events);
    expect(proxy.cuts).toBeGreaterThan(3);
  },
);

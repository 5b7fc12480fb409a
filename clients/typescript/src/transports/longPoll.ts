/** The long-poll: works wherever HTTP does. */

import { Refused } from "../errors.js";
import type { FlowstrandEvent } from "../event.js";
import { Watchdog } from "../watchdog.js";
import { type Link, readingQuery, type Step } from "./transport.js";

/** As many as one answer may hold. */
const LIMIT = 1_000;
/** How long an answer may take beyond the wait that was asked for, in milliseconds. */
const PATIENCE_MS = 15_000;

interface Page {
  readonly events: readonly FlowstrandEvent[];
  readonly nextAfter: number;
  readonly upToDate: boolean;
  readonly closed: boolean;
}

/** Page after page, each asked for from where the last one ended; one step for each. */
export async function* overLongPoll(
  link: Link,
  position: string,
  signal?: AbortSignal,
): AsyncGenerator<Step, void> {
  const { eventsRoute } = link.source;
  if (eventsRoute === undefined) throw new Error(`${link.source.name} has no long-poll`);
  let after = position;
  for (let isEnd = false; !isEnd; ) {
    const page = await ask(link, eventsRoute, after, signal);
    after = String(page.nextAfter);
    isEnd = page.closed && page.upToDate;
    yield { events: page.events.map((event) => followed(event, link)), position: after, isEnd };
  }
}

async function ask(link: Link, route: string, after: string, signal: AbortSignal | undefined): Promise<Page> {
  const watchdog = new Watchdog(signal);
  try {
    watchdog.expect(link.waitS * 1000 + PATIENCE_MS);
    const query = { ...(await readingQuery(link, after)), wait: String(link.waitS), limit: String(LIMIT) };
    return await link.connection.json<Page>(route, { query, signal: watchdog.signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof Refused && error.status === 401) link.tickets?.discard();
    throw error;
  } finally {
    watchdog.close();
  }
}

function followed(event: FlowstrandEvent, { source }: Link) {
  return { ...event, position: String(event.sequence), executionId: source.id };
}

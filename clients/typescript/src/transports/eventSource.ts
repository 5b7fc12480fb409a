/**
 * The platform's `EventSource`, with a ticket in its URL.
 *
 * It is closed at its first error: what it does by itself then, reconnecting with the URL that it was made with, would
 * go on with a ticket that may have ended. And since it does not tell why it was refused, a plain request is made to find out.
 */

import { eventOf } from "../cloudEvent.js";
import { refusal } from "../connection.js";
import type { FollowedEvent } from "../event.js";
import { Inbox } from "../inbox.js";
import { CannotStream, type Link, readingQuery, type Step } from "./transport.js";

/** One `EventSource`, from its opening to its first error. */
export async function* overEventSource(
  link: Link,
  position: string,
  signal?: AbortSignal,
): AsyncGenerator<Step, void> {
  if (link.EventSource === undefined) throw new CannotStream("there is no EventSource on this platform");
  const url = await urlOf(link, position);
  const inbox = new Inbox<Step>();
  const stop = () => inbox.fail(signal?.reason);
  const source = new link.EventSource(url);
  let isOpen = false;
  source.onopen = () => {
    isOpen = true;
    inbox.put({});
  };
  source.onmessage = (message) => deliver(inbox, message);
  source.onerror = () => inbox.end();
  const timer = setTimeout(() => {
    if (!isOpen) inbox.fail(new CannotStream(`${link.source.name}: the stream is held back`));
  }, link.firstByteMs);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    yield* inbox;
    if (!isOpen) yield* whyNot(link, url, signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    source.close();
  }
}

async function urlOf(link: Link, position: string): Promise<string> {
  const query = { ...(await readingQuery(link, position)), format: "cloudevents" };
  return link.connection.url(link.source.streamRoute, query);
}

function deliver(inbox: Inbox<Step>, message: MessageEvent<string>): void {
  let event: FollowedEvent;
  try {
    event = eventOf(message.lastEventId, message.data);
  } catch (error) {
    inbox.fail(error);
    return;
  }
  inbox.put({ events: [event] });
}

/** Why it did not open: nothing follows, or an error. */
async function* whyNot(link: Link, url: string, signal: AbortSignal | undefined): AsyncGenerator<Step, void> {
  link.tickets?.discard();
  const response = await link.connection.probe(url, signal);
  if (response.status === 204) yield { isEnd: true };
  else if (!response.ok) throw await refusal(response);
  else await response.body?.cancel();
}

/** Server-Sent Events over fetch. */

import { eventOf } from "../cloudEvent.js";
import { refusal } from "../connection.js";
import type { Refused } from "../errors.js";
import { type SseItem, SseParser } from "../sse/parser.js";
import { Watchdog } from "../watchdog.js";
import { CannotStream, type Link, readingQuery, type Step } from "./transport.js";

const MEDIA_TYPE = "text/event-stream";

/** One response of the stream. */
export async function* overSse(
  link: Link,
  position: string,
  signal?: AbortSignal,
): AsyncGenerator<Step, void> {
  const watchdog = new Watchdog(signal);
  let hasBegun = false;
  try {
    watchdog.expect(link.firstByteMs);
    const response = await open(link, position, watchdog.signal);
    if (response === undefined) {
      yield { isEnd: true };
      return;
    }
    const parser = new SseParser(position);
    for await (const bytes of chunks(response)) {
      hasBegun = true;
      watchdog.expect(link.silenceMs);
      yield stepOf(parser.push(bytes));
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (watchdog.hasBitten && !hasBegun) {
      throw new CannotStream(`${link.source.name}: the stream is held back`, { cause: error });
    }
    throw error;
  } finally {
    watchdog.close();
  }
}

/** A response that streams; undefined where nothing can follow. */
async function open(link: Link, position: string, signal: AbortSignal): Promise<Response | undefined> {
  const response = await link.connection.send(link.source.streamRoute, {
    query: { ...(await readingQuery(link, position)), format: "cloudevents" },
    headers: { accept: MEDIA_TYPE },
    signal,
  });
  if (response.status === 204) return undefined;
  if (!response.ok) throw await whyNot(response, link);
  if (!response.headers.get("content-type")?.startsWith(MEDIA_TYPE)) {
    await response.body?.cancel();
    throw new CannotStream(`${link.source.name}: the answer is no stream`);
  }
  return response;
}

async function whyNot(response: Response, link: Link): Promise<Refused | CannotStream> {
  const error = await refusal(response);
  if (error.status === 401) link.tickets?.discard();
  return error.isForeign ? new CannotStream(error.message, { cause: error }) : error;
}

/** As `for await` over the body, which not every browser can do. */
async function* chunks({ body }: Response): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // A body that broke rejects this, too, and has said why already.
    await reader.cancel().catch(() => undefined);
  }
}

/** What a chunk brought: whole items only. */
function stepOf(items: readonly SseItem[]): Step {
  const events = items.flatMap((item) => (item.kind === "event" ? [eventOf(item.id, item.data)] : []));
  const last = items.findLast((item) => item.kind !== "retry");
  const hint = items.findLast((item) => item.kind === "retry");
  return {
    events,
    ...(last?.kind === "id" && { position: last.id }),
    ...(hint?.kind === "retry" && { retryMs: hint.ms }),
  };
}

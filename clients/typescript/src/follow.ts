/**
 * Following: every event once and in order, over as many connections as it takes, by the transport that works.
 *
 * Streaming comes first. Where it is refused, or held back on the way, or has failed several times before anything
 * arrived, the long-poll goes on from where it was.
 */

import type { Connection } from "./connection.js";
import { Cursor } from "./cursor.js";
import { FlowstrandError } from "./errors.js";
import type { EventType, FollowedEvent } from "./event.js";
import { Pauses } from "./pauses.js";
import { Route, type TransportName } from "./route.js";
import { sleep } from "./sleep.js";
import type { Source } from "./source.js";
import type { TicketSource } from "./tickets.js";
import type { Step } from "./transports/transport.js";

export interface FollowOptions {
  /** Where to go on: the `position` of the last event that you have; of a feed, `now`, too. Without it, from the start. */
  readonly after?: string | number;
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  /** Ends the iteration with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly transport?: TransportName;
  /** How long a stream may take to send its first byte before it counts as held back; 5,000 ms. */
  readonly firstByteMs?: number;
  /** How long a stream may be silent before it is given up for dead; 45,000 ms, since heartbeats come every 15,000. */
  readonly silenceMs?: number;
  /** How long a long-poll is held, in seconds; 20, which is also the most. */
  readonly waitS?: number;
  /** Tickets, where the credential stays on your server; else they are had for the connection's credential, at need. */
  readonly ticket?: TicketSource;
  /** In place of the platform's. */
  readonly EventSource?: typeof EventSource;
  /** How many connections in a row may fail before anything arrives; 10. */
  readonly maxFruitless?: number;
  /** Told of every change of transport, with the reason. */
  readonly onTransport?: (change: { readonly transport: TransportName; readonly reason: unknown }) => void;
}

/** The position of what comes from now on, in a feed. */
const NOW = "now";

/**
 * Every event of a source, from `after` to its end, each once and in order.
 *
 * @throws {SequenceGap} an event is missing.
 * @throws {Refused} the server said no, and will not change its mind.
 * @throws {Unreachable} nothing arrived for too many attempts.
 * @throws the signal's reason, when it is aborted.
 */
export async function* follow(
  connection: Connection,
  source: Source,
  options: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void> {
  const wanted = new Set(options.types);
  for await (const event of followed(connection, source, options)) {
    if (wanted.size === 0 || wanted.has(event.type)) yield event;
  }
}

/** The same, with the event that it ends with, which is always asked for. */
async function* followed(
  connection: Connection,
  source: Source,
  options: FollowOptions,
): AsyncGenerator<FollowedEvent, void> {
  const types = options.types?.length ? [...new Set([...options.types, ...source.terminalTypes])] : [];
  if (options.after === NOW && options.transport === "eventsource") {
    // It keeps positions without an event to itself: cut off before the first one, it would begin at a later now.
    throw new FlowstrandError(
      "UNSUPPORTED",
      "an EventSource does not tell where now is: use another transport",
    );
  }
  const cursor = new Cursor(source, startOf(options.after), types.length > 0);
  const pauses = new Pauses(Math.random, options.maxFruitless);
  const route = new Route(connection, source, types, options);
  while (!cursor.hasEnded) {
    let pauseMs: number;
    try {
      for await (const step of route.connect(cursor.position)) {
        yield* taken(step, cursor, pauses);
        if (cursor.hasEnded) return;
      }
      pauseMs = pauses.next(undefined, source.name);
    } catch (error) {
      options.signal?.throwIfAborted();
      pauseMs = route.pauseAfter(error, pauses);
    }
    await sleep(pauseMs, options.signal);
  }
}

/** What is new in a step; behind it, the cursor stands where the step ends. */
function* taken(step: Step, cursor: Cursor, pauses: Pauses): Generator<FollowedEvent, void> {
  pauses.alive();
  if (step.retryMs !== undefined) pauses.hint(step.retryMs);
  for (const event of step.events ?? []) {
    if (cursor.accept(event)) yield event;
  }
  if (step.position !== undefined) cursor.moveTo(step.position);
  if (step.isEnd) cursor.end();
}

function startOf(after: string | number | undefined): string {
  return after === undefined || after === 0 ? "" : String(after);
}

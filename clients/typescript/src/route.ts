/** Which transport a follower uses, and when it changes to another. */

import type { Connection } from "./connection.js";
import { FlowstrandError, Refused } from "./errors.js";
import type { EventType } from "./event.js";
import type { FollowOptions } from "./follow.js";
import type { Pauses } from "./pauses.js";
import type { Source } from "./source.js";
import { Tickets, ticketsOf } from "./tickets.js";
import { overEventSource } from "./transports/eventSource.js";
import { overLongPoll } from "./transports/longPoll.js";
import { overSse } from "./transports/sse.js";
import { CannotStream, type Link, type Step, type Transport } from "./transports/transport.js";

/** `auto` is `sse` until that does not work, then `poll`; `eventsource` falls back likewise. */
export type TransportName = "auto" | "sse" | "poll" | "eventsource";

/** Streams that failed this often in a row before anything arrived are not tried again. */
const FALL_BACK_AFTER = 3;
const FIRST_BYTE_MS = 5_000;
const SILENCE_MS = 45_000;
const WAIT_S = 20;
/** Without a long-poll to fall back on, what is held back is waited for until its response has ended. */
const WHOLE_RESPONSE_MS = 90_000;

const TRANSPORTS: Readonly<Record<Exclude<TransportName, "auto">, Transport>> = {
  sse: overSse,
  poll: overLongPoll,
  eventsource: overEventSource,
};

/** The way to one source, for one follower. */
export class Route {
  readonly #link: Link;
  readonly #options: FollowOptions;
  readonly #canFallBack: boolean;
  #transport: Exclude<TransportName, "auto">;

  /** `types` are those asked of the server. */
  constructor(connection: Connection, source: Source, types: readonly EventType[], options: FollowOptions) {
    const { transport = "auto" } = options;
    this.#options = options;
    this.#transport = transport === "auto" ? "sse" : transport;
    this.#canFallBack =
      source.eventsRoute !== undefined && (transport === "auto" || transport === "eventsource");
    this.#link = {
      connection,
      source,
      types,
      tickets: ticketsFor(connection, source, options),
      firstByteMs: this.#canFallBack ? (options.firstByteMs ?? FIRST_BYTE_MS) : WHOLE_RESPONSE_MS,
      silenceMs: options.silenceMs ?? SILENCE_MS,
      waitS: options.waitS ?? WAIT_S,
      EventSource: options.EventSource ?? globalThis.EventSource,
    };
  }

  /** One connection. */
  connect(position: string): AsyncGenerator<Step, void> {
    return TRANSPORTS[this.#transport](this.#link, position, this.#options.signal);
  }

  /**
   * How long to wait after a connection that broke, in milliseconds; the next one may use another transport.
   *
   * @throws the error, where going on cannot help.
   */
  pauseAfter(error: unknown, pauses: Pauses): number {
    if (error instanceof CannotStream && this.#fallBack(error)) return 0;
    if (this.#isFatal(error, pauses)) throw error instanceof CannotStream ? (error.cause ?? error) : error;
    const pauseMs = pauses.next(error, this.#link.source.name);
    if (pauses.fruitless >= FALL_BACK_AFTER && this.#fallBack(error)) return 0;
    return pauseMs;
  }

  #isFatal(error: unknown, pauses: Pauses): boolean {
    if (!(error instanceof FlowstrandError)) return false;
    if (!(error instanceof Refused)) return true;
    // A ticket may have ended: the next connection brings a new one.
    const isStaleTicket = error.status === 401 && this.#link.tickets !== undefined && pauses.fruitless === 0;
    return !error.isTransient && !isStaleTicket;
  }

  /** Whether the next connection is a long-poll from now on. */
  #fallBack(reason: unknown): boolean {
    if (!this.#canFallBack || this.#transport === "poll") return false;
    this.#transport = "poll";
    this.#options.onTransport?.({ transport: "poll", reason });
    return true;
  }
}

function ticketsFor(connection: Connection, source: Source, options: FollowOptions): Tickets | undefined {
  if (options.ticket) return new Tickets(options.ticket);
  const needsOne = options.transport === "eventsource" && connection.hasCredential;
  return needsOne ? new Tickets(ticketsOf(connection, source)) : undefined;
}

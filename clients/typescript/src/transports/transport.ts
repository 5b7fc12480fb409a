/** What the transports share: each is one connection, from a position, as steps. */

import type { Connection } from "../connection.js";
import { FlowstrandError } from "../errors.js";
import type { EventType, FollowedEvent } from "../event.js";
import type { Source } from "../source.js";
import type { Tickets } from "../tickets.js";

/** What is followed, and how. Times are in milliseconds; 0 is without end. */
export interface Link {
  readonly connection: Connection;
  readonly source: Source;
  readonly types: readonly EventType[];
  readonly tickets: Tickets | undefined;
  /** How long a stream may take to send its first byte. */
  readonly firstByteMs: number;
  /** How long a stream may be silent; heartbeats come every 15 s. */
  readonly silenceMs: number;
  /** How long a long-poll is held, in seconds. */
  readonly waitS: number;
  readonly EventSource: typeof EventSource | undefined;
}

/**
 * Something arrived: events, a new position without one, the delay that the server asks for, or that nothing follows.
 * All may be missing: the server is alive.
 */
export interface Step {
  readonly events?: readonly FollowedEvent[];
  readonly position?: string;
  readonly retryMs?: number;
  readonly isEnd?: boolean;
}

/** One connection. It ends when the connection does, and throws when that breaks. */
export type Transport = (
  link: Link,
  position: string,
  signal: AbortSignal | undefined,
) => AsyncGenerator<Step, void>;

/** Streaming does not work here: it is refused, or something on the way holds it back. */
export class CannotStream extends FlowstrandError {
  constructor(message: string, options?: ErrorOptions) {
    super("CANNOT_STREAM", message, options);
  }
}

/** What a reader asks of a source's routes; with a ticket, where it has tickets. */
export async function readingQuery(link: Link, position: string): Promise<Record<string, string>> {
  const query = { after: position, types: link.types.join(",") };
  return link.tickets ? { ...query, ticket: await link.tickets.current() } : query;
}

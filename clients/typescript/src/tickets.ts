/** Tickets: what a reader shows in a URL where it cannot send headers. Each is short-lived, and for one stream. */

import type { Connection } from "./connection.js";
import type { Source } from "./source.js";

/** A ticket, and when it ends (RFC 3339). */
export interface Ticket {
  readonly ticket: string;
  readonly expiresAt?: string;
}

/** Gets a new ticket: from your own server, where the browser is not to have a credential. */
export type TicketSource = () => Ticket | Promise<Ticket>;

/** Before a ticket's end, as long as a connection may take to be made, in milliseconds. */
const MARGIN_MS = 5_000;

/** The ticket of one follower, for as long as it is good. */
export class Tickets {
  readonly #get: TicketSource;
  #current: Ticket | undefined;

  constructor(get: TicketSource) {
    this.#get = get;
  }

  /** A ticket that has not expired. */
  async current(): Promise<string> {
    if (this.#current === undefined || expires(this.#current)) this.#current = await this.#get();
    return this.#current.ticket;
  }

  /** It was not accepted, or may not have been: the next one is a new one. */
  discard(): void {
    this.#current = undefined;
  }
}

/** Tickets from the server itself, in exchange for the connection's credential. */
export function ticketsOf(connection: Connection, source: Source): TicketSource {
  return () => connection.json<Ticket>("stream-tickets", { method: "POST", json: source.ticketScope });
}

function expires({ expiresAt }: Ticket): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) - MARGIN_MS <= Date.now();
}

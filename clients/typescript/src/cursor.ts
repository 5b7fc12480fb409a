/** Where a follower stands: it goes on from here, lets every event through once, and nothing past a gap. */

import { SequenceGap } from "./errors.js";
import type { FollowedEvent } from "./event.js";
import type { Source } from "./source.js";

const MAX_LOGS = 10_000;

/** The place in one source. */
export class Cursor {
  readonly #source: Source;
  readonly #isFiltered: boolean;
  readonly #isFromStart: boolean;
  readonly #seen = new Map<string, number>();
  #position: string;
  #hasEnded = false;

  /** `after` is the position of the last event that the follower has; empty for none. */
  constructor(source: Source, after: string, isFiltered: boolean) {
    this.#source = source;
    this.#isFiltered = isFiltered;
    this.#isFromStart = after === "";
    this.#position = after;
  }

  /** From where to go on; empty is the start. */
  get position(): string {
    return this.#position;
  }

  /** Whether nothing follows. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The server says that nothing follows. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The server says that a filter held back everything up to here. */
  moveTo(position: string): void {
    if (!this.#source.isOneLog || Number(position) > Number(this.#position)) this.#position = position;
  }

  /**
   * Whether the event is new. False is for one that was delivered before.
   *
   * @throws {SequenceGap} the one before it was never delivered.
   */
  accept(event: FollowedEvent): boolean {
    const last = this.#lastOf(event.executionId);
    if (last !== undefined && event.sequence <= last) return false;
    if (last !== undefined && this.#isDense && event.sequence !== last + 1) {
      throw new SequenceGap(event.executionId, last + 1, event.sequence);
    }
    this.#remember(event);
    this.#position = event.position;
    this.#hasEnded = this.#source.endsWith(event);
    return true;
  }

  get #isDense(): boolean {
    return this.#source.sequencing === "dense" && !this.#isFiltered;
  }

  /** The last sequence delivered of a log; undefined where that cannot be known. */
  #lastOf(executionId: string): number | undefined {
    if (this.#source.isOneLog) return Number(this.#position || 0);
    return this.#seen.get(executionId) ?? (this.#isFromStart ? 0 : undefined);
  }

  /** A feed without an end would fill the memory: of its logs, those that were heard of last are remembered. */
  #remember({ executionId, sequence }: FollowedEvent): void {
    if (this.#source.isOneLog) return;
    this.#seen.delete(executionId);
    this.#seen.set(executionId, sequence);
    const [oldest] = this.#seen.keys();
    if (this.#source.sequencing === "increasing" && this.#seen.size > MAX_LOGS && oldest !== undefined) {
      this.#seen.delete(oldest);
    }
  }
}

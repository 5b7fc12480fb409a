/** How long to wait before the next connection. */

import { Refused, Unreachable } from "./errors.js";

/** Connections in a row that may fail before anything arrives. */
export const MAX_FRUITLESS = 10;
const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** One for each follower. Delays are in milliseconds, and spread, so that many who were cut off do not return at once. */
export class Pauses {
  readonly #random: () => number;
  readonly #maxFruitless: number;
  #fruitless = 0;
  #isAlive = false;
  #retryMs = FIRST_MS;

  constructor(random: () => number = Math.random, maxFruitless: number = MAX_FRUITLESS) {
    this.#random = random;
    this.#maxFruitless = maxFruitless;
  }

  /** Connections in a row that have failed before anything arrived. */
  get fruitless(): number {
    return this.#fruitless;
  }

  /** The server asked for this delay between two connections. */
  hint(ms: number): void {
    this.#retryMs = Math.min(ms, LONGEST_MS);
  }

  /** Something arrived over this connection. */
  alive(): void {
    this.#isAlive = true;
    this.#fruitless = 0;
  }

  /**
   * How long to wait behind a connection that has ended, or broken with `error`.
   *
   * @throws {Unreachable} too many in a row were of no use.
   */
  next(error: unknown, name: string): number {
    const wasAlive = this.#isAlive;
    this.#isAlive = false;
    if (wasAlive) return this.#retryMs * (0.5 + this.#random() / 2);
    this.#fruitless += 1;
    if (this.#fruitless >= this.#maxFruitless) {
      throw new Unreachable(`${name}: given up after ${this.#fruitless} attempts`, { cause: error });
    }
    const ceiling = Math.min(this.#retryMs * 2 ** this.#fruitless, LONGEST_MS);
    const asked = error instanceof Refused ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(asked, ceiling * this.#random());
  }
}

/** Aborts a request when its server has been silent for too long, or when the follower is told to stop. */

/** One for each connection; close it when the connection is done. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #stop = () => this.#controller.abort(this.#parent?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasBitten = false;

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent;
    if (parent?.aborted) this.#stop();
    parent?.addEventListener("abort", this.#stop, { once: true });
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the silence was too long. */
  get hasBitten(): boolean {
    return this.#hasBitten;
  }

  /** From now on, silence may last for `ms`; 0 for ever. */
  expect(ms: number): void {
    clearTimeout(this.#timer);
    if (ms <= 0) return;
    this.#timer = setTimeout(() => {
      this.#hasBitten = true;
      this.#controller.abort(new Error(`nothing came for ${ms} ms`));
    }, ms);
  }

  /** End the request, if it has not ended by itself. */
  close(): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#stop);
    this.#controller.abort();
  }
}

/** What is pushed on one side is pulled on the other, in order. */

/** For one reader. */
export class Inbox<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = [];
  #failure: { readonly error: unknown } | undefined;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  /** One more. */
  put(item: Item): void {
    if (this.#hasEnded) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more: the reader ends behind what there is. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** No more: the reader throws behind what there is. */
  fail(error: unknown): void {
    if (!this.#hasEnded) this.#failure = { error };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#failure) throw this.#failure.error;
      else if (this.#hasEnded) return;
      else await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

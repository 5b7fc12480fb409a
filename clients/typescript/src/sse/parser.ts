/**
 * Server-Sent Events, read as the WHATWG HTML standard says (section "Server-sent events").
 *
 * A block that is cut off is never delivered. In addition to events, the parser tells what an `EventSource` keeps to
 * itself: a bare `id:`, which moves the position without an event, and `retry:`.
 */

/** What a stream said. */
export type SseItem =
  | { readonly kind: "event"; readonly id: string; readonly event: string; readonly data: string }
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "retry"; readonly ms: number };

/** Bytes to items; one for each connection. */
export class SseParser {
  readonly #decoder = new TextDecoder();
  #lastEventId: string;
  #line = "";
  #endedWithCr = false;
  #data: string[] = [];
  #event = "";
  #id: string;

  /** `lastEventId` is what an event without an id of its own has. */
  constructor(lastEventId = "") {
    this.#lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  /** The items that these bytes complete. They may end anywhere, inside of a character, too. */
  push(bytes: Uint8Array): SseItem[] {
    return this.#text(this.#decoder.decode(bytes, { stream: true }));
  }

  #text(text: string): SseItem[] {
    const items: SseItem[] = [];
    let rest = text;
    if (this.#endedWithCr && rest !== "") {
      this.#endedWithCr = false;
      if (rest.startsWith("\n")) rest = rest.slice(1);
    }
    const lines = rest.split(/\r\n|\r|\n/);
    this.#endedWithCr = rest.endsWith("\r");
    const unfinished = lines.pop() ?? "";
    for (const line of lines) {
      this.#take(this.#line + line, items);
      this.#line = "";
    }
    this.#line += unfinished;
    return items;
  }

  #take(line: string, items: SseItem[]): void {
    if (line === "") {
      this.#dispatch(items);
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    this.#field(name, value, items);
  }

  #field(name: string, value: string, items: SseItem[]): void {
    switch (name) {
      case "data":
        this.#data.push(value);
        break;
      case "event":
        this.#event = value;
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        break;
      case "retry":
        if (/^[0-9]+$/.test(value)) items.push({ kind: "retry", ms: Number(value) });
        break;
      default: // ignored, as the standard says
    }
  }

  #dispatch(items: SseItem[]): void {
    const hasMoved = this.#id !== this.#lastEventId;
    this.#lastEventId = this.#id;
    if (this.#data.length > 0) {
      items.push({
        kind: "event",
        id: this.#id,
        event: this.#event || "message",
        data: this.#data.join("\n"),
      });
    } else if (hasMoved) {
      items.push({ kind: "id", id: this.#id });
    }
    this.#data = [];
    this.#event = "";
  }
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SseItem, SseParser } from "../../src/index.js";

const encoder = new TextEncoder();

function parsed(text: string, cuts: readonly number[] = []): SseItem[] {
  const bytes = encoder.encode(text);
  const parser = new SseParser();
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const starts = [0, ...at];
  return starts.flatMap((start, index) => parser.push(bytes.subarray(start, starts[index + 1])));
}

const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
const text = fc.string({ unit: "grapheme" }).map((value) => value.replace(/[\r\n\0]/g, ""));
const block = fc.record({
  id: fc.option(text, { nil: undefined }),
  event: fc.option(text, { nil: undefined }),
  data: fc.array(text, { minLength: 1, maxLength: 4 }),
  comment: fc.option(text, { nil: undefined }),
});
type Block = typeof block extends fc.Arbitrary<infer Value> ? Value : never;

function linesOf({ id, event, data, comment }: Block): string[] {
  return [
    ...(comment === undefined ? [] : [`:${comment}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...data.map((line) => `data: ${line}`),
    "",
  ];
}

function expectedOf(blocks: readonly Block[]): SseItem[] {
  let last = "";
  return blocks.map(({ id, event, data }) => {
    last = id ?? last;
    return { kind: "event", id: last, event: event || "message", data: data.join("\n") };
  });
}

/** One more line. A blank one behind a CR cannot end with LF: the two would be one end. */
function joined(before: string, line: string, end = "\n"): string {
  return before + line + (line === "" && before.endsWith("\r") ? "\r" : end);
}

test("whatever ends the lines, and wherever the bytes are cut, the events are the same", () => {
  const stream = fc.record({
    blocks: fc.array(block, { maxLength: 6 }),
    ends: fc.array(lineEnd, { minLength: 1, maxLength: 7 }),
    cuts: fc.array(fc.nat(), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(stream, ({ blocks, ends, cuts }) => {
      const lines = blocks.flatMap(linesOf);
      const written = lines.reduce(
        (before, line, index) => joined(before, line, ends[index % ends.length]),
        "",
      );
      // A last CR may be half of a CRLF: what follows decides nothing but that, and a comment is nothing.
      expect(parsed(`${written}:\n`, cuts)).toEqual(expectedOf(blocks));
    }),
  );
});

test("one byte at a time is enough", () => {
  const written = "\ufeffid: 1\r\ndata: naïve ✓ 🎈\r\n\r\nid: 2\rdata: a\rdata: b\r\r";
  const bytes = encoder.encode(written);
  const parser = new SseParser();
  const items = [...bytes].flatMap((byte) => parser.push(Uint8Array.of(byte)));
  expect(items).toEqual([
    { kind: "event", id: "1", event: "message", data: "naïve ✓ 🎈" },
    { kind: "event", id: "2", event: "message", data: "a\nb" },
  ]);
});

describe("a block", () => {
  test("that is cut off is never delivered", () => {
    expect(parsed("id: 1\ndata: a\n\nid: 2\ndata: b\n")).toEqual([
      { kind: "event", id: "1", event: "message", data: "a" },
    ]);
  });

  test("with nothing but an id moves the position", () => {
    expect(parsed(": heartbeat\nid: 7\n\n: heartbeat\nid: 7\n\n")).toEqual([{ kind: "id", id: "7" }]);
  });

  test("without an id has the last one", () => {
    expect(parsed("id: 3\n\ndata: a\n\n")).toEqual([
      { kind: "id", id: "3" },
      { kind: "event", id: "3", event: "message", data: "a" },
    ]);
  });

  test("keeps all but the first space", () => {
    expect(parsed("data:  two\ndata:none\ndata\n\n")).toEqual([
      { kind: "event", id: "", event: "message", data: " two\nnone\n" },
    ]);
  });

  test("whose id holds a NUL keeps the last id", () => {
    expect(parsed("id: 1\n\nid: 2\0\ndata: a\n\n").at(-1)).toMatchObject({ id: "1" });
  });
});

test("a delay is told as soon as it is known, and is nothing but digits", () => {
  expect(parsed("retry: 500\nretry: 5s\nretry: -1\n\n")).toEqual([{ kind: "retry", ms: 500 }]);
});

test("a byte order mark is one at the beginning only", () => {
  expect(parsed("\ufeffdata: \ufeffa\n\n")).toEqual([
    { kind: "event", id: "", event: "message", data: "\ufeffa" },
  ]);
});

test("fields that nobody knows are ignored", () => {
  expect(parsed("dat: a\nDATA: b\ndata: c\n\n")).toMatchObject([{ data: "c" }]);
});

import { expect, test } from "vitest";
import { Refused, Unreachable } from "../../src/index.js";
import { MAX_FRUITLESS, Pauses } from "../../src/pauses.js";

const error = new TypeError("terminated");

function failures(pauses: Pauses, count: number): number[] {
  return Array.from({ length: count }, () => pauses.next(error, "x"));
}

test("failures are further and further apart, up to half a minute", () => {
  expect(failures(new Pauses(() => 1), 9)).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test("delays are spread", () => {
  expect(failures(new Pauses(() => 0.5), 2)).toEqual([250, 500]);
  const ended = new Pauses(() => 0);
  ended.alive();
  expect(ended.next(undefined, "x")).toBe(125);
});

test("a connection that brought anything begins the count anew", () => {
  const pauses = new Pauses(() => 1);
  failures(pauses, 5);
  pauses.alive();
  pauses.hint(100);
  expect(pauses.next(error, "x")).toBe(100);
  expect(pauses.next(error, "x")).toBe(200);
});

test("after too many failures it is given up, with the last one as the cause", () => {
  const pauses = new Pauses();
  failures(pauses, MAX_FRUITLESS - 1);
  expect(() => pauses.next(error, "x")).toThrowError(Unreachable);
});

test("the server's own delay is kept to", () => {
  const busy = new Refused(429, "QUOTA_EXCEEDED", "later", { retryAfterMs: 60_000 });
  expect(new Pauses(() => 1).next(busy, "x")).toBe(60_000);
});

import { expect, test } from "vitest";
import { executionTree, type FollowOptions, followExecution, orgFeed } from "../../src/index.js";
import {
  brokenStream,
  end,
  frame,
  json,
  ScriptedServer,
  silence,
  stream,
} from "../support/scriptedServer.js";
import { collected } from "../support/server.js";

const CLOSED_PAGE = {
  events: [{ sequence: 1, type: "WORKFLOW_COMPLETED", timestamp: "2026-01-01T00:00:00.000Z", data: {} }],
  nextAfter: 1,
  upToDate: true,
  closed: true,
};

async function sequences(server: ScriptedServer, options: FollowOptions = {}): Promise<number[]> {
  const events = await collected(followExecution(server.client(), "x", options));
  return events.map((event) => event.sequence);
}

test("a stream that ends before the execution is resumed behind its last event", async () => {
  const server = await ScriptedServer.of(stream(frame(1), frame(2)), brokenStream(frame(3)), stream(end(4)));
  expect(await sequences(server)).toEqual([1, 2, 3, 4]);
  expect(server.paths.map((path) => new URLSearchParams(path.split("?")[1]).get("after"))).toEqual([
    null,
    "2",
    "3",
  ]);
});

test("half an event is not an event", async () => {
  const server = await ScriptedServer.of(
    brokenStream(frame(1), frame(2).slice(0, -1)),
    stream(frame(2), end(3)),
  );
  expect(await sequences(server)).toEqual([1, 2, 3]);
});

test("an event that comes twice is delivered once", async () => {
  const server = await ScriptedServer.of(
    stream(frame(1), frame(2)),
    stream(frame(1), frame(2), frame(3), end(4)),
  );
  expect(await sequences(server)).toEqual([1, 2, 3, 4]);
});

test("nothing is delivered past a gap", async () => {
  const server = await ScriptedServer.of(stream(frame(1), frame(2), frame(4)));
  const got: number[] = [];
  const following = (async () => {
    for await (const event of followExecution(server.client(), "x")) got.push(event.sequence);
  })();
  await expect(following).rejects.toMatchObject({
    name: "SequenceGap",
    code: "SEQUENCE_GAP",
    executionId: "x",
    expected: 3,
    received: 4,
  });
  expect(got).toEqual([1, 2]);
});

test("what is no event is an error", async () => {
  const server = await ScriptedServer.of(stream("id: 1\ndata: {}\n\n"));
  await expect(sequences(server)).rejects.toMatchObject({ name: "MalformedEvent" });
});

test("204 ends it", async () => {
  const server = await ScriptedServer.of(stream(frame(1)), (response) => response.writeHead(204).end());
  expect(await sequences(server)).toEqual([1]);
  expect(server.requests).toHaveLength(2);
});

test("a bare id moves the position without an event", async () => {
  const server = await ScriptedServer.of(stream(frame(1), ": heartbeat\nid: 9\n\n"), stream(end(12)));
  expect(await sequences(server, { types: ["SIGNAL_RECEIVED"] })).toEqual([1]);
  expect(server.paths[1]).toContain("after=9");
});

test("the event that ends an execution is asked for under a filter, too", async () => {
  const server = await ScriptedServer.of(stream(frame(3), end(9)));
  expect(await sequences(server, { types: ["SIGNAL_RECEIVED"] })).toEqual([3]);
  expect(decodeURIComponent(server.paths[0] ?? "")).toContain(
    "types=SIGNAL_RECEIVED,WORKFLOW_COMPLETED,WORKFLOW_FAILED,WORKFLOW_CANCELLED",
  );
});

test.each([
  ["an unknown route", json(404, { error: "there is no such route", code: "ROUTE_NOT_FOUND" })],
  ["a proxy's refusal", json(403, { message: "Forbidden" })],
  ["a page of a proxy", (response: import("node:http").ServerResponse) => void response.end("<html>")],
])("%s in place of a stream makes it a long-poll", async (_what, answer) => {
  const server = await ScriptedServer.of(answer, json(200, CLOSED_PAGE));
  expect(await sequences(server)).toEqual([1]);
  expect(server.paths[1]).toMatch(/^workflow-executions\/x\/events\?wait=20&limit=1000$/);
});

test("a stream whose first byte does not come makes it a long-poll", async () => {
  const server = await ScriptedServer.of(silence, json(200, CLOSED_PAGE));
  expect(await sequences(server, { firstByteMs: 1_000 })).toEqual([1]);
});

test("streams that fail again and again make it a long-poll", async () => {
  const fails = json(502, { message: "Bad Gateway" });
  const server = await ScriptedServer.of(fails, fails, fails, json(200, CLOSED_PAGE));
  expect(await sequences(server)).toEqual([1]);
});

test("a stream that falls silent is taken up again", async () => {
  const halfway = (response: import("node:http").ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`retry: 0\n\n${frame(1)}`);
  };
  const server = await ScriptedServer.of(halfway, stream(end(2)));
  expect(await sequences(server, { silenceMs: 50 })).toEqual([1, 2]);
});

test("a server that never answers with anything is given up", async () => {
  const server = await ScriptedServer.of((response) => response.destroy());
  const following = sequences(server, { maxFruitless: 3 });
  await expect(following).rejects.toMatchObject({ name: "Unreachable", code: "UNREACHABLE" });
  expect(server.requests).toHaveLength(3);
});

test("connections that are cut while nothing happens are no reason to give up, or to poll", async () => {
  const cut = Array.from({ length: 20 }, () => brokenStream());
  const server = await ScriptedServer.of(...cut, stream(end(1)));
  expect(await sequences(server)).toEqual([1]);
  expect(server.requests).toHaveLength(21);
});

test("a refusal that waiting cannot change is final, with what the server says", async () => {
  const details = [{ pointer: "/after", message: "beyond the end" }];
  const server = await ScriptedServer.of(json(400, { error: "no", code: "POSITION_BEYOND_TAIL", details }));
  await expect(sequences(server, { after: 9 })).rejects.toMatchObject({
    name: "Refused",
    status: 400,
    code: "POSITION_BEYOND_TAIL",
    message: "no",
    details,
  });
});

test("a refusal for now is waited for as long as the server says", async () => {
  const busy = json(429, { error: "later", code: "QUOTA_EXCEEDED" }, { "retry-after": "1" });
  const server = await ScriptedServer.of(busy, stream(end(1)));
  const begun = performance.now();
  expect(await sequences(server)).toEqual([1]);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(990);
});

test("a usage plan that is used up is not waited for", async () => {
  const usedUp = json(429, { error: "no", code: "USAGE_LIMIT_REACHED" }, { "retry-after": "300" });
  const server = await ScriptedServer.of(usedUp);
  await expect(sequences(server)).rejects.toMatchObject({ status: 429, code: "USAGE_LIMIT_REACHED" });
});

test("a ticket that has ended is replaced", async () => {
  const tickets = ["old", "new"];
  const stale = json(401, { error: "expired", code: "TICKET_EXPIRED" });
  const server = await ScriptedServer.of(stale, stream(frame(1)), stream(end(2)));
  const ticket = () => ({ ticket: tickets.shift() ?? "none left" });
  expect(await sequences(server, { ticket })).toEqual([1, 2]);
  expect(server.paths.map((path) => /ticket=(\w+)/.exec(path)?.[1])).toEqual(["old", "new", "new"]);
});

test("in a tree, every log has its own order", async () => {
  const tree = [
    frame(1),
    frame(1, "signal.received", {}, "y"),
    frame(2, "signal.received", {}, "y"),
    frame(2),
  ];
  const server = await ScriptedServer.of(stream(...tree), stream(frame(2), frame(3)), (response) =>
    response.writeHead(204).end(),
  );
  const events = await collected(server.client().follow(executionTree("x")));
  expect(events.map((event) => `${event.executionId}${event.sequence}`)).toEqual([
    "x1",
    "y1",
    "y2",
    "x2",
    "x3",
  ]);
});

test("a gap in one log of a tree is found", async () => {
  const server = await ScriptedServer.of(stream(frame(1), frame(2, "signal.received", {}, "y")));
  await expect(collected(server.client().follow(executionTree("x")))).rejects.toMatchObject({
    executionId: "y",
    expected: 1,
  });
});

test("the feed leaves things out, and repeats nothing", async () => {
  const server = await ScriptedServer.of(stream(frame(1), frame(5)), stream(frame(5), frame(7)), (response) =>
    response.writeHead(204).end(),
  );
  const events = await collected(server.client().follow(orgFeed()));
  expect(events.map((event) => event.sequence)).toEqual([1, 5, 7]);
});

test("a feed from now on is taken up where that was, if it was cut off before its first event", async () => {
  const server = await ScriptedServer.of(
    brokenStream(": from here\nid: 5\n\n"),
    stream(frame(6)),
    (response) => response.writeHead(204).end(),
  );
  const events = await collected(server.client().follow(orgFeed(), { after: "now" }));
  expect(events.map((event) => event.position)).toEqual(["6"]);
  expect(server.paths.map((path) => /after=(\w+)/.exec(path)?.[1])).toEqual(["now", "5", "6"]);
});

test("now is not for an EventSource, which would not tell where it was", async () => {
  const server = await ScriptedServer.of(silence);
  const following = collected(server.client().follow(orgFeed(), { after: "now", transport: "eventsource" }));
  await expect(following).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(server.requests).toHaveLength(0);
});

import { expect, test } from "vitest";
import {
  execution,
  type FollowedEvent,
  initialState,
  reduceExecution,
  type SseItem,
  SseParser,
  stateEvent,
} from "../../src/index.js";
import { clientOf, collected, ended, started } from "../support/server.js";

/** An execution that had something of every family happen to it. */
async function medley(): Promise<{ id: string; events: FollowedEvent[] }> {
  const id = await started("medley");
  for await (const event of clientOf().follow(execution(id))) {
    if (event.type === "WORKFLOW_SUSPENDED" && event.data.suspendType === "SIGNAL") {
      await clientOf().signal(id, "go", "on");
    }
  }
  return { id, events: await ended(id) };
}

async function stateFrames(id: string): Promise<SseItem[]> {
  const response = await clientOf().connection.send(`workflow-executions/${id}/stream`, {
    query: { format: "state" },
  });
  const parser = new SseParser();
  const items = parser.push(new Uint8Array(await response.arrayBuffer()));
  return items.filter((item) => item.kind === "event");
}

test("the state view of every event is the server's own", async () => {
  const { id, events } = await medley();
  const families = new Set(events.map((event) => event.type.split("_")[0]));
  const expected = [
    "WORKFLOW",
    "STATE",
    "OPERATION",
    "TIMER",
    "TASK",
    "STREAM",
    "CHILD",
    "PROMISE",
    "SIGNAL",
  ];
  expect([...families].sort()).toEqual(expected.sort());
  const ours = events.map((event) => {
    const { name, data } = stateEvent(event);
    return { kind: "event", id: event.position, event: name, data: comparable(name, data) };
  });
  const theirs = (await stateFrames(id)).map((item) =>
    item.kind === "event" ? { ...item, data: comparable(item.event, item.data) } : item,
  );
  expect(ours).toEqual(theirs);
});

/** JSON as a value, since only that is promised; a token as its text, whose lines SSE joins with LF. */
function comparable(name: string, data: string): unknown {
  return name === "token" ? data.replace(/\r\n|\r/g, "\n") : JSON.parse(data);
}

test("an execution folded from its events is as the server says", async () => {
  const { id, events } = await medley();
  const folded = events.reduce(reduceExecution, initialState);
  const answered = await clientOf().get(id);
  expect(folded).toMatchObject({
    id,
    kind: "medley",
    status: answered.status,
    output: answered.output,
    sequence: answered.currentSequence,
    isClosed: true,
    values: { step: { name: "done" } },
  });
  const [task] = Object.values(folded.tasks).filter(({ kind }) => kind === "stumble");
  expect(task).toMatchObject({
    status: "COMPLETED",
    attempt: 2,
    text: "attempt 2,\r\nand more ✓\nof it",
    progress: 0.5,
  });
  expect(task?.attempts[1]).toMatchObject({ text: "attempt 1", shown: [{ message: "lost the thread" }] });
  expect(Object.values(folded.children)).toMatchObject([
    { kind: "child", status: "COMPLETED", output: "w1 " },
  ]);
});

test("a failure is folded with its error", async () => {
  const events = await collected(clientOf().follow(execution(await started("failing"))));
  expect(events.reduce(reduceExecution, initialState)).toMatchObject({
    status: "FAILED",
    isClosed: true,
    error: { message: expect.stringContaining("broken") },
    failureType: "ERROR",
  });
});

import { expect, test } from "vitest";
import { type EventType, type FlowstrandEvent, initialState, reduceExecution } from "../../src/index.js";

const FAILURE = { type: "ValueError", message: "no" };

function state(...facts: [EventType, object][]) {
  const events = facts.map(([type, data], index) => ({ sequence: index + 1, type, timestamp: "", data }));
  return (events as FlowstrandEvent[]).reduce(reduceExecution, initialState);
}

const begun: [EventType, object] = [
  "WORKFLOW_STARTED",
  { workflowExecutionId: "x", kind: "k", status: "PENDING", input: 1 },
];
const task = (status: string) => ({ taskExecutionId: "t", kind: "k", status, maxRetries: 3 });
const emitted = (attempt: number, payload: unknown) => ({ taskExecutionId: "t", attempt, payload });

test("tokens are joined attempt by attempt, and the newest attempt's are the task's", () => {
  const { tasks } = state(
    begun,
    ["TASK_CREATED", task("PENDING")],
    ["TASK_STARTED", { ...task("RUNNING"), attempt: 1 }],
    ["STREAM_TOKEN", emitted(1, "half ")],
    ["STREAM_PROGRESS", emitted(1, 0.5)],
    ["STREAM_ERROR", emitted(1, { message: "lost" })],
    ["TASK_FAILED", { ...task("PENDING"), attempt: 1, error: FAILURE, retryAt: "later" }],
    ["TASK_STARTED", { ...task("RUNNING"), attempt: 2 }],
    ["STREAM_TOKEN", emitted(2, "all ")],
    ["STREAM_TOKEN", emitted(2, "of it")],
    ["STREAM_DATA", emitted(2, [1])],
    ["TASK_COMPLETED", { ...task("COMPLETED"), attempt: 2, output: "done" }],
  );
  expect(tasks["t"]).toEqual({
    id: "t",
    kind: "k",
    status: "COMPLETED",
    maxRetries: 3,
    attempt: 2,
    text: "all of it",
    input: undefined,
    output: "done",
    attempts: {
      1: { attempt: 1, text: "half ", progress: 0.5, data: [], shown: [{ message: "lost" }], error: FAILURE },
      2: { attempt: 2, text: "all of it", data: [[1]], shown: [] },
    },
  });
});

test("between two attempts, the task has the first one's error, text and the time of the next", () => {
  const { tasks } = state(
    ["TASK_STARTED", { ...task("RUNNING"), attempt: 1 }],
    ["STREAM_TOKEN", emitted(1, "half ")],
    ["TASK_FAILED", { ...task("PENDING"), attempt: 1, error: FAILURE, retryAt: "later" }],
  );
  expect(tasks["t"]).toMatchObject({ status: "PENDING", error: FAILURE, retryAt: "later", text: "half " });
});

test("an execution says what it waits for while it does", () => {
  const waiting = state(begun, ["WORKFLOW_SUSPENDED", { status: "WAITING", suspendType: "TIMER" }]);
  expect(waiting).toMatchObject({
    id: "x",
    status: "WAITING",
    suspendType: "TIMER",
    isClosed: false,
    sequence: 2,
  });
  const resumed = reduceExecution(waiting, {
    sequence: 3,
    type: "WORKFLOW_RESUMED",
    timestamp: "",
    data: { workflowExecutionId: "x", kind: "k", status: "RUNNING" },
  });
  expect(resumed.suspendType).toBeUndefined();
});

test.each<[EventType, object, object]>([
  [
    "WORKFLOW_COMPLETED",
    { status: "COMPLETED", output: 2, continuedAs: "y" },
    { output: 2, continuedAs: "y" },
  ],
  ["WORKFLOW_FAILED", { status: "FAILED", error: FAILURE, failureType: "ERROR" }, { error: FAILURE }],
  ["WORKFLOW_CANCELLED", { status: "CANCELLED" }, { status: "CANCELLED" }],
])("%s closes it", (type, data, expected) => {
  expect(state(begun, [type, data])).toMatchObject({ isClosed: true, ...expected });
});

test("values are set and cleared", () => {
  const { values } = state(
    begun,
    ["STATE_SET", { key: "a", value: 1 }],
    ["STATE_SET", { key: "b", value: 2 }],
    ["STATE_CLEARED", { key: "a" }],
  );
  expect(values).toEqual({ b: 2 });
});

test("children are shown with how they ended", () => {
  const child = (id: string, status: string) => ({ childWorkflowId: id, name: id, kind: "k", status });
  const { children } = state(
    begun,
    ["CHILD_WORKFLOW_INITIATED", child("a", "PENDING")],
    ["CHILD_WORKFLOW_INITIATED", child("b", "PENDING")],
    ["CHILD_WORKFLOW_STARTED", child("a", "RUNNING")],
    ["CHILD_WORKFLOW_COMPLETED", { ...child("a", "COMPLETED"), output: 1 }],
    ["CHILD_WORKFLOW_FAILED", { ...child("b", "FAILED"), error: FAILURE }],
  );
  expect(children).toMatchObject({
    a: { status: "COMPLETED", output: 1 },
    b: { status: "FAILED", error: FAILURE },
  });
});

test("a cancellation that was asked for shows", () => {
  expect(state(begun, ["CANCELLATION_REQUESTED", {}]).isCancelRequested).toBe(true);
});

test("what was given is not changed, and what did not change is the same", () => {
  const before = state(begun, ["TASK_CREATED", task("PENDING")]);
  const copy = structuredClone(before);
  const after = reduceExecution(before, {
    sequence: 3,
    type: "STREAM_TOKEN",
    timestamp: "",
    data: { taskExecutionId: "t", attempt: 1, payload: "a" },
  });
  expect(before).toEqual(copy);
  expect(after.children).toBe(before.children);
});

/** The state view: an event as `format=state` shows it, for front ends that key on that. */

import type { EventType, FlowstrandEvent } from "./event.js";

/** The SSE event name and its data, as text. */
export interface StateEvent {
  readonly name: "token" | "progress" | "data" | "error";
  readonly data: string;
}

type Fields = Readonly<Record<string, string>>;

const WORKFLOW: Fields = {
  workflowExecutionId: "id",
  kind: "kind",
  status: "status",
  workerId: "workerId",
  error: "error",
  parentWorkflowExecutionId: "parentWorkflowExecutionId",
  suspendType: "suspendType",
};
const TASK: Fields = {
  taskExecutionId: "id",
  kind: "kind",
  status: "status",
  executionCount: "executionCount",
  maxRetries: "maxRetries",
  workerId: "workerId",
  error: "error",
};
const FIELDS: readonly (readonly [string, Fields])[] = [
  ["WORKFLOW_", WORKFLOW],
  ["TASK_", TASK],
  ["PROMISE_", { promiseId: "promiseId", value: "result", error: "error" }],
  ["CHILD_", { childWorkflowId: "childWorkflowId", kind: "kind", status: "status", error: "error" }],
  ["OPERATION_", { operationId: "operationId", result: "result" }],
  ["STATE_", { key: "key", value: "value" }],
];
const EMITTED: Partial<Record<EventType, StateEvent["name"]>> = {
  STREAM_TOKEN: "token",
  STREAM_PROGRESS: "progress",
  STREAM_DATA: "data",
  STREAM_ERROR: "error",
};

/** A token is its text, progress its number, everything else JSON. */
export function stateEvent(event: FlowstrandEvent): StateEvent {
  const name = EMITTED[event.type];
  if (name === undefined) return { name: "data", data: JSON.stringify(stateChange(event)) };
  const payload = "payload" in event.data ? event.data.payload : undefined;
  const isRaw = name === "token" && typeof payload === "string";
  return { name, data: isRaw ? payload : JSON.stringify(payload) };
}

/** The body of a state change: a snapshot of what the event is about. */
export function stateChange(event: FlowstrandEvent): Readonly<Record<string, unknown>> {
  return {
    type: "Event",
    event: event.type,
    data: snapshot(event),
    timestampMs: Date.parse(event.timestamp),
  };
}

function snapshot(event: FlowstrandEvent): Readonly<Record<string, unknown>> {
  if (event.type.startsWith("TIMER_") && "fireAt" in event.data) {
    return { timerId: event.data.timerId, fireAtMs: Date.parse(event.data.fireAt) };
  }
  const shown = FIELDS.find(([prefix]) => event.type.startsWith(prefix))?.[1];
  const data: Readonly<Record<string, unknown>> = event.data;
  if (shown === undefined) return data;
  const kept = Object.entries(shown).filter(([key]) => key in data);
  return Object.fromEntries(kept.map(([key, name]) => [name, data[key]]));
}

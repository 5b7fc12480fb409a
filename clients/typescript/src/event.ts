/** Events as clients see them: what the log has, typed by the API's own description. */

import type { components } from "./generated/api.js";
import { EVENT_TYPES } from "./generated/eventTypes.js";

export { EVENT_TYPES };

/** One fact of one execution: `{sequence, type, timestamp, data}`, where `type` tells what `data` holds. */
export type FlowstrandEvent = components["schemas"]["Event"];

/** The name of a fact, `TASK_FAILED`. */
export type EventType = (typeof EVENT_TYPES)[number];

/** The event of one type. */
export type EventOf<Type extends EventType> = Extract<FlowstrandEvent, { type: Type }>;

/** `{type, message, stack?}`: an exception as data. */
export type ErrorInfo = components["schemas"]["ErrorInfo"];

/**
 * An event as it is followed. `position` is where to go on from behind it: opaque, and an event's sequence only
 * where one log is followed. `executionId` is whose log it is in.
 */
export type FollowedEvent = FlowstrandEvent & { readonly position: string; readonly executionId: string };

/** How the log of an execution ends. */
export const TERMINAL_TYPES = [
  "WORKFLOW_COMPLETED",
  "WORKFLOW_FAILED",
  "WORKFLOW_CANCELLED",
] as const satisfies EventType[];

/** How the log of a standalone task ends; behind a `TASK_FAILED` there may be another attempt. */
export const TASK_TERMINAL_TYPES = [
  "TASK_COMPLETED",
  "TASK_FAILED",
  "TASK_CANCELLED",
] as const satisfies EventType[];

/** Whether an execution's log ends with this event. */
export function endsExecution(event: FlowstrandEvent): boolean {
  return (TERMINAL_TYPES as readonly string[]).includes(event.type);
}

/** Whether a standalone task's log ends with this event. */
export function endsTask(event: FlowstrandEvent): boolean {
  return event.type === "TASK_FAILED"
    ? event.data.status !== "PENDING"
    : event.type === "TASK_COMPLETED" || event.type === "TASK_CANCELLED";
}

/** `format=cloudevents` to events: the log's own data, in an envelope of CloudEvents 1.0. */

import { MalformedEvent } from "./errors.js";
import type { FlowstrandEvent, FollowedEvent } from "./event.js";

const PREFIXES: Readonly<Record<string, string>> = { child: "CHILD_WORKFLOW_", control: "" };

/** `task.failed` is `TASK_FAILED`. Types that this version does not know are named by the same rule. */
export function typeOf(publicName: string): string {
  const dot = publicName.indexOf(".");
  const family = publicName.slice(0, dot);
  const prefix = PREFIXES[family] ?? `${family.toUpperCase()}_`;
  return prefix + publicName.slice(dot + 1).toUpperCase();
}

/**
 * The event in the frame at this position.
 *
 * @throws {MalformedEvent} it holds none.
 */
export function eventOf(position: string, text: string): FollowedEvent {
  const envelope = parsed(position, text);
  const { type, sequence, time, source, data } = envelope;
  if (typeof type !== "string" || typeof sequence !== "number" || typeof source !== "string") {
    throw new MalformedEvent(`what is at ${position} is not a CloudEvent of this API`);
  }
  const executionId = decodeURIComponent(source.slice(source.lastIndexOf("/") + 1));
  const event = { sequence, type: typeOf(type), timestamp: time, data } as FlowstrandEvent;
  return { ...event, position, executionId };
}

function parsed(position: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new MalformedEvent(`what is at ${position} is not JSON`, { cause: error });
  }
  throw new MalformedEvent(`what is at ${position} is not a JSON object`);
}

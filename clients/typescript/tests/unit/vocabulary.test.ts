import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { typeOf } from "../../src/cloudEvent.js";
import { EVENT_TYPES } from "../../src/index.js";

const DESCRIPTION = new URL("../../../../docs/openapi.json", import.meta.url);

test("the types of events are those of the API's description", () => {
  const { components } = JSON.parse(readFileSync(DESCRIPTION, "utf8"));
  expect([...EVENT_TYPES].sort()).toEqual(Object.keys(components.schemas.Event.discriminator.mapping).sort());
});

test.each([
  ["task.failed", "TASK_FAILED"],
  ["child.completed", "CHILD_WORKFLOW_COMPLETED"],
  ["child.cancellation_requested", "CHILD_WORKFLOW_CANCELLATION_REQUESTED"],
  ["control.cancellation_requested", "CANCELLATION_REQUESTED"],
  ["promise.timed_out", "PROMISE_TIMED_OUT"],
  ["stream.token", "STREAM_TOKEN"],
])("%s is %s", (publicName, type) => {
  expect(typeOf(publicName)).toBe(type);
  expect(EVENT_TYPES).toContain(type);
});

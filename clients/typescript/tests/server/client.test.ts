import { expect, test } from "vitest";
import { clientOf, ended, started } from "../support/server.js";

test("an execution is started once under a key", async () => {
  const key = `key-${performance.now()}`;
  const first = await clientOf().start("gated", null, { idempotencyKey: key });
  const second = await clientOf().start("gated", null, { idempotencyKey: key });
  expect(second.workflowExecutionId).toBe(first.workflowExecutionId);
  expect([first.idempotencyKeyNew, second.idempotencyKeyNew]).toEqual([true, false]);
});

test("a signal gets the sequence of its event, and is one signal under one request id", async () => {
  const id = await started("gated");
  const sequence = await clientOf().signal(id, "go", "now", "request-1");
  expect(await clientOf().signal(id, "go", "now", "request-1")).toBe(sequence);
  const events = await ended(id);
  expect(events[sequence - 1]).toMatchObject({ type: "SIGNAL_RECEIVED", data: { name: "go", value: "now" } });
  expect(await clientOf().get(id)).toMatchObject({ status: "COMPLETED", output: "now" });
});

test("a cancelled execution ends", async () => {
  const id = await started("gated");
  await clientOf().cancel(id, { reason: "enough" });
  expect((await ended(id)).at(-1)?.type).toBe("WORKFLOW_CANCELLED");
});

test("a page of history goes on where the last one ended", async () => {
  const id = await started("caught");
  await ended(id);
  const first = await clientOf().history(id, { limit: 3 });
  const rest = await clientOf().history(id, { after: first.nextAfter });
  expect([...first.events, ...rest.events].map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect([first.upToDate, rest.upToDate]).toEqual([false, true]);
});

test("a refusal says what was wrong where", async () => {
  const asked = clientOf().start("", null);
  await expect(asked).rejects.toMatchObject({
    name: "Refused",
    status: 400,
    details: [expect.objectContaining({ pointer: "/kind" })],
  });
});

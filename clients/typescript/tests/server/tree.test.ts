import { expect, inject, test } from "vitest";
import { executionTree, type FollowedEvent } from "../../src/index.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { clientOf, collected, ended, started } from "../support/server.js";

function indexOf(events: readonly FollowedEvent[], executionId: string, type: string): number {
  return events.findIndex((event) => event.executionId === executionId && event.type === type);
}

test("an execution and its children, cut off again and again, are followed each in its order", async () => {
  const id = await started("family", 3);
  let connections = 0;
  const proxy = await CuttingProxy.before(inject("serverUrl"), () => 3_000 + 1_009 * connections++);
  const events = await collected(clientOf({ url: proxy.url }).follow(executionTree(id)));
  expect(proxy.cuts).toBeGreaterThan(1);
  const logs = new Map<string, FollowedEvent[]>();
  for (const event of events) logs.set(event.executionId, [...(logs.get(event.executionId) ?? []), event]);
  expect(logs.size).toBe(4);
  for (const [executionId, log] of logs) {
    const alone = (await ended(executionId)).map(({ sequence, type }) => ({ sequence, type }));
    expect(log.map(({ sequence, type }) => ({ sequence, type }))).toEqual(alone);
  }
  for (const event of events) {
    if (event.type !== "CHILD_WORKFLOW_COMPLETED") continue;
    const childsEnd = indexOf(events, event.data.childWorkflowId, "WORKFLOW_COMPLETED");
    expect(childsEnd).toBeGreaterThanOrEqual(0);
    expect(childsEnd).toBeLessThan(events.indexOf(event));
  }
});

test("a tree is taken up where it was left, by a position that only the server can read", async () => {
  const id = await started("family", 2);
  const before: FollowedEvent[] = [];
  for await (const event of clientOf().follow(executionTree(id))) {
    before.push(event);
    if (event.type === "CHILD_WORKFLOW_STARTED") break;
  }
  const behind = await collected(
    clientOf().follow(executionTree(id), { after: before.at(-1)?.position ?? "" }),
  );
  const whole = await collected(clientOf().follow(executionTree(id)));
  const named = (events: readonly FollowedEvent[]) =>
    events.map((event) => `${event.executionId} ${event.sequence}`);
  expect(named([...before, ...behind]).sort()).toEqual(named(whole).sort());
});

import { expect, inject, test } from "vitest";
import { execution, followExecution, Refused, standaloneTask } from "../../src/index.js";
import { bufferingProxy } from "../support/bufferingProxy.js";
import { CuttingProxy } from "../support/cuttingProxy.js";
import { clientOf, collected, ended, started } from "../support/server.js";

test("a failing task that is caught is followed as it happened", async () => {
  const events = await collected(followExecution(clientOf(), await started("caught")));
  expect(events.map((event) => event.type)).toEqual([
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
  ]);
  expect(events.map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a stream and a long-poll say the same", async () => {
  const id = await started("talk", { words: 20 });
  const streamed = await collected(clientOf().follow(execution(id), { transport: "sse" }));
  expect(streamed).toEqual(await ended(id));
  expect(streamed.at(-1)).toMatchObject({ type: "WORKFLOW_COMPLETED", executionId: id });
});

test("connections that are cut in the middle lose and repeat nothing", async () => {
  const id = await started("talk", { words: 200 });
  let connections = 0;
  const proxy = await CuttingProxy.before(inject("serverUrl"), () => 2_000 + 7_919 * connections++);
  const events = await collected(followExecution(clientOf({ url: proxy.url }), id, { transport: "sse" }));
  expect(events).toEqual(await ended(id));
  expect(proxy.cuts).toBeGreaterThan(2);
});

test("behind a proxy that holds streams back, events come by long-poll while the execution is open", async () => {
  const id = await started("gated");
  const client = clientOf({ url: await bufferingProxy(inject("serverUrl")) });
  const changes: string[] = [];
  const types: string[] = [];
  const options = {
    firstByteMs: 300,
    onTransport: ({ transport }: { transport: string }) => changes.push(transport),
  };
  for await (const event of followExecution(client, id, options)) {
    types.push(event.type);
    if (event.type === "WORKFLOW_SUSPENDED") await client.signal(id, "go", "now");
  }
  expect(types).toEqual([
    "WORKFLOW_STARTED",
    "WORKFLOW_SUSPENDED",
    "SIGNAL_RECEIVED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
  ]);
  expect(changes).toEqual(["poll"]);
});

test.each(["sse", "poll"] as const)("only the types that were asked for come over %s", async (transport) => {
  const id = await started("caught");
  await ended(id);
  const events = await collected(clientOf().follow(execution(id), { transport, types: ["TASK_FAILED"] }));
  expect(events.map((event) => event.type)).toEqual(["TASK_FAILED"]);
});

test.each(["sse", "poll"] as const)("behind the last event, %s ends at once", async (transport) => {
  const id = await started("caught");
  const last = (await ended(id)).at(-1);
  const rest = clientOf().follow(execution(id), { transport, after: last?.position ?? "" });
  expect(await collected(rest)).toEqual([]);
});

test("a follower that stops can go on where it was", async () => {
  const id = await started("talk", { words: 30 });
  const before: string[] = [];
  for await (const event of followExecution(clientOf(), id)) {
    before.push(event.position);
    if (event.type === "STREAM_TOKEN") break;
  }
  const behind = await collected(followExecution(clientOf(), id, { after: before.at(-1) ?? "" }));
  const all = (await ended(id)).map((event) => event.position);
  expect([...before, ...behind.map((event) => event.position)]).toEqual(all);
});

test("aborting ends the iteration with the signal's reason", async () => {
  const id = await started("gated");
  const controller = new AbortController();
  const reason = new Error("the user has left");
  const following = (async () => {
    for await (const event of followExecution(clientOf(), id, { signal: controller.signal })) {
      if (event.type === "WORKFLOW_SUSPENDED") controller.abort(reason);
    }
  })();
  await expect(following).rejects.toBe(reason);
  await clientOf().cancel(id, { force: true });
});

test("a standalone task is followed to its end", async () => {
  const answer = await clientOf().connection.json<{ taskExecutionId: string }>("task-executions", {
    method: "POST",
    json: { kind: "stumble" },
  });
  const events = await collected(clientOf().follow(standaloneTask(answer.taskExecutionId)));
  expect(events.filter((event) => !event.type.startsWith("STREAM")).map((event) => event.type)).toEqual([
    "TASK_CREATED",
    "TASK_STARTED",
    "TASK_FAILED",
    "TASK_STARTED",
    "TASK_COMPLETED",
  ]);
});

test("an execution that does not exist is refused, and not asked for again", async () => {
  const id = `${(await started("caught")).slice(0, -4)}0000`;
  const following = collected(followExecution(clientOf(), id));
  await expect(following).rejects.toMatchObject({
    name: "Refused",
    status: 404,
    code: "EXECUTION_NOT_FOUND",
  });
});

test("a position beyond the end is refused", async () => {
  const following = collected(followExecution(clientOf(), await started("gated"), { after: 99 }));
  await expect(following).rejects.toMatchObject({ status: 400, code: "POSITION_BEYOND_TAIL" });
});

test("a token that is refused is asked for anew", async () => {
  const asked: boolean[] = [];
  const token = ({ refused }: { refused: boolean }) => {
    asked.push(refused);
    return refused ? inject("apiKey") : "of yesterday";
  };
  const events = await collected(followExecution(clientOf({ token }), await started("caught")));
  expect(events).toHaveLength(7);
  expect(asked).toEqual([false, true]);
});

test("a wrong credential is refused", async () => {
  const following = collected(followExecution(clientOf({ token: "wrong" }), await started("caught")));
  await expect(following).rejects.toBeInstanceOf(Refused);
});

import "../support/dom.js";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { createElement, type PropsWithChildren, StrictMode } from "react";
import { afterEach, expect, test } from "vitest";
import type { Flowstrand } from "../../src/index.js";
import {
  FlowstrandProvider,
  useExecution,
  useExecutionEvents,
  useFlowstrand,
} from "../../src/react/index.js";
import { clientOf, ended, started } from "../support/server.js";

const PATIENCE = { timeout: 20_000 };

afterEach(cleanup);

function within(client: Flowstrand) {
  return ({ children }: PropsWithChildren) =>
    createElement(StrictMode, null, createElement(FlowstrandProvider, { client }, children));
}

test("useExecution shows an execution from its start to its end", async () => {
  const id = await started("gated");
  const { result } = renderHook(() => useExecution(id), { wrapper: within(clientOf()) });
  await waitFor(() => expect(result.current.execution.suspendType).toBe("SIGNAL"), PATIENCE);
  expect(result.current.phase).toBe("following");
  await act(() => clientOf().signal(id, "go", "now"));
  await waitFor(() => expect(result.current.phase).toBe("ended"), PATIENCE);
  expect(result.current.execution).toMatchObject({ id, status: "COMPLETED", output: "now" });
});

test("useExecution shows what tasks say", async () => {
  const id = await started("talk", { words: 50 });
  const { result } = renderHook(() => useExecution(id), { wrapper: within(clientOf()) });
  await waitFor(() => expect(result.current.phase).toBe("ended"), PATIENCE);
  const [task] = Object.values(result.current.execution.tasks);
  expect(task?.text).toBe(result.current.execution.output);
});

test("useExecutionEvents has every event once, under StrictMode, too", async () => {
  const id = await started("talk", { words: 50 });
  const { result } = renderHook(() => useExecutionEvents(id), { wrapper: within(clientOf()) });
  await waitFor(() => expect(result.current.phase).toBe("ended"), PATIENCE);
  expect(result.current.events).toEqual(await ended(id));
});

test("another id begins anew", async () => {
  const [first, second] = [await started("caught"), await started("gated")];
  const { result, rerender } = renderHook(({ id }) => useExecution(id), {
    wrapper: within(clientOf()),
    initialProps: { id: first },
  });
  await waitFor(() => expect(result.current.phase).toBe("ended"), PATIENCE);
  rerender({ id: second });
  await waitFor(() => expect(result.current.execution.id).toBe(second), PATIENCE);
  expect(result.current.execution.tasks).toEqual({});
  expect(result.current.phase).toBe("following");
});

test("without an id, nothing is followed", () => {
  const { result } = renderHook(() => useExecution(undefined), { wrapper: within(clientOf()) });
  expect(result.current).toMatchObject({ phase: "following", execution: { sequence: 0 } });
});

test("a failure is shown, with what was wrong", async () => {
  const id = await started("gated");
  const { result } = renderHook(() => useExecution(id), { wrapper: within(clientOf({ token: "wrong" })) });
  await waitFor(() => expect(result.current.phase).toBe("failed"), PATIENCE);
  expect(result.current.failure).toMatchObject({ status: 401 });
});

test("a component that has gone stops following", async () => {
  const id = await started("gated");
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const watched: typeof fetch = (input, init) => {
    init?.signal?.addEventListener("abort", stop);
    return fetch(input, init);
  };
  const wrapper = within(clientOf({ fetch: watched }));
  const { result, unmount } = renderHook(() => useExecution(id), { wrapper });
  await waitFor(() => expect(result.current.execution.sequence).toBeGreaterThan(0), PATIENCE);
  unmount();
  await stopped;
});

test("a hook without a provider says so", () => {
  expect(() => renderHook(() => useFlowstrand())).toThrowError("FlowstrandProvider");
});

/** A fold over what is followed, as the state of a component. */

import { useEffect, useState } from "react";
import type { FollowedEvent } from "../event.js";
import type { FollowOptions } from "../follow.js";
import { execution } from "../source.js";
import { useFlowstrand } from "./provider.js";

/** How it goes: `failed` is for good, and comes with the error. */
export type Following =
  | { readonly phase: "following" | "ended"; readonly failure?: undefined }
  | { readonly phase: "failed"; readonly failure: unknown };

/** What may be chosen about the following; read when it begins. */
export type FollowHookOptions = Omit<FollowOptions, "signal" | "after" | "types">;

/** What a component has of it: the fold, and how it goes. */
export type Followed<State> = Following & { readonly state: State };

/** At most this often does what arrives make a component render, in milliseconds: tokens come faster than screens. */
const RENDER_MS = 16;

/**
 * Follow an execution from its start while the component is there; undefined follows nothing yet. `reduce` and
 * `initial` have to be the same at every render.
 */
export function useFollowed<State>(
  id: string | undefined,
  reduce: (state: State, events: readonly FollowedEvent[]) => State,
  initial: State,
  options: FollowHookOptions = {},
): Followed<State> {
  const client = useFlowstrand();
  const [shown, setShown] = useState<Followed<State>>({ phase: "following", state: initial });

  // biome-ignore lint/correctness/useExhaustiveDependencies: options are read when following begins
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let state = initial;
    let arrived: FollowedEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (following: Following) => {
      clearTimeout(timer);
      timer = undefined;
      state = reduce(state, arrived);
      arrived = [];
      if (!signal.aborted) setShown({ ...following, state });
    };
    const run = async (executionId: string) => {
      try {
        for await (const event of client.follow(execution(executionId), { ...options, signal })) {
          arrived.push(event);
          timer ??= setTimeout(() => show({ phase: "following" }), RENDER_MS);
        }
        show({ phase: "ended" });
      } catch (failure) {
        show({ phase: "failed", failure });
      }
    };
    show({ phase: "following" });
    if (id !== undefined) void run(id);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [client, id, reduce, initial]);

  return shown;
}

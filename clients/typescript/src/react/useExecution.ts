/** `useExecution`: an execution as it is now, live. */

import type { FollowedEvent } from "../event.js";
import { type ExecutionState, initialState, reduceExecution } from "../view/execution.js";
import { type Followed, type FollowHookOptions, useFollowed } from "./useFollowed.js";

/** The execution, and how following it goes. */
export type FollowedExecution = Omit<Followed<ExecutionState>, "state"> & {
  readonly execution: ExecutionState;
};

/** Status, output, tasks with the text of each attempt, children and values, folded from the execution's events. */
export function useExecution(id: string | undefined, options?: FollowHookOptions): FollowedExecution {
  const { state, ...following } = useFollowed(id, folded, initialState, options);
  return { ...following, execution: state };
}

function folded(state: ExecutionState, events: readonly FollowedEvent[]): ExecutionState {
  return events.reduce(reduceExecution, state);
}

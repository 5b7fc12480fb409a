/** `useExecutionEvents`: an execution's events, live. */

import type { FollowedEvent } from "../event.js";
import { type Followed, type FollowHookOptions, useFollowed } from "./useFollowed.js";

/** The events up to now, and how following them goes. */
export type FollowedEvents = Omit<Followed<readonly FollowedEvent[]>, "state"> & {
  readonly events: readonly FollowedEvent[];
};

const NONE: readonly FollowedEvent[] = [];

/** Every event of the execution, from its first one. */
export function useExecutionEvents(id: string | undefined, options?: FollowHookOptions): FollowedEvents {
  const { state, ...following } = useFollowed(id, appended, NONE, options);
  return { ...following, events: state };
}

function appended(
  events: readonly FollowedEvent[],
  arrived: readonly FollowedEvent[],
): readonly FollowedEvent[] {
  return arrived.length > 0 ? [...events, ...arrived] : events;
}

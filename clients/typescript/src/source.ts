/** What can be followed. Positions are opaque everywhere but to the server. */

import {
  type EventType,
  endsExecution,
  endsTask,
  type FollowedEvent,
  TASK_TERMINAL_TYPES,
  TERMINAL_TYPES,
} from "./event.js";

/**
 * How the sequences of a stream's events follow each other, log by log: `dense`, each one more than the one before;
 * `increasing`, where some are left out.
 */
export type Sequencing = "dense" | "increasing";

/** A stream of events. */
export interface Source {
  /** The execution's or task's id; empty for the org. */
  readonly id: string;
  /** For messages. */
  readonly name: string;
  /** The route of its Server-Sent Events, relative to the org. */
  readonly streamRoute: string;
  /** The route of its long-poll; undefined where there is none. */
  readonly eventsRoute: string | undefined;
  readonly sequencing: Sequencing;
  /** Whether all events are of one log, whose sequences are the positions. */
  readonly isOneLog: boolean;
  /** The types with which it may end; empty where no event tells. */
  readonly terminalTypes: readonly EventType[];
  /** What a ticket for it is asked for with. */
  readonly ticketScope: { readonly scope: "execution" | "task" | "feed"; readonly id?: string };
  /** Whether nothing follows this event. */
  endsWith(event: FollowedEvent): boolean;
}

/** An execution's own log. */
export function execution(id: string): Source {
  return {
    id,
    name: `execution ${id}`,
    streamRoute: `workflow-executions/${encodeURIComponent(id)}/stream`,
    eventsRoute: `workflow-executions/${encodeURIComponent(id)}/events`,
    sequencing: "dense",
    isOneLog: true,
    terminalTypes: TERMINAL_TYPES,
    ticketScope: { scope: "execution", id },
    endsWith: endsExecution,
  };
}

/** A standalone task's own log. */
export function standaloneTask(id: string): Source {
  return {
    id,
    name: `task ${id}`,
    streamRoute: `task-executions/${encodeURIComponent(id)}/stream`,
    eventsRoute: `task-executions/${encodeURIComponent(id)}/events`,
    sequencing: "dense",
    isOneLog: true,
    terminalTypes: TASK_TERMINAL_TYPES,
    ticketScope: { scope: "task", id },
    endsWith: endsTask,
  };
}

/** An execution and all its descendants: each log in its own order, a child's end before its parent learns of it. */
export function executionTree(id: string): Source {
  return {
    id,
    name: `execution ${id} and its descendants`,
    streamRoute: `workflow-executions/${encodeURIComponent(id)}/stream/consolidated`,
    eventsRoute: undefined,
    sequencing: "dense",
    isOneLog: false,
    terminalTypes: [],
    ticketScope: { scope: "execution", id },
    endsWith: () => false,
  };
}

/** Everything that happens in the org, but for what tasks emit. It has no end. */
export function orgFeed(): Source {
  return {
    id: "",
    name: "the org's feed",
    streamRoute: "events/stream",
    eventsRoute: undefined,
    sequencing: "increasing",
    isOneLog: false,
    terminalTypes: [],
    ticketScope: { scope: "feed" },
    endsWith: () => false,
  };
}

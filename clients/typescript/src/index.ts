/** `@flowstrand/client`. */

export {
  type CancelOptions,
  type Execution,
  type ExecutionStarted,
  Flowstrand,
  followExecution,
  type HistoryPage,
  type StartOptions,
  type TraceContext,
} from "./client.js";
export { Connection, type ConnectionOptions, type TokenRequest, type TokenSource } from "./connection.js";
export {
  type FaultDetail,
  FlowstrandError,
  MalformedEvent,
  Refused,
  SequenceGap,
  Unreachable,
} from "./errors.js";
export {
  type ErrorInfo,
  EVENT_TYPES,
  type EventOf,
  type EventType,
  endsExecution,
  endsTask,
  type FlowstrandEvent,
  type FollowedEvent,
  TASK_TERMINAL_TYPES,
  TERMINAL_TYPES,
} from "./event.js";
export { type FollowOptions, follow } from "./follow.js";
export type { TransportName } from "./route.js";
export { execution, executionTree, orgFeed, type Sequencing, type Source, standaloneTask } from "./source.js";
export { type SseItem, SseParser } from "./sse/parser.js";
export { type StateEvent, stateChange, stateEvent } from "./stateEvent.js";
export type { Ticket, TicketSource } from "./tickets.js";
export {
  type ChildState,
  type ExecutionState,
  initialState,
  reduceExecution,
  type WorkflowStatus,
} from "./view/execution.js";
export type { AttemptState, TaskState, TaskStatus } from "./view/task.js";

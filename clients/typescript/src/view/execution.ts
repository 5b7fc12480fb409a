/** What an execution looks like after its events, one by one: a fold, without I/O, that never changes what it was given. */

import type { ErrorInfo, EventOf, FlowstrandEvent } from "../event.js";
import {
  cancelledTask,
  createdTask,
  emitted,
  failedTask,
  finishedTask,
  startedTask,
  type TaskState,
} from "./task.js";

/** An execution's status; undefined before its first event. */
export type WorkflowStatus = EventOf<"WORKFLOW_STARTED">["data"]["status"];

/** A child workflow. */
export interface ChildState {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly status: WorkflowStatus;
  readonly output?: unknown;
  readonly error?: ErrorInfo;
}

/** An execution, its tasks, its children, and the values that its code has set. */
export interface ExecutionState {
  /** The sequence of the last event folded in. */
  readonly sequence: number;
  readonly id?: string;
  readonly kind?: string;
  readonly status?: WorkflowStatus;
  /** What it waits for, while it does. */
  readonly suspendType?: string | undefined;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: ErrorInfo;
  readonly failureType?: string;
  /** The execution that goes on from this one. */
  readonly continuedAs?: string;
  readonly isClosed: boolean;
  readonly isCancelRequested: boolean;
  readonly tasks: Readonly<Record<string, TaskState>>;
  readonly children: Readonly<Record<string, ChildState>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Before the first event. */
export const initialState: ExecutionState = {
  sequence: 0,
  isClosed: false,
  isCancelRequested: false,
  tasks: {},
  children: {},
  values: {},
};

/** The state after `event`. */
export function reduceExecution(state: ExecutionState, event: FlowstrandEvent): ExecutionState {
  return { ...state, ...change(state, event), sequence: event.sequence };
}

function change(state: ExecutionState, event: FlowstrandEvent): Partial<ExecutionState> {
  return workflowChange(state, event) ?? taskChange(state, event) ?? childChange(state, event) ?? {};
}

function workflowChange(state: ExecutionState, event: FlowstrandEvent): Partial<ExecutionState> | undefined {
  switch (event.type) {
    case "WORKFLOW_STARTED": {
      const { workflowExecutionId: id, kind, status, input } = event.data;
      return { id, kind, status, input };
    }
    case "WORKFLOW_SUSPENDED": {
      return { status: event.data.status, suspendType: event.data.suspendType };
    }
    case "WORKFLOW_RESUMED":
      return { status: event.data.status, suspendType: undefined };
    case "WORKFLOW_COMPLETED": {
      const { status, output, continuedAs } = event.data;
      return { ...closed(status), output, ...(continuedAs !== undefined && { continuedAs }) };
    }
    case "WORKFLOW_FAILED": {
      const { status, error, failureType } = event.data;
      return { ...closed(status), error, failureType };
    }
    case "WORKFLOW_CANCELLED":
      return closed(event.data.status);
    case "CANCELLATION_REQUESTED":
      return { isCancelRequested: true };
    case "STATE_SET":
      return { values: { ...state.values, [event.data.key]: event.data.value } };
    case "STATE_CLEARED": {
      const { [event.data.key]: _gone, ...values } = state.values;
      return { values };
    }
    default:
      return undefined;
  }
}

function closed(status: WorkflowStatus): Partial<ExecutionState> {
  return { status, suspendType: undefined, isClosed: true };
}

function taskChange(state: ExecutionState, event: FlowstrandEvent): Partial<ExecutionState> | undefined {
  switch (event.type) {
    case "TASK_CREATED":
      return withTask(state, createdTask(event.data));
    case "TASK_STARTED":
      return withTask(state, startedTask(state.tasks[event.data.taskExecutionId], event.data));
    case "TASK_COMPLETED":
      return withTask(state, finishedTask(state.tasks[event.data.taskExecutionId], event.data));
    case "TASK_FAILED":
      return withTask(state, failedTask(state.tasks[event.data.taskExecutionId], event.data));
    case "TASK_CANCELLED":
      return withTask(state, cancelledTask(state.tasks[event.data.taskExecutionId], event.data));
    case "STREAM_TOKEN":
    case "STREAM_PROGRESS":
    case "STREAM_DATA":
    case "STREAM_ERROR":
      return withTask(state, emitted(state.tasks[event.data.taskExecutionId], event));
    default:
      return undefined;
  }
}

function withTask(state: ExecutionState, task: TaskState): Partial<ExecutionState> {
  return { tasks: { ...state.tasks, [task.id]: task } };
}

function childChange(state: ExecutionState, event: FlowstrandEvent): Partial<ExecutionState> | undefined {
  switch (event.type) {
    case "CHILD_WORKFLOW_INITIATED":
    case "CHILD_WORKFLOW_STARTED":
    case "CHILD_WORKFLOW_CANCELLATION_REQUESTED":
      return withChild(state, event.data);
    case "CHILD_WORKFLOW_COMPLETED":
      return withChild(state, event.data, { output: event.data.output });
    case "CHILD_WORKFLOW_FAILED":
      return withChild(state, event.data, { error: event.data.error });
    default:
      return undefined;
  }
}

function withChild(
  state: ExecutionState,
  data: EventOf<"CHILD_WORKFLOW_STARTED">["data"],
  end: Pick<ChildState, "output" | "error"> = {},
): Partial<ExecutionState> {
  const { childWorkflowId: id, name, kind, status } = data;
  return { children: { ...state.children, [id]: { id, name, kind, status, ...end } } };
}

/** What a task looks like after its events: each attempt with what it has emitted. */

import type { ErrorInfo, EventOf } from "../event.js";

/** A task's status. */
export type TaskStatus = EventOf<"TASK_CREATED">["data"]["status"];

/** What one attempt has emitted, and how it failed if it has. */
export interface AttemptState {
  readonly attempt: number;
  /** Its tokens, joined. */
  readonly text: string;
  /** The last progress, from 0 to 1. */
  readonly progress?: number;
  readonly data: readonly unknown[];
  /** The errors that it has shown to watchers. */
  readonly shown: readonly unknown[];
  readonly error?: ErrorInfo;
}

/** A task. */
export interface TaskState {
  readonly id: string;
  readonly kind: string;
  readonly status: TaskStatus;
  /** The number of the newest attempt; 0 before the first. */
  readonly attempt: number;
  readonly maxRetries: number;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: ErrorInfo;
  /** When the next attempt begins, where one follows. */
  readonly retryAt?: string;
  /** By number. */
  readonly attempts: Readonly<Record<number, AttemptState>>;
  /** The tokens of the newest attempt, joined. */
  readonly text: string;
  /** The last progress of the newest attempt. */
  readonly progress?: number;
}

type Created = EventOf<"TASK_CREATED">["data"];
type Started = EventOf<"TASK_STARTED">["data"];
type Completed = EventOf<"TASK_COMPLETED">["data"];
type Failed = EventOf<"TASK_FAILED">["data"];
type Cancelled = EventOf<"TASK_CANCELLED">["data"];
type Emitted = EventOf<"STREAM_TOKEN" | "STREAM_PROGRESS" | "STREAM_DATA" | "STREAM_ERROR">;

/** As it was asked for. */
export function createdTask({ taskExecutionId: id, kind, status, maxRetries, input }: Created): TaskState {
  return { id, kind, status, maxRetries, input, attempt: 0, attempts: {}, text: "" };
}

/** With another attempt, which begins anew. */
export function startedTask(known: TaskState | undefined, data: Started): TaskState {
  const { retryAt: _due, error: _old, ...task } = known ?? unseen(data.taskExecutionId, data);
  return withAttempt({ ...task, status: data.status }, empty(data.attempt));
}

/** With its output. */
export function finishedTask(
  known: TaskState | undefined,
  { taskExecutionId, ...data }: Completed,
): TaskState {
  return { ...(known ?? unseen(taskExecutionId, data)), status: data.status, output: data.output };
}

/** With the attempt's error, which is the task's until another attempt begins. */
export function failedTask(known: TaskState | undefined, data: Failed): TaskState {
  const task = known ?? unseen(data.taskExecutionId, data);
  const attempt = { ...(task.attempts[data.attempt] ?? empty(data.attempt)), error: data.error };
  const failed = { ...task, status: data.status, error: data.error };
  return withAttempt(data.retryAt === undefined ? failed : { ...failed, retryAt: data.retryAt }, attempt);
}

/** Ended from outside. */
export function cancelledTask(known: TaskState | undefined, data: Cancelled): TaskState {
  return { ...(known ?? unseen(data.taskExecutionId, data)), status: data.status };
}

/** With what an attempt has emitted. */
export function emitted(known: TaskState | undefined, event: Emitted): TaskState {
  const { taskExecutionId, attempt: number, payload } = event.data;
  const task = known ?? unseen(taskExecutionId, { kind: "", status: "RUNNING", maxRetries: 0 });
  const attempt = task.attempts[number] ?? empty(number);
  switch (event.type) {
    case "STREAM_TOKEN":
      return withAttempt(task, { ...attempt, text: attempt.text + textOf(payload) });
    case "STREAM_PROGRESS":
      return withAttempt(task, { ...attempt, progress: Number(payload) });
    case "STREAM_DATA":
      return withAttempt(task, { ...attempt, data: [...attempt.data, payload] });
    case "STREAM_ERROR":
      return withAttempt(task, { ...attempt, shown: [...attempt.shown, payload] });
  }
}

function withAttempt(task: TaskState, attempt: AttemptState): TaskState {
  const { progress: _old, ...rest } = task;
  const attempts = { ...task.attempts, [attempt.attempt]: attempt };
  const newest = Math.max(task.attempt, attempt.attempt);
  const { text = "", progress } = attempts[newest] ?? {};
  return { ...rest, attempts, attempt: newest, text, ...(progress !== undefined && { progress }) };
}

function empty(attempt: number): AttemptState {
  return { attempt, text: "", data: [], shown: [] };
}

/** A task that was created before the first event that was followed. */
function unseen(
  id: string,
  { kind, status, maxRetries }: Pick<TaskState, "kind" | "status" | "maxRetries">,
): TaskState {
  return { id, kind, status, maxRetries, attempt: 0, attempts: {}, text: "" };
}

function textOf(payload: unknown): string {
  return typeof payload === "string" ? payload : JSON.stringify(payload);
}

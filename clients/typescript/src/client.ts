/** `Flowstrand`: start executions, ask about them, follow them. */

import { Connection, type ConnectionOptions } from "./connection.js";
import type { FollowedEvent } from "./event.js";
import { type FollowOptions, follow } from "./follow.js";
import type { components } from "./generated/api.js";
import { execution, type Source } from "./source.js";

type Schemas = components["schemas"];

/** An execution as it is now. */
export type Execution = Schemas["ExecutionView"];
/** What a start was answered with. */
export type ExecutionStarted = Schemas["ExecutionStarted"];
/** What a start takes beyond the kind and the input. */
export type StartOptions = Omit<Schemas["StartExecution"], "kind" | "input">;
/** Whose trace it belongs to: W3C Trace Context, as OpenTelemetry's `propagation.inject` writes it. */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}
/** What a cancellation takes. */
export type CancelOptions = Schemas["CancelExecution"];
/** A page of history. */
export type HistoryPage = Schemas["HistoryFound"];

/** One org of one server, as one principal. */
export class Flowstrand {
  readonly connection: Connection;

  constructor(options: ConnectionOptions) {
    this.connection = new Connection(options);
  }

  /**
   * Start an execution. Without an `idempotencyKey`, a second call starts a second one. A `trace` is carried through its tasks and
   * children.
   */
  start(
    kind: string,
    input: unknown = null,
    options: StartOptions & { readonly trace?: TraceContext } = {},
  ): Promise<ExecutionStarted> {
    const { trace = {}, ...body } = options;
    return this.connection.json("workflow-executions", {
      method: "POST",
      headers: traceHeaders(trace),
      json: { kind, input, ...body },
    });
  }

  /** An execution as it is now. */
  get(id: string): Promise<Execution> {
    return this.connection.json(routeOf(id));
  }

  /** A page of its history. */
  history(
    id: string,
    query: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<HistoryPage> {
    return this.connection.json(`${routeOf(id)}/events`, { query });
  }

  /** Send it a signal; the sequence of its event. Under a `requestId` of yours, repeating it does no harm. */
  async signal(id: string, name: string, value: unknown = null, requestId?: string): Promise<number> {
    const json: Schemas["SignalExecution"] = {
      signalName: name,
      signalValue: value,
      ...(requestId !== undefined && { requestId }),
    };
    const recorded = await this.connection.json<Schemas["SignalRecorded"]>(`${routeOf(id)}/signal`, {
      method: "POST",
      json,
    });
    return recorded.signalEventSequence;
  }

  /** Ask it to end; with `force`, end it now. */
  async cancel(id: string, options: CancelOptions = {}): Promise<void> {
    await this.connection.json(`${routeOf(id)}/cancel`, { method: "POST", json: options });
  }

  /** Every event of a source, each once and in order; see `follow`. */
  follow(source: Source, options: FollowOptions = {}): AsyncGenerator<FollowedEvent, void> {
    return follow(this.connection, source, options);
  }
}

/** Every event of an execution, from `after` to its end, each once and in order; see `follow`. */
export function followExecution(
  client: Flowstrand,
  id: string,
  options: FollowOptions = {},
): AsyncGenerator<FollowedEvent, void> {
  return client.follow(execution(id), options);
}

function routeOf(id: string): string {
  return `workflow-executions/${encodeURIComponent(id)}`;
}

function traceHeaders({ traceparent, tracestate }: TraceContext): Record<string, string> {
  return { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
}

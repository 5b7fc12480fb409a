/**
 * What can go wrong.
 *
 *     FlowstrandError
 *     ├── Refused          the server said no; `status`, `code` and `details` say why
 *     ├── Unreachable      no answer, or no use of it, for as many attempts as were allowed
 *     ├── SequenceGap      an event is missing: nothing behind it is delivered
 *     └── MalformedEvent   what came is not an event
 */

/** The root: `code` is stable, and for programs. */
export class FlowstrandError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** One fault in what was asked, at a JSON pointer. */
export interface FaultDetail {
  readonly pointer?: string;
  readonly message: string;
}

/** The server answered with an error. */
export class Refused extends FlowstrandError {
  readonly status: number;
  readonly details: readonly FaultDetail[];
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: readonly FaultDetail[]; retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message);
    this.status = status;
    this.details = more.details ?? [];
    this.retryAfterMs = more.retryAfterMs;
  }

  /** Whether asking again may help, soon: a usage plan that is used up stays so for the rest of a day, a week or a month. */
  get isTransient(): boolean {
    if (this.code === "USAGE_LIMIT_REACHED") return false;
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** Whether it comes from something that does not know the route: a proxy, or a server without streams. */
  get isForeign(): boolean {
    if (this.code === "ROUTE_NOT_FOUND") return true;
    return this.code === "UNKNOWN" && !this.isTransient && this.status !== 401;
  }
}

/** The server, or the way to it, is down. */
export class Unreachable extends FlowstrandError {
  constructor(message: string, options?: ErrorOptions) {
    super("UNREACHABLE", message, options);
  }
}

/** An event is missing. */
export class SequenceGap extends FlowstrandError {
  /** The sequence that had to come next. */
  readonly expected: number;
  /** The sequence that came. */
  readonly received: number;
  /** In whose log. */
  readonly executionId: string;

  constructor(executionId: string, expected: number, received: number) {
    super("SEQUENCE_GAP", `${executionId}: expected event ${expected}, got ${received}`);
    this.executionId = executionId;
    this.expected = expected;
    this.received = received;
  }
}

/** What the stream carried is not an event. */
export class MalformedEvent extends FlowstrandError {
  constructor(message: string, options?: ErrorOptions) {
    super("MALFORMED_EVENT", message, options);
  }
}

/** An HTTP server that answers by a script: one answer for each request, the last one for all that follow. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Flowstrand } from "../../src/index.js";
import { listening } from "./listening.js";

/** How to answer one request. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export class ScriptedServer {
  readonly requests: IncomingMessage[] = [];
  readonly #answers: Answer[];
  #url = "";

  private constructor(answers: Answer[]) {
    this.#answers = answers;
  }

  static async of(...answers: Answer[]): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(answers);
    const server = createServer((request, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      scripted.requests.push(request);
      answer?.(response, request);
    });
    scripted.#url = await listening(server, () => server.closeAllConnections());
    return scripted;
  }

  get url(): string {
    return this.#url;
  }

  /** How many answers of the script are left. */
  get left(): number {
    return this.#answers.length;
  }

  /** The paths asked for, with their queries. */
  get paths(): string[] {
    return this.requests.map((request) => (request.url ?? "").replace("/api/orgs/o/", ""));
  }

  client(token = "t"): Flowstrand {
    return new Flowstrand({ url: this.#url, org: "o", token });
  }
}

/** A whole stream, without pauses between connections. */
export function stream(...frames: string[]): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.end(`retry: 0\n\n${frames.join("")}`);
  };
}

/** The beginning of a stream, then the end of the connection. */
export function brokenStream(...frames: string[]): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`retry: 0\n\n${frames.join("")}`, () => response.destroy());
  };
}

/** JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Nothing, for ever. */
export const silence: Answer = () => undefined;

/** The frame of an event of execution `x`, as `format=cloudevents` has it. */
export function frame(sequence: number, type = "signal.received", data: object = {}, id = "x"): string {
  const envelope = {
    type,
    sequence,
    time: "2026-01-01T00:00:00.000Z",
    source: `/api/orgs/o/workflow-executions/${id}`,
    data,
  };
  return `id: ${sequence}\ndata: ${JSON.stringify(envelope)}\n\n`;
}

/** The frame that an execution ends with. */
export function end(sequence: number): string {
  return frame(sequence, "workflow.completed", { output: null });
}

/** An HTTP proxy that sends nothing of an answer, not even its head, before it has all of it. */

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { listening } from "./listening.js";

/** Its URL. */
export async function bufferingProxy(target: string): Promise<string> {
  const server = createServer((incoming, answer) => forward(target, incoming, answer));
  return await listening(server, () => server.closeAllConnections());
}

function forward(target: string, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, headers, url = "/" } = incoming;
  const upstream = request(new URL(url, target), { method, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      const body = Buffer.concat(chunks);
      const { "transfer-encoding": _chunked, ...rest } = response.headers;
      answer.writeHead(response.statusCode ?? 502, { ...rest, "content-length": String(body.length) });
      answer.end(body);
    });
  });
  upstream.on("error", () => answer.destroy());
  answer.on("close", () => upstream.destroy());
  incoming.pipe(upstream);
}

/** Serves an empty page that has the built package, as `flowstrand`: an origin of its own, as a front end has. */

import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { listening } from "./listening.js";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

const PAGE = `<!doctype html><title>A page</title>
<script type="module">import * as flowstrand from "/dist/index.js"; globalThis.flowstrand = flowstrand;</script>`;

/** Its URL. */
export async function pageServer(): Promise<string> {
  const server = createServer((request, response) => void serve(request.url ?? "/", response));
  return await listening(server, () => server.closeAllConnections());
}

async function serve(path: string, response: ServerResponse): Promise<void> {
  const module = /^\/dist\/([\w/]+\.js)$/.exec(path)?.[1];
  if (module === undefined) {
    response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    return;
  }
  response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(DIST + module));
}

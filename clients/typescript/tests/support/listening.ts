/** Servers of the tests: on 127.0.0.1, on a free port, gone at the test's end. */

import type { Server } from "node:net";
import { onTestFinished } from "vitest";

/** Its URL. Connections that are still open at the end of the test are cut. */
export async function listening(server: Server, closeAll: () => void): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(async () => {
    closeAll();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  return `http://127.0.0.1:${address.port}`;
}

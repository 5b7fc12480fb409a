/** The live page of the tutorial, as it is printed there, on its own server and on `flowstrand dev`. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { execution, Flowstrand, type FollowedEvent } from "../../src/index.js";
import { DevServer, ended, printed, python } from "../support/devServer.js";
import { collected } from "../support/server.js";
import { blocks, files } from "../support/tutorial.js";

const CHROMIUM = process.env["CHROMIUM"] ?? "chromium";
const PAGE = "live-page";
const KEY = "key-of-the-shop";
/** Where the tutorial has its servers listen; the browser takes the tests' own ports for these. */
const [API, FRONT] = ["127.0.0.1:8080", "127.0.0.1:8000"];
/** So that an attempt that was killed is made again within seconds, not within a minute. */
const SHORT_LEASES = { FLOWSTRAND_LEASE_MS: "1500", FLOWSTRAND_HEARTBEAT_MS: "300" };
const PRINTED = ["1", "2", "3", "4"].map((part) => `${part} of 4 printed`);
const BOTH = ["the sea", "a fox"].flatMap((motif) => PRINTED.map((part) => `${motif}: ${part}`));

let folder: string;
let server: DevServer;
let browser: Browser;
let page: Page;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flowstrand-shop-"));
  for (const [name, text] of files(PAGE)) writeFileSync(join(folder, name), text);
  server = new DevServer(folder, ["--app", "shop.py", "--api-key", KEY], SHORT_LEASES);
  await server.start();
  page = await opened(await front());
});

afterEach(async () => {
  await browser.close();
  await server.end("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Where the page's server listens; it is started by the command of the tutorial, on a free port. */
async function front(): Promise<string> {
  const command = blocks(PAGE, "sh").find((block) => block.includes("front.serve()")) ?? "";
  const code = /^python -c '(.*)'$/m.exec(command)?.[1]?.replace("serve()", "serve(0)") ?? "";
  const running = python(["-c", code], folder, { FLOWSTRAND_URL: server.url, FLOWSTRAND_API_KEY: KEY });
  onTestFinished(() => ended(running, "SIGKILL"));
  return await printed(running, /^http:\/\/(\S+)\n/m);
}

/** The page as its reader opens it. */
async function opened(frontHost: string): Promise<Page> {
  const rules = `MAP ${API} ${new URL(server.url).host}, MAP ${FRONT} ${frontHost}`;
  const args = ["--no-sandbox", `--host-resolver-rules=${rules}`];
  browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const tab = await browser.newPage();
  await tab.goto(`http://${FRONT}`);
  return tab;
}

/** Press the button; the id of what was ordered. */
async function order(): Promise<string> {
  const answered = page.waitForResponse((response) => response.url().endsWith("/orders"));
  await page.getByRole("button").click();
  return (await (await answered).json()).id;
}

async function lines(): Promise<string[]> {
  return await page.getByRole("listitem").allTextContents();
}

async function isOver(): Promise<void> {
  await page.getByText("workflow.completed").waitFor();
}

/** The whole log, by the history route. */
async function log(id: string): Promise<FollowedEvent[]> {
  const client = new Flowstrand({ url: server.url, org: "dev", token: KEY });
  return await collected(client.follow(execution(id), { transport: "poll" }));
}

/** What the log says that was printed. */
async function tokens(id: string): Promise<unknown[]> {
  return (await log(id)).flatMap((event) => (event.type === "STREAM_TOKEN" ? [event.data.payload] : []));
}

test("it shows what is printed, how far the order is, and how it ended", async () => {
  expect(await page.textContent("output")).toBe("nothing ordered");
  const id = await order();
  await isOver();
  expect(await lines()).toEqual(BOTH);
  expect(await tokens(id)).toEqual(BOTH);
  expect(
    await page.locator("progress").evaluate(({ value, max }: HTMLProgressElement) => [value, max]),
  ).toEqual([2, 2]);
});

test("another order begins with an empty list", async () => {
  await order();
  await isOver();
  await order();
  await page.getByText("a fox: 4 of 4 printed").waitFor();
  await isOver();
  expect(await lines()).toEqual(BOTH);
});

test("with a ticket that is not good any more, it asks for another one and goes on", async () => {
  const renewed: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/tickets")) renewed.push(request.url());
  });
  const spoilt = (url: string): string => url.replace(/ticket=[^&]*/, "ticket=expired");
  await page.route("**/stream?*", (route) => route.continue({ url: spoilt(route.request().url()) }), {
    times: 1,
  });
  await order();
  await isOver();
  expect(renewed).toHaveLength(1);
  expect(await lines()).toEqual(BOTH);
});

test.each(["SIGINT", "SIGKILL"] as const)(
  "after a %s of the server while it prints, it goes on where it was",
  async (signal) => {
    const id = await order();
    await page.getByText("the sea: 2 of 4 printed").waitFor();
    await server.end(signal);
    await server.start();
    await isOver();
    expect(await lines()).toEqual(await tokens(id));
    expect((await lines()).slice(-4)).toEqual(BOTH.slice(-4));
  },
);

/** Where requests go, and as whom. */

import { type FaultDetail, FlowstrandError, Refused } from "./errors.js";

/** Why a token is asked for: `refused` says that the last one was answered with 401. */
export interface TokenRequest {
  readonly refused: boolean;
}

/** A bearer credential, or what gets one: it is asked before every request, so it can keep one or fetch another. */
export type TokenSource = string | ((request: TokenRequest) => string | Promise<string>);

export interface ConnectionOptions {
  /** The server's, with the stage if there is one: `https://abc.execute-api.eu-west-1.amazonaws.com/prod`. */
  readonly url: string;
  readonly org: string;
  /** Without one, only a stream with a ticket can be read. */
  readonly token?: TokenSource;
  /** In place of the platform's. */
  readonly fetch?: typeof fetch;
}

/** What a request carries beyond its path. */
export interface RequestOptions {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one org of one server. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #fetch: typeof fetch;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Whether it can make requests as somebody. */
  get hasCredential(): boolean {
    return this.#options.token !== undefined;
  }

  /** The URL of a route, which is relative to the org. */
  url(route: string, query: RequestOptions["query"] = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    const root = this.#options.url.replace(/\/+$/, "");
    return `${root}/api/orgs/${encodeURIComponent(this.#options.org)}/${route}${search && `?${search}`}`;
  }

  /** The response, whatever its status. After a 401, it asks once more, with a token that it says is a new one. */
  async send(route: string, options: RequestOptions = {}): Promise<Response> {
    const first = await this.#once(route, options, false);
    if (first.status !== 401 || typeof this.#options.token !== "function") return first;
    await first.body?.cancel();
    return this.#once(route, options, true);
  }

  /** The response to a plain GET, which shows no credential but what the URL holds. */
  probe(url: string, signal: AbortSignal | undefined): Promise<Response> {
    return this.#fetch(url, signal ? { cache: "no-store", signal } : { cache: "no-store" });
  }

  /**
   * The JSON of a successful response.
   *
   * @throws {Refused} the server said no.
   */
  async json<Body>(route: string, options: RequestOptions = {}): Promise<Body> {
    const response = await this.send(route, options);
    if (!response.ok) throw await refusal(response);
    try {
      return (await response.json()) as Body;
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      throw new FlowstrandError("NOT_JSON", `${route}: the answer is not JSON`, { cause: error });
    }
  }

  async #once(route: string, options: RequestOptions, refused: boolean): Promise<Response> {
    const headers = new Headers({ accept: "application/json", ...options.headers });
    const { token } = this.#options;
    const credential = typeof token === "function" ? await token({ refused }) : token;
    if (credential !== undefined) headers.set("authorization", `Bearer ${credential}`);
    const init: RequestInit = { method: options.method ?? "GET", headers, cache: "no-store" };
    if (options.signal) init.signal = options.signal;
    if (options.json !== undefined) {
      headers.set("content-type", "application/json");
      init.body = JSON.stringify(options.json);
    }
    return this.#fetch(this.url(route, options.query), init);
  }
}

/** What an unsuccessful response says; `code` is UNKNOWN where it does not come from this API. */
export async function refusal(response: Response): Promise<Refused> {
  const body = await errorBody(response);
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new Refused(
    response.status,
    typeof body["code"] === "string" ? body["code"] : "UNKNOWN",
    typeof body["error"] === "string" ? body["error"] : `the server answered ${response.status}`,
    {
      details: Array.isArray(body["details"]) ? (body["details"] as FaultDetail[]) : [],
      retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1000 : undefined,
    },
  );
}

async function errorBody(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * Speaks etcd's JSON gateway (`POST /v3/...`, the same paths from 3.4 on) with Node's own http and https. Hides endpoints that
 * do not answer, the access token and its renewal, and TLS. Each request opens a new connection, so that a dead connection is
 * never mistaken for a dead member.
 */
import type { IncomingMessage } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import { errnoOf, LockkeeperError } from "../errors.ts";
import type { EtcdCredentials } from "./etcd-credentials.ts";
import { LeaseUnavailableError } from "./lease-store.ts";

/** How {@link EtcdGateway} is reached. */
export interface EtcdGatewayOptions {
  /** Base URLs. The endpoint that answered last is asked first. */
  readonly endpoints: readonly string[];
  readonly credentials: EtcdCredentials;
  /** How long one endpoint may take for one answer. */
  readonly attemptMs: number;
}

/** An error that etcd itself returned, as opposed to a network failure. */
export interface EtcdAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Body = Readonly<Record<string, unknown>>;

/** gRPC codes that concern only this member or this moment, so that the next endpoint may succeed. */
const TRANSIENT: ReadonlySet<unknown> = new Set([
  2 /* unknown: a member that is ending */, 4 /* deadline exceeded */, 8 /* too many requests */, 13 /* internal */,
  14 /* unavailable: no leader */,
]);
/** gRPC codes about our credentials: permission denied, unauthenticated. */
const REFUSALS: ReadonlySet<unknown> = new Set([7, 16]);
const INVALID_TOKEN = "etcdserver: invalid auth token";
const OLD_REVISION = "etcdserver: revision of auth store is old";

/** Larger than any answer about one key. */
const MOST_BYTES = 1024 * 1024;

/** One cluster. */
export class EtcdGateway {
  readonly #options: EtcdGatewayOptions;
  #endpoints: readonly string[];
  #token: string | undefined;
  /** The cluster that has answered so far: a key of another cluster says nothing about ours. */
  #cluster: string | undefined;

  constructor(options: EtcdGatewayOptions) {
    this.#options = options;
    this.#endpoints = options.endpoints;
  }

  /**
   * Returns the first endpoint's answer. Each endpoint is asked once.
   *
   * @param path below `/v3/`.
   * @throws {LeaseUnavailableError} when no endpoint answers (one line of evidence for each), or when etcd refuses us.
   */
  async ask(path: string, question: Body, signal?: AbortSignal): Promise<EtcdAnswer> {
    const evidence: string[] = [];
    for (const endpoint of this.#endpoints) {
      if (signal?.aborted === true) break;
      try {
        const answer = await this.#askAs(endpoint, path, question, signal);
        if (TRANSIENT.has(answer.body["code"])) {
          evidence.push(`${endpoint}: ${messageOf(answer)}`);
          continue;
        }
        const cluster = clusterOf(answer);
        if (cluster !== undefined && this.#cluster !== undefined && cluster !== this.#cluster) {
          evidence.push(`${endpoint}: it belongs to another cluster`);
          continue;
        }
        this.#cluster ??= cluster;
        this.#endpoints = [endpoint, ...this.#options.endpoints.filter((each) => each !== endpoint)];
        if (isRefusal(answer)) throw this.#refusal(endpoint, answer);
        return answer;
      } catch (error) {
        if (error instanceof LockkeeperError) throw error;
        evidence.push(`${endpoint}: ${describeFailure(error)}`);
      }
    }
    const [first = "the wait was over"] = evidence;
    throw new LeaseUnavailableError(
      "silent",
      this.#endpoints.length === 1 ? `etcd does not answer: ${first}` : `no endpoint of etcd answers: ${first}`,
      evidence,
      `Try it by hand: etcdctl --endpoints=${this.#options.endpoints.join(",")} endpoint health`,
    );
  }

  /** The id of the cluster that has answered; undefined before the first answer. */
  get cluster(): string | undefined {
    return this.#cluster;
  }

  /**
   * Returns when all answering endpoints belong to one cluster. Two unrelated servers would each have an owner.
   *
   * @throws {LeaseUnavailableError} when two of them belong to different clusters.
   */
  async requireOneCluster(signal?: AbortSignal): Promise<void> {
    const seen = await Promise.all(
      this.#options.endpoints.map(async (endpoint) => {
        const answer = await this.#askAs(endpoint, "cluster/member/list", {}, signal).catch(() => undefined);
        const cluster = answer === undefined ? undefined : clusterOf(answer);
        return { endpoint, cluster };
      }),
    );
    const known = seen.filter(({ cluster }) => cluster !== undefined);
    if (new Set(known.map(({ cluster }) => cluster)).size <= 1) return;
    throw new LeaseUnavailableError(
      "refused",
      "the endpoints of etcd do not belong to one cluster",
      known.map(({ endpoint, cluster }) => `${endpoint}: cluster ${cluster ?? "unknown"}`),
      `Name members of one cluster: etcdctl --endpoints=${this.#options.endpoints.join(",")} endpoint status`,
    );
  }

  /** Asks with our access token, which the server may forget at any time. */
  async #askAs(endpoint: string, path: string, question: Body, signal?: AbortSignal): Promise<EtcdAnswer> {
    const { user } = this.#options.credentials;
    if (user === undefined) return this.#post(endpoint, path, question, signal);
    const isFresh = this.#token === undefined;
    this.#token ??= await this.#authenticate(endpoint, user, signal);
    const answer = await this.#post(endpoint, path, question, signal);
    const message = messageOf(answer);
    if (isFresh || (message !== INVALID_TOKEN && message !== OLD_REVISION)) return answer;
    this.#token = await this.#authenticate(endpoint, user, signal);
    return this.#post(endpoint, path, question, signal);
  }

  async #authenticate(
    endpoint: string,
    { name, password }: { readonly name: string; readonly password: string },
    signal?: AbortSignal,
  ): Promise<string> {
    this.#token = undefined;
    const answer = await this.#post(endpoint, "auth/authenticate", { name, password }, signal);
    const { token, code } = answer.body;
    if (typeof token === "string") return token;
    if (TRANSIENT.has(code)) throw new Error(messageOf(answer));
    // etcd reports a wrong password as an invalid argument, a cluster without users as a failed precondition.
    throw this.#refusal(endpoint, answer);
  }

  #refusal(endpoint: string, answer: EtcdAnswer): LeaseUnavailableError {
    const { user } = this.#options.credentials;
    const who = user === undefined ? "us (no user was given)" : `the user ${user.name}`;
    return new LeaseUnavailableError(
      "refused",
      `etcd at ${endpoint} refuses ${who}: ${messageOf(answer)}`,
      [],
      "Check the file of the credentials, and that the user's role may read and write the key of the lease.",
    );
  }

  #post(endpoint: string, path: string, question: Body, signal?: AbortSignal): Promise<EtcdAnswer> {
    const { attemptMs, credentials } = this.#options;
    const { ca, cert, key } = credentials;
    const url = new URL(`/v3/${path}`, endpoint);
    const payload = JSON.stringify(question);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(payload),
      ...(this.#token === undefined ? {} : { authorization: this.#token }),
    };
    const options = { method: "POST", agent: false, headers };
    if (signal?.aborted === true) return Promise.reject(new Error("the wait was over"));
    return new Promise<EtcdAnswer>((resolve, reject) => {
      const done = new AbortController();
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        done.abort();
        end();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      const take = (response: IncomingMessage): void => {
        readAnswer(response).then((answer) => settle(() => resolve(answer)), fail);
      };
      const request =
        url.protocol === "https:"
          ? requestHttps(url, { ...options, ca, cert, key }, take)
          : requestHttp(url, options, take);
      const giveUp = (reason: string): void => {
        fail(new Error(reason));
        request.destroy();
      };
      const timer = setTimeout(() => giveUp(`no answer within ${Math.ceil(attemptMs)} ms`), attemptMs);
      signal?.addEventListener("abort", () => giveUp("the wait was over"), { once: true, signal: done.signal });
      request.on("error", fail);
      request.end(payload);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<EtcdAnswer> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MOST_BYTES) throw new Error("the answer is too long");
  }
  const status = response.statusCode ?? 0;
  // On failure the trailers follow, glued to the document.
  const document = /^\s*(\{.*\})/su.exec(text)?.[1];
  try {
    const body: unknown = document === undefined ? undefined : JSON.parse(document);
    if (typeof body === "object" && body !== null) return { status, body: { ...body } };
  } catch {
    // Reported below.
  }
  throw new Error(`no answer of etcd (HTTP ${status}): is this its client port?`);
}

/** Every successful answer has a header with the cluster's id. */
function clusterOf({ body }: EtcdAnswer): string | undefined {
  const result = body["result"];
  const holder: Body = typeof result === "object" && result !== null ? { ...result } : body;
  const header = holder["header"];
  if (typeof header !== "object" || header === null) return undefined;
  const { cluster_id, clusterId = cluster_id }: Body = { ...header };
  return typeof clusterId === "string" ? clusterId : undefined;
}

function isRefusal({ status, body }: EtcdAnswer): boolean {
  return (
    REFUSALS.has(body["code"]) ||
    status === 401 ||
    status === 403 ||
    messageOf({ status, body }).includes("user name is empty")
  );
}

/** The reason that a failed answer gives. */
export function messageOf({ status, body }: EtcdAnswer): string {
  const text = body["message"] ?? body["error"];
  return typeof text === "string" ? text : `HTTP ${status}`;
}

function describeFailure(error: unknown): string {
  const errno = errnoOf(error);
  // Problems with a certificate, or with our own clock, are only in the message.
  const plain = errno === undefined || errno.startsWith("ERR_") || /CERT|SELF_SIGNED|UNABLE/u.test(errno);
  return plain && error instanceof Error ? error.message : (errno ?? String(error));
}

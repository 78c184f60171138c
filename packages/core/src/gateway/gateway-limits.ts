/**
 * Every limit of a gateway host in one literal: what a client may open, send, leave unread and try. Each is an option of
 * `startGateway` and a setting of a built-in gateway under the same name, a whole number above 0. Pure.
 */
import { LONGEST_TIMER_MS } from "../wrong-options.ts";

/** Each limit with its default. Names end in the unit: `Ms` is milliseconds, `Bytes` is bytes, others are counts. */
export const GATEWAY_LIMITS = {
  /**
   * Simultaneous connections without a WebSocket; beyond it the idle ones are closed first. At most a quarter of the open
   * files allowed. @default 512
   */
  maxRequestConnections: { default: 512, what: "connections that are no WebSocket, at once" },
  /** Of those, the ones whose first request head is not complete after a second. @default 128 */
  maxHalfOpen: { default: 128, what: "of those, connections without a request for a second" },
  /** Requests of one connection that wait for their answers; with more it is cut off. @default 100 */
  maxPipelined: { default: 100, what: "requests of one connection that wait for their answers" },
  /**
   * Simultaneous WebSockets; beyond it an upgrade is answered with 503. At most half of the open files allowed. @default
   * 16_384
   */
  maxWebSockets: { default: 16_384, what: "WebSockets at once; the next upgrade is answered with 503" },
  /** Time for a request head to be complete. @default 10_000 */
  headersTimeoutMs: { default: 10_000, what: "time for a request head" },
  /** Time for a whole request. @default 30_000 */
  requestTimeoutMs: { default: 30_000, what: "time for a whole request" },
  /** How long a connection is kept for its next request. @default 5_000 */
  keepAliveMs: { default: 5_000, what: "how long a connection is kept for its next request" },
  /** Bytes of a request head; more are answered with 431. @default 16_384 */
  maxHeaderBytes: { default: 16_384, what: "bytes of a request head (431)" },
  /** Lines of a request head; more are answered with 431. @default 200 */
  maxHeaderLines: { default: 200, what: "lines of a request head (431)" },
  /** Failed attempts of one source within `failureWindowMs` that lead to a refusal. @default 10 */
  maxFailures: { default: 10, what: "failed attempts of one source before it is refused (429)" },
  /** @see maxFailures @default 60_000 */
  failureWindowMs: { default: 60_000, what: "time within which failures add up" },
  /** How long a source is then refused. @default 300_000 */
  refusalMs: { default: 300_000, what: "how long a source is then refused" },
  /** Sources whose failures are remembered one by one; the rest is counted by network. @default 1_024 */
  maxFailureSources: { default: 1_024, what: "sources remembered one by one; the rest is counted by network" },
  /** Bytes of one WebSocket message (close code 1009). @default 1_048_576 */
  maxMessageBytes: { default: 1_048_576, what: "bytes of one message (close code 1009)" },
  /** Fragments of one message (close code 1008). @default 64 */
  maxFragments: { default: 64, what: "fragments of one message (1008)" },
  /** Time for a message to be complete, checked once per heartbeat (close code 1008). @default 30_000 */
  messageTimeoutMs: { default: 30_000, what: "time for a message to be complete (1008)" },
  /** Bytes of one answer, of the answers to one batch, and of one topic message; more become an error. @default 1_048_576 */
  maxAnswerBytes: { default: 1_048_576, what: "bytes of one answer and of one topic message; more become an error" },
  /** Requests in one JSON-RPC batch. @default 100 */
  maxBatch: { default: 100, what: "requests in one batch" },
  /** Unsent bytes of one WebSocket, the next message included, above which it is cut off (1008). @default 4_194_304 */
  maxBacklogBytes: { default: 4_194_304, what: "unsent bytes above which a slow client is cut off (1008)" },
  /** Unsent bytes of all WebSockets, a shared message counted once; beyond it the slow ones are cut off. @default 268_435_456 */
  maxTotalBacklogBytes: { default: 268_435_456, what: "unsent bytes of all clients above which slow ones are cut off" },
  /** Topics that exist at once. @default 10_000 */
  maxTopics: { default: 10_000, what: "topics at once" },
  /** Topics that one WebSocket is subscribed to. @default 128 */
  maxTopicsPerClient: { default: 128, what: "topics of one client" },
  /** How often peers are pinged; one that leaves two pings unanswered is dropped. @default 15_000 */
  heartbeatMs: { default: 15_000, what: "how often clients are pinged; two unanswered pings end a connection" },
  /** How long `close()` lets clients finish before it cuts them off. @default 2_000 */
  closeTimeoutMs: { default: 2_000, what: "time for clients to finish at a stop" },
} as const;

/** The limits of one client, or of all of them together. */
export type GatewayLimits = { readonly [Name in keyof typeof GATEWAY_LIMITS]: number };

/** The names of all limits. */
export const LIMIT_NAMES: readonly (keyof GatewayLimits)[] = Object.keys(GATEWAY_LIMITS) as (keyof GatewayLimits)[];

/** The default limits. */
export const DEFAULT_LIMITS: GatewayLimits = Object.fromEntries(
  LIMIT_NAMES.map((name) => [name, GATEWAY_LIMITS[name].default]),
) as GatewayLimits;

/** ws keeps its limits as 32-bit whole numbers. Source: https://github.com/websockets/ws/blob/8.23.0/lib/receiver.js */
const MAX_COUNT = 2_147_483_647;

/** Returns the highest value of a limit. */
export function highestLimit(name: keyof GatewayLimits): number {
  return name.endsWith("Ms") ? LONGEST_TIMER_MS : MAX_COUNT;
}

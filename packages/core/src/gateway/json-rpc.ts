/**
 * JSON-RPC 2.0, to the letter, as a pure function from one message to its answer: requests, notifications (never answered) and
 * batches. Answers are bounded: a longer one becomes an error, and when the answers of a batch are too long together, the rest
 * of the batch is not carried out. It knows no methods and no sockets. Source: https://www.jsonrpc.org/specification
 */
import type { GatewayLimits } from "./gateway-limits.ts";

/** The answer of a method: exactly one of the two. */
export type RpcReply =
  { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } };

/** `params` is undefined when the request had none. */
export type RpcMethod<Caller> = (params: RpcParams | undefined, caller: Caller) => RpcReply;
/** By name or by position. */
export type RpcParams = Readonly<Record<string, unknown>> | readonly unknown[];

/** The limits of one message. */
export type RpcLimits = Pick<GatewayLimits, "maxBatch" | "maxAnswerBytes">;

const PARSE_ERROR = { error: { code: -32_700, message: "Parse error" } };
const INVALID_REQUEST = { error: { code: -32_600, message: "Invalid Request" } };
const METHOD_NOT_FOUND = { error: { code: -32_601, message: "Method not found" } };
const INTERNAL_ERROR = { error: { code: -32_603, message: "Internal error" } };

/** The reply to wrong parameters; `expected` says what the method takes. */
export function invalidParams(expected: string): RpcReply {
  return { error: { code: -32_602, message: `Invalid params: expected ${expected}` } };
}

/** The reply of a method whose result is too long for an answer. */
export function answerTooLarge(maxBytes: number): RpcReply {
  return { error: { code: -32_001, message: `Answer too large: more than ${maxBytes} bytes` } };
}

/** Returns the text of a notification. */
export function formatNotification(method: string, params: RpcParams): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}

/** Whether the text has at most this many bytes in UTF-8. */
export function fitsIn(maxBytes: number, text: string): boolean {
  // One code unit has at most three bytes, so most texts need no exact count.
  return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes;
}

/** Returns the answer to one message, or undefined when none is due. Never throws. */
export function answerMessage<Caller>(
  text: string,
  methods: ReadonlyMap<string, RpcMethod<Caller>>,
  caller: Caller,
  limits: RpcLimits,
): string | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return formatReply(null, PARSE_ERROR);
  }
  if (!Array.isArray(message)) return answerRequest(message, methods, caller, limits.maxAnswerBytes);
  if (message.length === 0) return formatReply(null, INVALID_REQUEST);
  if (message.length > limits.maxBatch) {
    const reason = `Invalid Request: more than ${limits.maxBatch} in one batch`;
    return formatReply(null, { error: { ...INVALID_REQUEST.error, message: reason } });
  }
  const answers: string[] = [];
  let left = limits.maxAnswerBytes;
  for (const request of message as readonly unknown[]) {
    const answer = answerRequest(request, methods, caller, left);
    if (answer === undefined) continue;
    answers.push(answer);
    left = Math.max(0, left - Buffer.byteLength(answer));
  }
  return answers.length === 0 ? undefined : `[${answers.join(",")}]`;
}

type RpcId = string | number | null;

/** When no room is left for an answer, only notifications are carried out. */
function answerRequest<Caller>(
  request: unknown,
  methods: ReadonlyMap<string, RpcMethod<Caller>>,
  caller: Caller,
  maxBytes: number,
): string | undefined {
  if (typeof request !== "object" || request === null) return formatReply(null, INVALID_REQUEST);
  const { jsonrpc, id, method, params } = request as Readonly<Record<string, unknown>>;
  if (!(id === undefined || isId(id))) return formatReply(null, INVALID_REQUEST);
  if (jsonrpc !== "2.0" || typeof method !== "string" || !(params === undefined || isParams(params))) {
    return formatReply(id ?? null, INVALID_REQUEST);
  }
  if (id === undefined) {
    callMethod(methods.get(method), params, caller);
    return undefined;
  }
  if (maxBytes === 0) return formatReply(id, answerTooLarge(0));
  const answer = formatReply(id, callMethod(methods.get(method), params, caller));
  return fitsIn(maxBytes, answer) ? answer : formatReply(id, answerTooLarge(maxBytes));
}

function callMethod<Caller>(
  method: RpcMethod<Caller> | undefined,
  params: RpcParams | undefined,
  caller: Caller,
): RpcReply {
  if (method === undefined) return METHOD_NOT_FOUND;
  try {
    return method(params, caller);
  } catch {
    // What JSON.parse could read JSON.stringify may still refuse: nesting deeper than the stack.
    return INTERNAL_ERROR;
  }
}

function formatReply(id: RpcId, reply: RpcReply): string {
  const shownId = typeof id === "number" && Number.isFinite(id) ? String(id) : JSON.stringify(id);
  return `{"jsonrpc":"2.0","id":${shownId},${formatOutcome(reply)}}`;
}

function formatOutcome(reply: RpcReply): string {
  if (!("result" in reply)) return `"error":${JSON.stringify(reply.error)}`;
  try {
    return `"result":${JSON.stringify(reply.result)}`;
  } catch {
    // Longer than a string can be, or nested deeper than the stack.
    return `"error":${JSON.stringify(INTERNAL_ERROR.error)}`;
  }
}

function isId(value: unknown): value is RpcId {
  return value === null || typeof value === "string" || typeof value === "number";
}

function isParams(value: unknown): value is RpcParams {
  return typeof value === "object" && value !== null;
}

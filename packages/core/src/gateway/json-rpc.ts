/**
 * JSON-RPC 2.0, to the letter, as a pure function from one message to its answer: requests, notifications (never
 * answered) and batches. It knows no methods and no sockets.
 * Source: https://www.jsonrpc.org/specification
 */

/** What a method answers with. Exactly one of the two. */
export type RpcReply =
  { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } };

/** `params` is undefined when the request had none. */
export type RpcMethod<Caller> = (params: RpcParams | undefined, caller: Caller) => RpcReply;
/** By name or by position. */
export type RpcParams = Readonly<Record<string, unknown>> | readonly unknown[];

/** More requests than this in one batch are refused whole. */
const MAX_BATCH = 100;

const PARSE_ERROR = { error: { code: -32_700, message: "Parse error" } };
const INVALID_REQUEST = { error: { code: -32_600, message: "Invalid Request" } };
const BATCH_TOO_LONG = { error: { code: -32_600, message: `Invalid Request: more than ${MAX_BATCH} in one batch` } };
const METHOD_NOT_FOUND = { error: { code: -32_601, message: "Method not found" } };
const INTERNAL_ERROR = { error: { code: -32_603, message: "Internal error" } };

/** The reply for parameters that a method cannot take; `expected` tells the caller what it takes. */
export function invalidParams(expected: string): RpcReply {
  return { error: { code: -32_602, message: `Invalid params: expected ${expected}` } };
}

/** Returns the text of a notification. */
export function formatNotification(method: string, params: RpcParams): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}

/** Returns the answer to one message, or undefined when none is due. Never throws. */
export function answerMessage<Caller>(
  text: string,
  methods: ReadonlyMap<string, RpcMethod<Caller>>,
  caller: Caller,
): string | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return formatReply(null, PARSE_ERROR);
  }
  if (!Array.isArray(message)) return answerRequest(message, methods, caller);
  if (message.length === 0) return formatReply(null, INVALID_REQUEST);
  if (message.length > MAX_BATCH) return formatReply(null, BATCH_TOO_LONG);
  const answers = message.map((request: unknown) => answerRequest(request, methods, caller));
  const due = answers.filter((answer) => answer !== undefined);
  return due.length === 0 ? undefined : `[${due.join(",")}]`;
}

type RpcId = string | number | null;

function answerRequest<Caller>(
  request: unknown,
  methods: ReadonlyMap<string, RpcMethod<Caller>>,
  caller: Caller,
): string | undefined {
  if (typeof request !== "object" || request === null) return formatReply(null, INVALID_REQUEST);
  const { jsonrpc, id, method, params } = request as Readonly<Record<string, unknown>>;
  if (!(id === undefined || isId(id))) return formatReply(null, INVALID_REQUEST);
  if (jsonrpc !== "2.0" || typeof method !== "string" || !(params === undefined || isParams(params))) {
    return formatReply(id ?? null, INVALID_REQUEST);
  }
  const reply = callMethod(methods.get(method), params, caller);
  return id === undefined ? undefined : formatReply(id, reply);
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
  const outcome =
    "result" in reply ? `"result":${JSON.stringify(reply.result)}` : `"error":${JSON.stringify(reply.error)}`;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${outcome}}`;
}

function isId(value: unknown): value is RpcId {
  return value === null || typeof value === "string" || typeof value === "number";
}

function isParams(value: unknown): value is RpcParams {
  return typeof value === "object" && value !== null;
}

/**
 * The deadline of a stop, set by the asking command: written beside the run record before the signal, and read repeatedly by
 * the keeper while it waits, so that a later request counts too, longer or shorter. A signal alone carries no deadline.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";

import { LockkeeperError } from "../errors.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { readIfPresentSync } from "../storage/small-file.ts";

/** One request, for one run. */
export interface StopRequest {
  /** The nonce of the run; another run ignores the request. */
  readonly nonce: string;
  /** Time from the request until the gateway is killed. @default the run's own */
  readonly timeoutMs?: number;
}

/** On return the keeper of that run will find the request. Throws file errors. */
export async function writeStopRequest(path: string, { nonce, timeoutMs }: StopRequest): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ v: 1, id: randomUUID(), nonce, timeoutMs })}\n`);
}

/** Returns whether the end of that run was requested by more than a signal. */
export function hasStopRequest(path: string, nonce: string): boolean {
  return readRequest(path)?.nonce === nonce;
}

/** On return there is no request; one that cannot be removed names a run that is over. */
export function removeStopRequest(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Nobody will read it, so no warning is needed.
  }
}

/** The deadline of a running stop, on the clock of `performance.now()`. */
export class StopDeadline {
  readonly #path: string | undefined;
  readonly #nonce: string;
  #id: string | undefined;
  #atMs: number;

  /** `timeoutMs` applies without a request. */
  constructor(path: string | undefined, nonce: string, timeoutMs: number) {
    this.#path = path;
    this.#nonce = nonce;
    this.#atMs = performance.now() + timeoutMs;
  }

  /** Returns the present deadline: a request counts from the moment when it is first seen. */
  readonly at = (): number => {
    const request = this.#path === undefined ? undefined : readRequest(this.#path);
    if (request === undefined || request.nonce !== this.#nonce || request.id === this.#id) return this.#atMs;
    this.#id = request.id;
    if (request.timeoutMs === undefined) return this.#atMs;
    this.#atMs = performance.now() + request.timeoutMs;
    return this.#atMs;
  };
}

/** A damaged file, or another user's, is not a request. */
function readRequest(path: string): (StopRequest & { readonly id: string }) | undefined {
  try {
    const { v, id, nonce, timeoutMs } = JSON.parse(readIfPresentSync(path) ?? "{}") as Partial<Record<string, unknown>>;
    if (v !== 1 || typeof id !== "string" || typeof nonce !== "string") return undefined;
    if (timeoutMs === undefined) return { id, nonce };
    return typeof timeoutMs === "number" && timeoutMs > 0 ? { id, nonce, timeoutMs } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LockkeeperError) return undefined;
    throw error;
  }
}

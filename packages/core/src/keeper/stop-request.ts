/**
 * How long a stop may take, as the one who asks for it says: written beside the run record before the signal, read by the keeper
 * that gets it, again and again while it waits, so that a later request counts too, longer or shorter. A signal alone carries
 * no time.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";

import { LockkeeperError } from "../errors.ts";
import { readIfPresentSync, replaceFile } from "../storage/durable-file.ts";

/** One request, for one run. */
export interface StopRequest {
  /** Of the run that it is about; another run takes no notice. */
  readonly nonce: string;
  /** From the request until the gateway is killed. @default the run's own */
  readonly timeoutMs?: number;
}

/** On return the keeper of that run will find the request. Throws what writing a file throws. */
export async function writeStopRequest(path: string, { nonce, timeoutMs }: StopRequest): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ v: 1, id: randomUUID(), nonce, timeoutMs })}\n`);
}

/** Returns whether somebody has asked for the end of that run by more than a signal. */
export function hasStopRequest(path: string, nonce: string): boolean {
  return readRequest(path)?.nonce === nonce;
}

/** On return there is no request; one that cannot be removed names a run that is over. */
export function removeStopRequest(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Not worth a word: nobody will read it.
  }
}

/** When a stop that has begun is over, on the clock of `performance.now()`. */
export class StopDeadline {
  readonly #path: string | undefined;
  readonly #nonce: string;
  #id: string | undefined;
  #atMs: number;

  /** `timeoutMs` counts where nobody says otherwise. */
  constructor(path: string | undefined, nonce: string, timeoutMs: number) {
    this.#path = path;
    this.#nonce = nonce;
    this.#atMs = performance.now() + timeoutMs;
  }

  /** Returns the deadline as it is by now: a request counts from when it is first seen. */
  readonly at = (): number => {
    const request = this.#path === undefined ? undefined : readRequest(this.#path);
    if (request === undefined || request.nonce !== this.#nonce || request.id === this.#id) return this.#atMs;
    this.#id = request.id;
    if (request.timeoutMs === undefined) return this.#atMs;
    this.#atMs = performance.now() + request.timeoutMs;
    return this.#atMs;
  };
}

/** What is damaged, or somebody else's, is no request. */
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

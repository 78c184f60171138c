/**
 * Delivers one event to one hook: at most three attempts of ten seconds each, and never longer than the caller's signal
 * allows.
 */
import { pause } from "../pause.ts";
import { callProgram } from "./call-program.ts";
import type { HookMessage } from "./hook-news.ts";
import type { HookTarget } from "./hook-target.ts";
import type { Attempt } from "./post-json.ts";
import { postJson } from "./post-json.ts";

/** The result of delivering a message. */
export interface Telling {
  readonly told: boolean;
  readonly attempts: number;
  /** How the last attempt went, in words, without the address. */
  readonly detail: string;
}

const DEFAULTS = {
  attemptMs: 10_000,
  /** Pauses before the second and the third attempt. */
  pausesMs: [1_000, 5_000],
};

/** Returns the result; never throws. `env` is the whole environment of a program. */
export async function tellHook(
  target: HookTarget,
  message: HookMessage,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Telling> {
  if (target.kind === "unusable") return { told: false, attempts: 0, detail: target.fault };
  const text = JSON.stringify(message);
  const attempt = async (): Promise<Attempt> => {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), DEFAULTS.attemptMs);
    const until = AbortSignal.any([signal, over.signal]);
    try {
      return target.kind === "url"
        ? await postJson(target.url, text, until)
        : await callProgram(target.path, text, env, until);
    } finally {
      clearTimeout(timer);
    }
  };
  for (let attempts = 1; ; attempts += 1) {
    const result = await attempt();
    const pauseMs = DEFAULTS.pausesMs[attempts - 1];
    if (result.told || !result.again || pauseMs === undefined || signal.aborted) {
      return { told: result.told, attempts, detail: result.detail };
    }
    await pause(pauseMs, signal);
    if (signal.aborted) return { told: false, attempts, detail: result.detail };
  }
}

/** Returns the result as one sentence for the history. */
export function describeTelling(event: string, shown: string, { told, attempts, detail }: Telling): string {
  const tries = attempts > 1 ? `, ${attempts} attempts` : "";
  return told
    ? `hook ${event} told ${shown}: ${detail}${tries}`
    : `hook ${event} could not tell ${shown}: ${detail}${tries}`;
}

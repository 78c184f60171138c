/**
 * Tells hooks what happens to one run. The run never waits for a hook. For each event only the latest message is queued, and a
 * message that is out of date before its turn is dropped. After the run has ended, hooks get ten more seconds to hear about
 * it. Loaded only for a profile with hooks.
 */
import { hostname } from "node:os";

import { pause } from "../pause.ts";
import type { HookEvent, HookMessage, HookSubject } from "./hook-news.ts";
import { hookEventBetween, hookMessage } from "./hook-news.ts";
import { waitBeforeTelling } from "./hook-pace.ts";
import type { HookTarget } from "./hook-target.ts";
import { describeTarget } from "./hook-target.ts";
import { describeTelling, tellHook } from "./tell-hook.ts";

/** The hooks of one profile. */
export interface HookPlan {
  readonly targets: Readonly<Partial<Record<HookEvent, HookTarget>>>;
  /** The whole environment of a program. */
  readonly env: Readonly<Record<string, string>>;
}

/** The profile that the hooks belong to, and where each result is reported. */
export interface HookCalls extends HookPlan {
  readonly profile: string;
  readonly home: string | null;
  /** Called with one sentence for the history; must not throw. */
  readonly remark: (fact: string) => void;
  /** When it aborts, nothing is waited for any more. */
  readonly force: AbortSignal;
}

const DEFAULTS = {
  /** How long a call may go on after the run has ended. */
  lastWordsMs: 10_000,
};

/** States that end the run: there is no later moment to report them. */
const FINAL: ReadonlySet<HookEvent> = new Set(["failed", "blocked", "stopped"]);
/** The event that cancels another one that is still queued. Both are dropped, because nothing has changed for the reader. */
const TAKES_BACK: Readonly<Partial<Record<HookEvent, HookEvent>>> = {
  recovered: "unresponsive",
  unresponsive: "recovered",
};

/** The hooks of one run. */
export class HookCaller {
  readonly #calls: HookCalls;
  readonly #toldMs = new Map<HookEvent, number[]>();
  readonly #waiting = new Map<HookEvent, HookMessage>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #over = new AbortController();
  #before: HookSubject | undefined;
  #news = new AbortController();
  #isPumping = false;

  constructor(calls: HookCalls) {
    this.#calls = calls;
  }

  /** Records a published state; returns at once. */
  report(record: HookSubject): void {
    const before = this.#before;
    this.#before = record;
    const event = hookEventBetween(before, record);
    if (event === undefined) return;
    const { targets, profile, home } = this.#calls;
    const back = TAKES_BACK[event];
    const wasUntold = back !== undefined && this.#waiting.delete(back);
    const target = targets[event];
    if (target === undefined || wasUntold) return;
    const message = hookMessage(event, { profile, home, host: hostname() }, before, record);
    if (FINAL.has(event)) this.#tell(event, target, message);
    else {
      this.#waiting.set(event, message);
      this.#news.abort();
      this.#news = new AbortController();
      if (!this.#isPumping) this.#keep(this.#pump());
    }
  }

  /** Ends the calls of a finished run: drops the queue and waits at most ten seconds for calls under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    const timer = setTimeout(() => this.#over.abort(), DEFAULTS.lastWordsMs);
    const { force } = this.#calls;
    const hurry = (): void => this.#over.abort();
    force.addEventListener("abort", hurry, { once: true });
    if (force.aborted) hurry();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    clearTimeout(timer);
    force.removeEventListener("abort", hurry);
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    const closing = this.#closing.signal;
    while (this.#waiting.size > 0 && !closing.aborted) {
      const now = performance.now();
      const waits = [...this.#waiting.keys()].map(
        (event) => [event, waitBeforeTelling(this.#toldMs.get(event) ?? [], now)] as const,
      );
      const [event, waitMs] = waits.reduce((least, each) => (each[1] < least[1] ? each : least));
      if (waitMs > 0) {
        await pause(waitMs, AbortSignal.any([closing, this.#news.signal]));
        continue;
      }
      const message = this.#waiting.get(event);
      const target = this.#calls.targets[event];
      this.#waiting.delete(event);
      const isStillSo = message?.state === this.#before?.state;
      if (message !== undefined && target !== undefined && isStillSo) await this.#tell(event, target, message);
    }
    this.#isPumping = false;
  }

  #tell(event: HookEvent, target: HookTarget, message: HookMessage): Promise<void> {
    const told = this.#toldMs.get(event) ?? [];
    this.#toldMs.set(event, [...told.slice(-11), performance.now()]);
    return this.#keep(
      tellHook(target, message, this.#calls.env, this.#over.signal).then((telling) =>
        this.#calls.remark(describeTelling(event, describeTarget(target), telling)),
      ),
    );
  }

  #keep(work: Promise<void>): Promise<void> {
    const kept = work.finally(() => this.#underWay.delete(kept));
    this.#underWay.add(kept);
    return kept;
  }
}

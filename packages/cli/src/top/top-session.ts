/**
 * The live view as a running program: reads changes, follows the selected log, carries out keys, and draws. It checks cheap
 * marks every second and works only when one has changed, so an idle view costs nothing.
 */
import { statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { memoryOf, readLastLines, readProcessUsage } from "@lockkeeper/core/internal";
import type { ProcessUsage } from "@lockkeeper/core/internal";
import { gatewayLogPath } from "@lockkeeper/profiles";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import { errorDocument } from "../error-text.ts";
import { describeHealth } from "../status-table.ts";
import { lowestLimit } from "../terminal/sizes.ts";
import { loadWidths } from "../terminal/cell-width.ts";
import type { Screen } from "../terminal/screen.ts";
import { openScreen } from "../terminal/screen.ts";
import type { TerminalDevice } from "../terminal/terminal-device.ts";
import type { Palette } from "../terminal/view.ts";
import type { TopAction, TopRow, TopState, Verb } from "./top-state.ts";
import { INITIAL_STATE, press, selectedRow, withRows } from "./top-state.ts";
import { renderTop } from "./top-view.ts";

const TIMES = {
  /** Pause between two looks at what moves while no profile does. */
  lookMs: 1_000,
  /** Until memory is looked up for the first time: after the first picture, not before it. */
  firstLookMs: 200,
  /** Pause between two samples of memory and processor time. */
  sampleMs: 3_000,
  /** Delay from a new line of a log to its drawing. */
  drawMs: 50,
};

/** How much of a log can be scrolled back. */
const LOG_LINES = 2_000;

/** Shows the view until a key or `stop` ends it. The terminal is given back in every case. */
export async function runTop(
  profiles: Profiles,
  device: TerminalDevice,
  paint: Palette,
  stop: AbortSignal,
): Promise<void> {
  const session = new TopSession(profiles, device, paint);
  await session.run(stop);
}

class TopSession {
  readonly #profiles: Profiles;
  readonly #paint: Palette;
  readonly #screen: Screen;
  readonly #done = new AbortController();
  #state: TopState = INITIAL_STATE;
  #statuses: readonly ProfileStatus[] = [];
  #usage: ReadonlyMap<number, ProcessUsage> = new Map();
  #cpu: ReadonlyMap<number, number> = new Map();
  #memory: ReadonlyMap<number, number> = new Map();
  #sampledAt = -Infinity;
  /** Marks of all logs when they were looked at last. */
  #printed = "";
  #sampleTookMs = 0;
  #lastLines = new Map<string, { readonly mark: string; readonly line: string }>();
  #isDrawPlanned = false;
  #followed: { readonly name: string; readonly end: AbortController } | undefined;

  constructor(profiles: Profiles, device: TerminalDevice, paint: Palette) {
    this.#profiles = profiles;
    this.#paint = paint;
    this.#screen = openScreen(
      device,
      (key) => {
        const { state, action } = press({ ...this.#state, message: { text: "", isError: false } }, key);
        this.#state = state;
        if (action !== undefined) this.#carryOut(action);
        this.#followSelected();
        this.#draw();
      },
      () => this.#draw(),
    );
  }

  async run(stop: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([stop, this.#done.signal]);
    try {
      void this.#sampleUntil(ended);
      for await (const { statuses, fault } of this.#profiles.watch({ signal: ended })) {
        this.#statuses = statuses;
        // A damaged registry may be put right meanwhile; what was seen last stays on the screen.
        if (fault !== null) this.#say(errorDocument(fault).message, true);
        await this.#show();
      }
    } finally {
      this.#followed?.end.abort();
      this.#screen.close();
    }
  }

  /** Memory, processor time and last lines move while no profile does. */
  async #sampleUntil(ended: AbortSignal): Promise<void> {
    let waitMs = TIMES.firstLookMs;
    while (!ended.aborted) {
      await delay(waitMs, undefined, { signal: ended }).catch(() => undefined);
      waitMs = TIMES.lookMs;
      const now = performance.now();
      const isDue = now - this.#sampledAt >= Math.max(TIMES.sampleMs, 20 * this.#sampleTookMs);
      if (isDue) this.#sample(now);
      const printed = this.#statuses
        .map(({ pid, paths }) => (pid === null ? "" : markOf(gatewayLogPath(paths))))
        .join();
      const isNews = isDue || printed !== this.#printed;
      this.#printed = printed;
      if (isNews && !ended.aborted) await this.#show();
    }
  }

  async #show(): Promise<void> {
    this.#state = withRows(this.#state, await this.#rows());
    this.#followSelected();
    this.#draw();
  }

  #sample(now: number): void {
    const pids = this.#statuses.flatMap(({ pid }) => pid ?? []);
    const before = this.#usage;
    const elapsedMs = now - this.#sampledAt;
    this.#sampledAt = now;
    if (pids.length === 0) return;
    this.#usage = readProcessUsage(pids);
    this.#memory = new Map([...this.#usage].map(([pid, usage]) => [pid, memoryOf(usage).bytes]));
    // The kernel walks the page tables of large processes.
    this.#sampleTookMs = performance.now() - now;
    this.#cpu = new Map(
      [...this.#usage].flatMap(([pid, { cpuMs }]) => {
        const earlier = before.get(pid);
        return earlier === undefined ? [] : [[pid, (100 * Math.max(0, cpuMs - earlier.cpuMs)) / elapsedMs] as const];
      }),
    );
  }

  async #rows(): Promise<readonly TopRow[]> {
    return Promise.all(
      this.#statuses.map(async (status) => ({
        name: status.name,
        state: status.state,
        reason: status.reason,
        isCurrent: status.current,
        isProtected: status.protected,
        ports: `${status.port}-${status.port + status.span - 1}`,
        health: describeHealth(status),
        restarts: status.restarts,
        startedAt: status.startedAt,
        memoryBytes: status.pid === null ? null : (this.#memory.get(status.pid) ?? null),
        memoryLimitBytes: lowestLimit(status.memoryRestartBytes, status.memoryMaxBytes),
        cpuPercent: status.pid === null ? null : (this.#cpu.get(status.pid) ?? null),
        lastLine: status.pid === null ? "" : await this.#lastLine(status.name, gatewayLogPath(status.paths)),
        url: status.url,
      })),
    );
  }

  async #lastLine(name: string, file: string): Promise<string> {
    const mark = markOf(file);
    const known = this.#lastLines.get(name);
    if (known?.mark === mark) return known.line;
    const lines = await readLastLines(file, 1).catch(() => []);
    const [line = ""] = await this.#profiles.shownOutput(name, lines).catch(() => []);
    this.#lastLines.set(name, { mark, line });
    return line;
  }

  #carryOut(action: TopAction): void {
    switch (action.kind) {
      case "quit":
        this.#done.abort();
        return;
      case "suspend":
        void this.#screen.suspend();
        return;
      case "act":
        void this.#act(action.verb, action.name);
        return;
    }
  }

  async #act(verb: Verb, name: string): Promise<void> {
    this.#say(`${verb} ${name} ...`, false);
    try {
      const steps = verb === "start" ? (await this.#profiles.order(verb, [name])).steps : [{ name }];
      for (const step of steps) {
        const onProgress = (text: string): void => this.#say(`${step.name}: ${text}`, false);
        const result = await this.#profiles[verb](step.name, { signal: this.#done.signal, onProgress });
        this.#say(`${step.name}: ${result.outcome.replaceAll("-", " ")}`, false);
      }
    } catch (error) {
      const { message, hint } = errorDocument(error);
      this.#say(hint === null ? message : `${message} (${hint})`, true);
    }
    try {
      this.#statuses = await this.#profiles.list({ probe: false });
    } catch (error) {
      this.#say(errorDocument(error).message, true);
    }
    await this.#show();
  }

  #say(text: string, isError: boolean): void {
    this.#state = { ...this.#state, message: { text, isError } };
    this.#draw();
  }

  /** Reads and follows the log of the selected profile while its pane is open. */
  #followSelected(): void {
    const row = this.#state.showLog ? selectedRow(this.#state) : undefined;
    if (this.#followed?.name === row?.name) return;
    this.#followed?.end.abort();
    this.#followed = undefined;
    if (row === undefined) return;
    const end = new AbortController();
    this.#followed = { name: row.name, end };
    void this.#follow(row.name, end.signal);
  }

  async #follow(name: string, signal: AbortSignal): Promise<void> {
    try {
      const { lines, end } = await this.#profiles.log(name, { lines: LOG_LINES });
      if (signal.aborted) return;
      this.#state = { ...this.#state, log: lines.map(({ text }) => text) };
      this.#draw();
      for await (const line of this.#profiles.followLog(name, { from: end, signal })) {
        if (signal.aborted) return;
        const { log, scrolledBack } = this.#state;
        // When scrolled back, the visible lines stay in place.
        const back = scrolledBack === 0 ? 0 : Math.min(LOG_LINES, scrolledBack + 1);
        this.#state = { ...this.#state, log: [...log, line].slice(-LOG_LINES), scrolledBack: back };
        this.#drawSoon();
      }
    } catch (error) {
      this.#say(errorDocument(error).message, true);
    }
  }

  /** A flood of lines is drawn a few times a second, not line by line. */
  #drawSoon(): void {
    if (this.#isDrawPlanned) return;
    this.#isDrawPlanned = true;
    setTimeout(() => {
      this.#isDrawPlanned = false;
      this.#draw();
    }, TIMES.drawMs).unref();
  }

  /** Draws again once characters beyond ASCII can be measured, when there are any. */
  async #measureAll(): Promise<void> {
    if (await loadWidths()) this.#draw();
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size();
    const frame = { state: this.#state, now: Date.now(), home: this.#profiles.home, columns, rows, paint: this.#paint };
    this.#screen.draw(renderTop(frame));
    void this.#measureAll();
  }
}

function markOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "-" : `${stats.ino}.${stats.mtimeNs}.${stats.size}`;
}

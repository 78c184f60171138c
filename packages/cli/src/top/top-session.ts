/**
 * The live view as a running program: reads changes, follows the selected log, carries out keys, and draws. It checks cheap
 * marks every second and works only when one has changed, so an idle view costs nothing.
 */
import { existsSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { followLog, memoryOf, readLastLines, readLog, readProcessUsage } from "@lockkeeper/core";
import type { ProcessUsage } from "@lockkeeper/core";
import { gatewayLogPath, homePaths } from "@lockkeeper/profiles";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import { errorDocument } from "../error-text.ts";
import { describeHealth } from "../status-table.ts";
import { lowestLimit } from "../terminal/sizes.ts";
import type { Screen } from "../terminal/screen.ts";
import { openScreen } from "../terminal/screen.ts";
import type { TerminalDevice } from "../terminal/terminal-device.ts";
import type { Palette } from "../terminal/view.ts";
import type { TopAction, TopRow, TopState, Verb } from "./top-state.ts";
import { INITIAL_STATE, press, selectedRow, withRows } from "./top-state.ts";
import { renderTop } from "./top-view.ts";

const TIMES = {
  /** Pause between two checks of the marks. */
  lookMs: 1_000,
  /** Pause between two full reads without a changed mark, for events that change no file, such as a killed keeper. */
  fullLookMs: 5_000,
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
  #sampleTookMs = 0;
  #lookedAt = -Infinity;
  #marks = "";
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
      while (!ended.aborted) {
        await this.#look();
        this.#draw();
        await delay(TIMES.lookMs, undefined, { signal: ended }).catch(() => undefined);
      }
    } finally {
      this.#followed?.end.abort();
      this.#screen.close();
    }
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const marks = this.#readMarks();
    if (marks !== this.#marks || now - this.#lookedAt >= TIMES.fullLookMs) {
      this.#marks = marks;
      this.#lookedAt = now;
      try {
        this.#statuses = await this.#profiles.list({ probe: false });
      } catch (error) {
        // A damaged registry may be repaired meanwhile; the last view stays on the screen.
        this.#say(errorDocument(error).message, true);
      }
    }
    if (now - this.#sampledAt >= Math.max(TIMES.sampleMs, 20 * this.#sampleTookMs)) this.#sample(now);
    this.#state = withRows(this.#state, await this.#rows());
    this.#followSelected();
  }

  /** Marks that change with a profile, a run or a living process. */
  #readMarks(): string {
    const { registry, settings, run } = homePaths(this.#profiles.home);
    const files = [registry, settings, run].map(markOf);
    const vanished = this.#statuses.filter(({ pid }) => pid !== null && !mayLive(pid)).map(({ name }) => name);
    return [...files, ...vanished].join();
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
        lastLine: status.pid === null ? "" : await this.#lastLine(status.name, logOf(status)),
        url: status.url,
        logFile: logOf(status),
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
    this.#lookedAt = -Infinity;
    await this.#look();
    this.#draw();
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
    void this.#follow(row.logFile, end.signal);
  }

  async #follow(file: string, signal: AbortSignal): Promise<void> {
    try {
      const { lines, end } = await readLog(file, { lines: LOG_LINES });
      if (signal.aborted) return;
      this.#state = { ...this.#state, log: lines.map(({ text }) => text) };
      this.#draw();
      for await (const line of followLog(file, { from: end, signal })) {
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

  #draw(): void {
    const { columns, rows } = this.#screen.size();
    const frame = { state: this.#state, now: Date.now(), home: this.#profiles.home, columns, rows, paint: this.#paint };
    this.#screen.draw(renderTop(frame));
  }
}

function logOf({ paths }: ProfileStatus): string {
  return gatewayLogPath(paths);
}

function markOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "-" : `${stats.ino}.${stats.mtimeNs}.${stats.size}`;
}

/** Only a hint to check sooner, so a host without /proc loses nothing else. */
function mayLive(pid: number): boolean {
  return process.platform !== "linux" || existsSync(`/proc/${pid}`);
}

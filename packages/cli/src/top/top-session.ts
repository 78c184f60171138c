/**
 * The live view as a running program: reads changes, follows the selected log, carries out keys, and draws. It checks cheap
 * marks every second and works only when one has changed, so an idle view costs next to nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import { errorDocument } from "../error-text.ts";
import { loadWidths } from "../terminal/cell-width.ts";
import { textLifeMs } from "../terminal/durations.ts";
import type { Screen } from "../terminal/screen.ts";
import { openScreen } from "../terminal/screen.ts";
import type { TakenScreen } from "../terminal/taken-screen.ts";
import type { TerminalDevice } from "../terminal/terminal-device.ts";
import type { Palette } from "../terminal/view.ts";
import type { LastLines } from "./last-lines.ts";
import { plannedRow, presentRow } from "./top-rows.ts";
import type { TopAction, TopState, Verb } from "./top-state.ts";
import { INITIAL_STATE, press, selectedRow, withRows } from "./top-state.ts";
import { renderTop } from "./top-view.ts";
import type { UsageSampler } from "./usage-sampler.ts";

const TIMES = {
  /** Pause between two looks at what moves while no profile does, after a look that found something; */
  lookMs: 1_000,
  /** and after one that found nothing. */
  restMs: 3_000,
  /** Until memory is looked up for the first time: after the first picture, not before it. */
  firstLookMs: 200,
  /** Least time between two samples of memory and processor time. */
  sampleMs: 2_500,
  /** Delay from a new line of a log to its drawing. */
  drawMs: 50,
};

/** How much of a log can be scrolled back. */
const LOG_LINES = 2_000;

/** The terminal of a view. */
export interface TopTerminal {
  readonly terminal: TerminalDevice;
  /** The first picture, when it has been shown already. */
  readonly taken: TakenScreen | undefined;
  readonly paint: Palette;
}

/** Shows the view until a key or `stop` ends it. The terminal is given back in every case. */
export async function runTop(profiles: Profiles, where: TopTerminal, stop: AbortSignal): Promise<void> {
  await new TopSession(profiles, where).run(stop);
}

/** What the view reads beside the statuses. Loaded after the first picture. */
interface Figures {
  readonly usage: UsageSampler;
  readonly lastLines: LastLines;
}

class TopSession {
  readonly #profiles: Profiles;
  readonly #paint: Palette;
  readonly #screen: Screen;
  readonly #done = new AbortController();
  #state: TopState = INITIAL_STATE;
  /** Undefined until they could be read. */
  #statuses: readonly ProfileStatus[] | undefined;
  #figures: Figures | undefined;
  #drawnAt = 0;
  #isDrawPlanned = false;
  #followed: { readonly name: string; readonly end: AbortController } | undefined;

  constructor(profiles: Profiles, { terminal, taken, paint }: TopTerminal) {
    this.#profiles = profiles;
    this.#paint = paint;
    if (taken !== undefined) this.#state = withRows(this.#state, taken.profiles.map(plannedRow));
    this.#screen = openScreen(
      terminal,
      (key) => {
        const { state, action } = press({ ...this.#state, message: { text: "", isError: false } }, key);
        this.#state = state;
        if (action !== undefined) this.#carryOut(action);
        this.#followSelected();
        this.#draw();
      },
      () => this.#draw(),
      taken,
    );
    this.#draw();
  }

  async run(stop: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([stop, this.#done.signal]);
    try {
      void this.#lookUntil(ended);
      for await (const { statuses, fault } of this.#profiles.watch({ signal: ended })) {
        // A damaged registry may be put right meanwhile; what was seen last stays on the screen.
        if (fault !== null) this.#say(errorDocument(fault).message, true);
        if (fault === null || this.#statuses !== undefined) await this.#show(statuses);
      }
    } finally {
      this.#followed?.end.abort();
      this.#screen.close();
    }
  }

  /** Memory, processor time, last lines and the clock move while no profile does. */
  async #lookUntil(ended: AbortSignal): Promise<void> {
    let waitMs = TIMES.firstLookMs;
    let sampledAt = -Infinity;
    let tookMs = 0;
    while (!ended.aborted) {
      await delay(waitMs, undefined, { signal: ended }).catch(() => undefined);
      const statuses = this.#statuses;
      if (ended.aborted || statuses === undefined || this.#figures === undefined) continue;
      const { usage, lastLines } = this.#figures;
      const now = performance.now();
      let isNews = lastLines.hasNews(statuses) || this.#isClockDue(statuses);
      if (now - sampledAt >= Math.max(TIMES.sampleMs, 20 * tookMs)) {
        const pids = statuses.flatMap(({ pid }) => pid ?? []);
        if (usage.sample(pids, now)) isNews = true;
        // The kernel walks the page tables of large processes.
        tookMs = performance.now() - now;
        sampledAt = now;
      }
      waitMs = isNews ? TIMES.lookMs : TIMES.restMs;
      if (isNews) await this.#show(statuses);
    }
  }

  #isClockDue(statuses: readonly ProfileStatus[]): boolean {
    const now = Date.now();
    const life = textLifeMs(
      statuses.map(({ startedAt }) => startedAt),
      now,
    );
    // A look comes a little sooner or later than a second after the one before.
    return now - this.#drawnAt >= life - TIMES.lookMs / 2;
  }

  async #show(statuses: readonly ProfileStatus[]): Promise<void> {
    this.#statuses = statuses;
    const { usage, lastLines } = (this.#figures ??= await this.#loadFigures());
    const rows = await Promise.all(
      statuses.map(async (status) =>
        presentRow(status, status.pid === null ? undefined : usage.of(status.pid), await lastLines.of(status)),
      ),
    );
    // Newer ones came while these were completed.
    if (this.#statuses !== statuses) return;
    this.#state = withRows(this.#state, rows);
    this.#followSelected();
    this.#draw();
  }

  async #loadFigures(): Promise<Figures> {
    const [{ UsageSampler }, { LastLines }] = await Promise.all([
      import("./usage-sampler.ts"),
      import("./last-lines.ts"),
    ]);
    return { usage: new UsageSampler(), lastLines: new LastLines(this.#profiles) };
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
      await this.#show(await this.#profiles.list({ probe: false }));
    } catch (error) {
      this.#say(errorDocument(error).message, true);
    }
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
    this.#drawnAt = Date.now();
    const frame = { state: this.#state, now: Date.now(), home: this.#profiles.home, columns, rows, paint: this.#paint };
    this.#screen.draw(renderTop(frame));
    void this.#measureAll();
  }
}

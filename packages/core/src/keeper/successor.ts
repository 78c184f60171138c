/**
 * A gateway that restarts itself forks a detached successor and exits. The successor is recognised by the run's port and the
 * run's own processes; nothing is ended here. For the keeper.
 */
import type { ProcessIdentity } from "../host/process-identity.ts";
import { identifyProcess } from "../host/process-identity.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import { nextLookMs, pause } from "../pause.ts";
import { viewPorts } from "./port-view.ts";
import type { Sparing } from "./sparing.ts";
import { ageOf, tellApart } from "./sparing.ts";

/** Options of {@link awaitSuccessor}. */
export interface SuccessorSearch {
  readonly run: ProcessTreeQuery;
  readonly host: string;
  readonly port: number;
  /** How long a process of the run may take to begin listening. */
  readonly patienceMs: number;
  readonly stop: AbortSignal;
  /** Spared processes, which are successors only when they are young. */
  readonly sparing?: Sparing | undefined;
  /** Called once, when there is a process to wait for. */
  readonly onWaiting: () => void;
}

const SLOWEST_LOOK_MS = 100;
/** A successor is started by a gateway that is about to end; an older process with its own session is not one. */
const YOUNG_MS = 10_000;

/** Returns the process of the run that listens on the port, or the remaining processes of the run when there is none in time. */
export async function awaitSuccessor(
  search: SuccessorSearch,
): Promise<ProcessIdentity | "nothing-left" | "litter-left"> {
  const { host, port, patienceMs, stop, onWaiting } = search;
  const startedAt = performance.now();
  let run = search.run;
  for (let told = false; ; told = true) {
    const { own, spared } = tellApart(findRunProcesses(run), search.sparing, search.run.known);
    const known = [...own, ...spared.filter((each) => ageOf(each) < YOUNG_MS)];
    if (known.length === 0) return "nothing-left";
    run = { ...run, known };
    const seen = await viewPorts(host, [port], run);
    const successor = seen.view === "ours" ? identifyProcess(seen.holder.pid) : undefined;
    if (successor !== undefined) return successor;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= patienceMs || stop.aborted) return "litter-left";
    if (!told) onWaiting();
    await pause(nextLookMs(waitedMs, SLOWEST_LOOK_MS), stop);
  }
}

/**
 * Matches an installation on disk with the listeners of now, to find the process that serves it. Shared by `discover` and
 * `import`. Pure.
 */
import { describeHolder } from "@lockkeeper/core/internal";
import type { Installation } from "../foreign-program.ts";
import type { ListeningPort } from "./answering-listeners.ts";

/** An installation with its listener while it runs. */
export interface LocatedInstallation {
  readonly installation: Installation;
  /** Its living listener; null when it does not run or another process has its port. */
  readonly live: ListeningPort | null;
  readonly notes: readonly string[];
}

/** Returns every installation with its living listener. */
export function locateInstallations(
  installations: readonly Installation[],
  listening: readonly ListeningPort[],
): readonly LocatedInstallation[] {
  return installations.map((installation) => ({ installation, ...findLive(installation, listening) }));
}

function findLive(
  { port, records, notes: known }: Installation,
  listening: readonly ListeningPort[],
): { readonly live: ListeningPort | null; readonly notes: readonly string[] } {
  const notes = [...known];
  for (const { owner, port: recorded, role } of records) {
    if (owner === null || role !== "gateway") continue;
    const held = listening.filter((each) => each.owner?.pid === owner.pid);
    const live = held.find((each) => each.port === (recorded ?? port)) ?? held.find(({ health }) => health === "ok");
    if (live !== undefined) return { live, notes };
  }
  const onPort = port === null ? undefined : listening.find((each) => each.port === port);
  if (onPort === undefined) return { live: null, notes };
  const holder = onPort.owner === null ? "a process that is not visible" : describeHolder(onPort.owner);
  if (onPort.health === "ok") {
    notes.push(`a gateway answers on its port ${onPort.port}, ${holder}, but no record of its own names it`);
    return { live: onPort, notes };
  }
  notes.push(`its port ${onPort.port} is held by ${holder}, which does not answer as a gateway`);
  return { live: null, notes };
}

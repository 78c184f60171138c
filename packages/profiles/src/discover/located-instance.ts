/**
 * Brings together what an OpenClaw instance left on disk and who listens now: on which port it lives or would live, and
 * whose process that is. The same judgement for `discover`, `import` and `takeover`. Pure.
 */
import type { ListeningPort } from "./answering-listeners.ts";
import type { PortSource } from "./discovered-gateway.ts";
import { openClawDefaultPorts } from "../openclaw/openclaw-folders.ts";
import type { OpenClawInstance } from "./openclaw-instances.ts";

/** An instance with its port and, while it runs, its listener. */
export interface LocatedInstance {
  readonly instance: OpenClawInstance;
  readonly port: number | null;
  readonly portSource: PortSource | null;
  /** Its living listener; null when it does not run, or somebody else has its port. */
  readonly live: ListeningPort | null;
  readonly notes: readonly string[];
}

/** Returns every instance with its port and its living listener. `taken`: ports that profiles of ours account for. */
export function locateInstances(
  instances: readonly OpenClawInstance[],
  listening: readonly ListeningPort[],
  taken: ReadonlySet<number> = new Set(),
): readonly LocatedInstance[] {
  const accounted = new Set([...taken, ...instances.flatMap(({ port }) => port ?? [])]);
  return instances.map((instance) => {
    const { live, notes } = findLive(instance, listening);
    if (instance.port !== null) {
      return { instance, port: instance.port, portSource: instance.portSource, live, notes };
    }
    if (live !== null) return { instance, port: live.port, portSource: "lock", live, notes };
    // Believed only when a gateway answers there that nobody else accounts for.
    const usual = openClawDefaultPorts.get(instance.name);
    const found = listening.find(({ port, health }) => port === usual && health === "ok" && !accounted.has(port));
    return {
      instance,
      port: found?.port ?? null,
      portSource: found === undefined ? null : "listener",
      live: found ?? null,
      notes,
    };
  });
}

function findLive(
  { port, locks, config }: OpenClawInstance,
  listening: readonly ListeningPort[],
): { readonly live: ListeningPort | null; readonly notes: readonly string[] } {
  const notes = config.fault === null ? [] : [`its config cannot be relied on: ${config.fault}`];
  for (const { owner, pid, path, port: recorded } of locks) {
    if (owner === null) {
      notes.push(`${path} names pid ${pid}, which is gone or another process by now`);
      continue;
    }
    const held = listening.filter((each) => each.owner?.pid === owner.pid);
    const live = held.find((each) => each.port === (recorded ?? port)) ?? held.find(({ health }) => health === "ok");
    if (live === undefined) continue;
    if (port !== null && live.port !== port) notes.push(`it runs on port ${live.port}, not on its own port ${port}`);
    return { live, notes };
  }
  const onPort = port === null ? undefined : listening.find((each) => each.port === port);
  if (onPort === undefined) return { live: null, notes };
  if (onPort.health === "ok" || /openclaw/i.test(onPort.owner?.command ?? "")) return { live: onPort, notes };
  const holder =
    onPort.owner === null ? "a process that is not visible" : `pid ${onPort.owner.pid} (${onPort.owner.command})`;
  notes.push(`its port ${onPort.port} is held by ${holder}, which does not answer as a gateway`);
  return { live: null, notes };
}

/** One look at a running gateway: whose listener is on its port, and what its health check says. Changes nothing. */
import { probeHealth } from "../gateway/health.ts";
import { hostWithPort } from "../host/address.ts";
import { describeHolder } from "../host/holder.ts";
import { alreadyListening } from "../host/port-in-use.ts";
import { probeListener } from "../host/probe-port.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import type { PortView, PortWatch } from "./port-view.ts";
import type { Health } from "./run-record.ts";

/** How long a gateway may take for an answer, in milliseconds. */
export const HEALTH_TIMEOUT_MS = 2_000;

/** Whether a gateway has answered a request in this run. */
export interface Answers {
  seen: boolean;
}

/** What one look has found. */
export interface Look {
  readonly health: Health;
  /** The owner of the listener on the port. */
  readonly port: PortView["view"] | "not-asked";
  /** The reason for both, in words; empty when there is nothing to add. */
  readonly detail: string;
}

/**
 * Returns what the listener on the gateway's port and its health check say now, within {@link HEALTH_TIMEOUT_MS} or when `over`
 * aborts.
 *
 * @param isExpected whether the gateway has probably just begun to listen.
 * @param answers notes the first answer, after which silence is a fault.
 */
export async function lookAt(
  spec: KeeperSpec,
  portWatch: PortWatch,
  isExpected: boolean,
  answers: Answers,
  over: AbortSignal,
): Promise<Look> {
  const { host, port, health } = spec;
  if (health.kind === "none") return { health: "unknown", port: "not-asked", detail: "" };
  // A connect first is cheap while nobody listens. A gateway that is asked over its port anyway may get one.
  const seen = await portWatch.look(health.kind !== "tcp" && !isExpected);
  switch (seen.view) {
    case "nobody":
      return { health: "failing", port: seen.view, detail: `nothing listens on ${hostWithPort(host, port)}` };
    case "stranger":
      return {
        health: "failing",
        port: seen.view,
        detail: `${alreadyListening(host, port)}: ${describeHolder(seen.holder)}`,
      };
    case "ours":
    case "unknown": {
      const wider = seen.view === "ours" && seen.wider ? `listens on ${seen.address}, wider than ${host}` : "";
      if (health.kind === "http") {
        const asked = await probeHealth({ host, port, ...health, timeoutMs: HEALTH_TIMEOUT_MS, signal: over });
        const detail = asked.health === "ok" ? wider : `health check ${shownPath(health)}: ${asked.detail}`;
        return { health: asked.health, port: seen.view, detail };
      }
      if (health.kind === "answer") {
        const probe = { host, port, path: "/", expect: "any", scheme: health.scheme } as const;
        const asked = await probeHealth({ ...probe, timeoutMs: HEALTH_TIMEOUT_MS, signal: over });
        if (asked.health === "ok") answers.seen = true;
        if (asked.health === "failing" && answers.seen) {
          return { health: "failing", port: seen.view, detail: `no answer to HEAD /: ${asked.detail}` };
        }
      }
      if (seen.view === "ours") return { health: "ok", port: seen.view, detail: wider };
      const taken = (await probeListener(host, port)) === "listening";
      return { health: taken ? "ok" : "failing", port: seen.view, detail: "" };
    }
  }
}

/** The query after the path may be a secret, and reports of a run are read by many. */
function shownPath({ path }: { readonly path: string }): string {
  return path.replace(/[?#].*$/s, "");
}

/** Returns why a gateway that answers has not started yet; undefined when it has. */
export async function readinessFault(
  { host, port, readiness }: KeeperSpec,
  over: AbortSignal,
): Promise<string | undefined> {
  if (readiness?.kind !== "http") return undefined;
  const asked = await probeHealth({ host, port, ...readiness, timeoutMs: HEALTH_TIMEOUT_MS, signal: over });
  return asked.health === "ok" ? undefined : `readiness check ${shownPath(readiness)}: ${asked.detail}`;
}

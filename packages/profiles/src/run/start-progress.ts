/** The progress of a start: its state, and what it still waits for. Pure. */
import { hostWithPort } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import { schemeOf, webSchemeOf } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";

type Progress = Pick<RunRecord, "reason" | "gateway" | "host" | "port"> & { readonly state: string };

/** Returns one line; a reason from the keeper is more precise than what is waited for. */
export function describeStart(
  manifest: Pick<Manifest, "kind" | "scheme" | "health">,
  { state, reason, gateway, host, port }: Progress,
): string {
  if (reason !== null) return `${state}: ${reason}`;
  const awaited = state === "starting" && gateway !== null ? awaitedAddress(manifest, hostWithPort(host, port)) : null;
  return awaited === null ? state : `${state}, waiting for ${awaited}`;
}

/** Null for a gateway without a health check. */
function awaitedAddress(manifest: Pick<Manifest, "kind" | "scheme" | "health">, where: string): string | null {
  const { health } = manifest;
  if (health === "none") return null;
  if (health === "tcp") return where;
  // The query after a path may be a secret.
  const path = health === "http" ? "/" : health.replace(/[?#].*$/s, "");
  return `${webSchemeOf(schemeOf(manifest))}://${where}${path}`;
}

/** The ports of one run: the profile's own, or the whole block moved to the requested base. Pure. */
import { withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { profileClaims } from "../ports/port-claims.ts";
import { refuseOverlap } from "../ports/port-overlap.ts";
import { parsePort, refuseTooHigh } from "../port-number.ts";
import type { Registry } from "../registry/registry.ts";

/** The ports of one run. */
export interface RunPorts {
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Returns the ports of a run whose base is `asked`.
 *
 * @throws {LockkeeperError} PORT_INVALID when the block would end above 65535; PORTS_OVERLAP when it would overlap another
 * profile's ports, running or not.
 */
export function planRunPorts(registry: Registry, manifest: Manifest, asked: number): RunPorts {
  if (asked === manifest.port) return manifest;
  const port = parsePort(asked);
  refuseTooHigh(port, manifest.span);
  const moved = withPort(manifest, port);
  const others = [...registry.values()].filter(({ name }) => name !== manifest.name);
  refuseOverlap(registry, profileClaims(moved), others.flatMap(profileClaims));
  return { port, ports: moved.ports };
}

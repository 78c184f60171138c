/** The ports of one run: the profile's own, or the whole block moved to the requested base. Pure. */
import { LockkeeperError } from "@lockkeeper/core";
import { withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { overlapError } from "../ports/port-choice.ts";
import { blockOf, profileClaims } from "../ports/port-claims.ts";
import { HIGHEST_PORT, parsePort } from "../port-number.ts";
import { formatRange, overlaps } from "../ports/port-plan.ts";
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
  const block = blockOf({ port, span: manifest.span });
  if (block.last > HIGHEST_PORT) {
    throw new LockkeeperError("PORT_INVALID", `the block ${formatRange(block)} ends above ${HIGHEST_PORT}`, {
      hint: `With ${manifest.span} ports the highest base is ${HIGHEST_PORT - manifest.span + 1}.`,
    });
  }
  const moved = withPort(manifest, port);
  const wanted = profileClaims(moved);
  for (const [name, other] of registry) {
    if (name === manifest.name) continue;
    const inTheWay = profileClaims(other).find((claim) => wanted.some((range) => overlaps(range, claim)));
    if (inTheWay !== undefined) throw overlapError(registry, block, inTheWay);
  }
  return { port, ports: moved.ports };
}

/** Checks the options of a block of ports: its address, its length, and its named ports. Pure. */
import { LockkeeperError } from "@lockkeeper/core";
import { lastDerived } from "../gateway-kind.ts";
import type { GatewayKind } from "../gateway-kind.ts";
import { isHost } from "../manifest.ts";
import { HIGHEST_PORT, refuseTooHigh } from "../port-number.ts";

const PORT_LABEL = /^[a-z][a-z0-9-]{0,31}$/;

/** Returns the address. @throws {LockkeeperError} OPTION_INVALID */
export function checkHost(host: string): string {
  if (isHost(host)) return host;
  throw invalid("host", host, "Give one address or name, without brackets or port.");
}

/** Returns the length of a block that fits the kind and ends by the highest port. @throws {LockkeeperError} OPTION_INVALID, PORT_INVALID */
export function checkSpan(span: number, kind: GatewayKind, port: number | undefined): number {
  const least = 1 + lastDerived(kind);
  if (!Number.isInteger(span) || span < least || span > HIGHEST_PORT) {
    throw invalid(
      "span",
      span,
      `A ${kind.name} gateway takes a whole number of ports, from ${least} to ${HIGHEST_PORT}.`,
    );
  }
  if (port !== undefined) refuseTooHigh(port, span);
  return span;
}

/** Returns the derived ports of a kind of gateway, as distances from the base. */
export function derivedOffsets(kind: GatewayKind): Record<string, number> {
  return Object.fromEntries(kind.derived.map((range) => [range.name, range.first]));
}

/** Returns the extra ports, each within the block and with a unique name. @throws {LockkeeperError} OPTION_INVALID */
export function checkExtraPorts(
  extra: Readonly<Record<string, number>>,
  kind: GatewayKind,
  span: number,
): Readonly<Record<string, number>> {
  for (const [label, offset] of Object.entries(extra)) {
    const taken = label === "gateway" || kind.derived.some((range) => range.name === label);
    if (taken || !PORT_LABEL.test(label)) throw invalid("extra port", label, "Give it a name of its own: metrics=+1.");
    if (!Number.isInteger(offset) || offset < 1 || offset >= span) {
      throw invalid(`extra port ${label}`, offset, `It is a distance from the base, from +1 to +${span - 1}.`);
    }
    const own = kind.derived.find(({ first, last }) => offset >= first && offset <= last);
    if (own !== undefined) {
      throw invalid(`extra port ${label}`, offset, `A gateway of kind ${kind.name} opens it itself (${own.name}).`);
    }
  }
  return extra;
}

function invalid(what: string, value: unknown, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid ${what}: ${JSON.stringify(value)}`, { hint });
}

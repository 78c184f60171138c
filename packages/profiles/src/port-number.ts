/** Port numbers, as numbers and as words of the command line. Pure. */
import { LockkeeperError } from "@lockkeeper/core";

/** Source: TCP has 16 bits for a port. */
export const HIGHEST_PORT = 65_535;

/** Returns whether `value` is a whole number from 1 to 65535. */
export function isPort(value: unknown): value is number {
  // All bits of a whole number up to the highest one; every command asks this of all ports that there are.
  return typeof value === "number" && (value & HIGHEST_PORT) === value && value !== 0;
}

/**
 * Returns the port in `value`: a number, or plain digits.
 *
 * @param where what has that value, for the message: `--port`.
 * @throws {LockkeeperError} PORT_INVALID for anything but 1 to 65535: 0, 70000, `abc`, `1.5`, `-1`, the empty text.
 */
export function parsePort(value: string | number, where?: string): number {
  const port = typeof value === "number" ? value : /^[1-9]\d{0,4}$/.test(value) ? Number(value) : undefined;
  if (isPort(port)) return port;
  throw new LockkeeperError(
    "PORT_INVALID",
    `not a port: ${JSON.stringify(value)}${where === undefined ? "" : ` (${where})`}`,
    {
      hint: "A port is a whole number from 1 to 65535.",
    },
  );
}

/** @throws {LockkeeperError} PORT_INVALID when `span` ports from `port` on would end above the highest port. */
export function refuseTooHigh(port: number, span: number): void {
  const last = port + span - 1;
  if (last <= HIGHEST_PORT) return;
  throw new LockkeeperError("PORT_INVALID", `the block ${port}-${last} ends above ${HIGHEST_PORT}`, {
    hint: `With ${span} ports the highest base is ${HIGHEST_PORT - span + 1}.`,
  });
}

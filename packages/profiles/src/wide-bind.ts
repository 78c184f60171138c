/** A gateway on every address of the machine can be reached by others. This is said at a terminal, not only in a log. */
import { isWildcardHost, warn } from "@lockkeeper/core/internal";
import type { Manifest } from "./manifest.ts";

/** Warns when the profile's host stands for every address; `port` is the one of this run. @default the profile's own */
export function warnOfWideBind({ name, kind, host, port: own }: Manifest, port: number = own): void {
  if (!isWildcardHost(host)) return;
  const needed = kind === "command" ? "what its program asks for" : "its token";
  warn(
    `${name} is set to listen on every address of this machine (${host}): whoever reaches port ${port} needs only ${needed}`,
    "WIDE_BIND",
  );
}

/** The one list of kinds. */
import { builtin } from "./builtin.ts";
import { command } from "./command.ts";
import type { KindName } from "../manifest.ts";
import type { GatewayKind } from "./gateway-kind.ts";
import { openclaw } from "./openclaw.ts";

/** Every kind, by its name. */
export const kinds: Readonly<Record<KindName, GatewayKind>> = { builtin, command, openclaw };

/** Returns whether `text` names a kind. */
export function isKindName(text: string): text is KindName {
  return Object.hasOwn(kinds, text);
}

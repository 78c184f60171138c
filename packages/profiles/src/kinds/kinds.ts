/** The one list of kinds. */
import { builtin } from "./builtin.ts";
import { command } from "./command.ts";
import type { KindName } from "../manifest.ts";
import type { ForeignProgram } from "../foreign-program.ts";
import type { GatewayKind } from "../gateway-kind.ts";
import { openclaw } from "../openclaw/openclaw.ts";

/** Every kind, by its name. */
export const kinds: Readonly<Record<KindName, GatewayKind>> = { builtin, command, openclaw };

/** Returns whether `text` names a kind. */
export function isKindName(text: string): text is KindName {
  return Object.hasOwn(kinds, text);
}

/** Returns every program that people also run without Lockkeeper, with its kind. */
export async function foreignPrograms(): Promise<
  readonly { readonly kind: GatewayKind; readonly program: ForeignProgram }[]
> {
  const found = Object.values(kinds).map(async (kind) => ({ kind, program: await kind.foreign?.() }));
  return (await Promise.all(found)).flatMap(({ kind, program }) => (program === undefined ? [] : [{ kind, program }]));
}

/** Every known variable of any kind of gateway. */
export const kindVariables: readonly string[] = Object.values(kinds).flatMap(
  ({ ownVariables }) => ownVariables?.known ?? [],
);

/** Returns whether the variable belongs to some kind of gateway. */
export function isKindVariable(variable: string): boolean {
  return Object.values(kinds).some(
    ({ ownVariables }) => ownVariables !== undefined && variable.startsWith(ownVariables.prefix),
  );
}

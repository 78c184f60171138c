/**
 * The description of a command: data, in `commands.ts`. Types only. The readers know descriptions; a command's own file knows
 * its arguments, which are inferred from its description.
 */
import type { ErrorCode } from "@lockkeeper/core";
import type { GROUPS } from "./commands.ts";
import type { OPTIONS, OptionName } from "./options.ts";

/** An argument without a dash, in its place. */
export interface PositionalSpec {
  readonly name: string;
  readonly arity: "required" | "optional" | "many";
  readonly summary: string;
  readonly choices?: readonly string[];
  /** A new name, so completion suggests nothing. */
  readonly free?: true;
}

/**
 * The profiles of a command without names, and its treatment of a protected one. `usual`: no difference; `skipped`: left alone
 * and named; `confirmed`: only when the name is given a second time.
 */
export interface ProfileRule {
  readonly unnamed: "current" | "all" | "refused";
  readonly protected: "usual" | "skipped" | "confirmed";
  /** `look` and `stop`: without a readable registry they go on with the profiles that are known. @default it changes or starts them */
  readonly to?: "look" | "stop";
}

/** One command, as data. */
export interface CommandSpec {
  /** The chapter of the help. */
  readonly group: keyof typeof GROUPS;
  readonly aliases?: readonly string[];
  /** Words of other tools for this command: a person who types one is told this command; it is not run. */
  readonly synonyms?: readonly string[];
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionName[];
  /** Extra explanations of options for this command. */
  readonly summaries?: Readonly<Partial<Record<OptionName, string>>>;
  /** The words after `--`, passed on untouched; absent: none are allowed. */
  readonly rest?: string;
  readonly rule?: ProfileRule;
  /** Pairs of a command line (without the program's name) and its effect. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
}

/** Arguments at their widest; a command's file declares `ArgumentsOf<typeof COMMANDS["..."]>`. */
export type Given = Readonly<Record<string, unknown>>;

interface ValueTypes {
  readonly text: string | undefined;
  readonly list: readonly string[];
  readonly flag: boolean;
  readonly port: number | undefined;
  readonly count: number | undefined;
  /** Milliseconds. */
  readonly duration: number | undefined;
  /** Bytes. */
  readonly size: number | undefined;
  /** Milliseconds since the epoch. */
  readonly moment: number | undefined;
}

type OptionValue<O extends OptionName> = (typeof OPTIONS)[O] extends { choices: readonly (infer C)[] }
  ? C | undefined
  : (typeof OPTIONS)[O]["type"] extends infer T extends keyof ValueTypes
    ? ValueTypes[T]
    : never;

interface ArityTypes {
  readonly required: string;
  readonly optional: string | undefined;
  readonly many: readonly string[];
}

/** The arguments that a described command gets: its positionals and options by name, and `rest` (what followed `--`). */
export type ArgumentsOf<C extends { positionals: readonly PositionalSpec[]; options: readonly OptionName[] }> = {
  readonly [P in C["positionals"][number] as P["name"]]: ArityTypes[P["arity"]];
} & { readonly [O in C["options"][number]]: OptionValue<O> } & {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Undefined: there was no `--`. */
  readonly rest: readonly string[] | undefined;
};

/** The part of an error that scripts may rely on. */
export interface ErrorDocument {
  readonly code: ErrorCode | "INTERNAL";
  readonly message: string;
  readonly hint: string | null;
}

/** The width of the help that is made once, at build time. A narrower terminal gets its own. */
export const HELP_COLUMNS = 80;

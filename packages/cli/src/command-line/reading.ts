/**
 * The result of a reader of the command line, before any value is checked: the cheap reader and the yargs reader must agree on
 * it. Values are raw text here; only `arguments.ts` checks them.
 */
import type { OptionName } from "./options.ts";

/** A command line that names a command, as it was typed: values are not checked yet. */
export interface Reading {
  readonly kind: "call";
  /** The command's own name, never an alias. */
  readonly command: string;
  readonly positionals: readonly string[];
  /** Options that were given: true for a flag, every value in order for the others. */
  readonly options: Readonly<Partial<Record<OptionName, true | readonly string[]>>>;
  /** What followed `--`, untouched. */
  readonly rest: readonly string[] | undefined;
}

/** A request for help on a command, or on the program. */
export interface HelpRequest {
  readonly kind: "help";
  readonly command: string | undefined;
}

/** `lockkeeper --version`. */
export interface VersionRequest {
  readonly kind: "version";
}

/** What a command line asks for. */
export type Request = Reading | HelpRequest | VersionRequest;

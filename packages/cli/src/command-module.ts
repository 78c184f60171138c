/** What runs a command: the shape of every file in `commands/`, and what it returns. Types only. */
import type { Given } from "./command-line/command.ts";
import type { Context } from "./context.ts";
import type { View } from "./terminal/view.ts";

/** What one profile's part of a command came to, when it failed. */
export interface Failure {
  /** The profile, or null where the failure is not one profile's. */
  readonly name: string | null;
  readonly error: unknown;
}

/** What a command returns. Its exit status is `status`, or what its failures come to when there are any. */
export interface Result {
  /** The JSON document, and what `render` gets. Undefined: everything has been written already. */
  readonly value: unknown;
  /** What `render` gets instead, where it needs more than the document holds. */
  readonly shown?: unknown;
  /** @default 0 */
  readonly status?: number;
  readonly failures?: readonly Failure[];
  /** For people, on stderr: not with `--json` or `--quiet`. */
  readonly notes?: readonly string[];
}

/** The file of a command. Methods, so that a command may narrow what it takes to what its description yields. */
export interface CommandModule {
  /** Its text is for another program, which must get every character as it is: a shell that evaluates it. @default false */
  readonly exact?: boolean;
  run(context: Context, given: Given): Promise<Result>;
  /** Pure: the text of `value`, with its line ends; "" for silence. */
  render(value: unknown, view: View): string;
}

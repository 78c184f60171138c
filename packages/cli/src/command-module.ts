/** The shape of every file in `commands/`, and its result. Types only. */
import type { Given } from "./command-line/command.ts";
import type { Context } from "./context.ts";
import type { View } from "./terminal/view.ts";

/** The failure of a command for one profile. */
export interface Failure {
  /** The profile, or null where the failure is not one profile's. */
  readonly name: string | null;
  readonly error: unknown;
}

/** The result of a command. Its exit status is `status`, or that of its failures when there are any. */
export interface Result {
  /** The JSON document, and the input of `render`. Undefined: everything has been written already. */
  readonly value: unknown;
  /** The input of `render`, when it needs more than the document. */
  readonly shown?: unknown;
  /** @default 0 */
  readonly status?: number;
  readonly failures?: readonly Failure[];
  /** For people, on stderr: not with `--json` or `--quiet`. */
  readonly notes?: readonly string[];
}

/** The file of a command. Methods, so that a command may declare the narrower arguments of its description. */
export interface CommandModule {
  /** Whether its text is for another program, such as a shell that evaluates it, and must not be escaped. @default false */
  readonly exact?: boolean;
  run(context: Context, given: Given): Promise<Result>;
  /** Pure: the text of `value`, with its line ends; "" for silence. */
  render(value: unknown, view: View): string;
}

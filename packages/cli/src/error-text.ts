/**
 * Turns an error into what a person or a script gets to see. Decides on `code`, never on message text. Errors that are
 * not ours are bugs of ours and say so, with their stack.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { ErrorDocument } from "./command-line/command.ts";
import { documented } from "./documented-error.ts";
import { mapStack } from "./stack-trace.ts";
import { plainLine, plainText } from "./terminal/plain-text.ts";
import type { Palette } from "./terminal/view.ts";

const BUG_HINT = "This is a bug in lockkeeper: please report it with the command that you ran.";

/** An argument of a hundred kilobytes is named by its beginning: the message is for people. */
const LONGEST_TEXT = 1_000;

const clip = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text);

/** Returns the part of an error that scripts may rely on. */
export function errorDocument(thrown: unknown): ErrorDocument {
  const error = documented(thrown);
  if (error instanceof LockkeeperError) {
    return { code: error.code, message: clip(error.message), hint: error.hint === undefined ? null : clip(error.hint) };
  }
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), hint: BUG_HINT };
}

/**
 * Returns the lines for stderr: the message, below it what was observed (such as who holds a port), the hint last.
 *
 * @param name the profile that failed, when the command was for several; said unless the message says it.
 */
export function errorText(thrown: unknown, paint: Palette, name: string | null): string {
  const error = documented(thrown);
  const { code, message, hint } = errorDocument(error);
  const text = code === "INTERNAL" && error instanceof Error ? mapStack(error.stack ?? message) : message;
  const subject = name === null || message.includes(name) ? "" : `${name}: `;
  // A newline in a path or an argument must not begin a line that looks like one of ours; a stack has lines of its own.
  const shown = code === "INTERNAL" ? plainText(subject + text) : plainLine(subject + text);
  const lines = [`${paint.red("error:")} ${shown}`];
  const evidence = error instanceof LockkeeperError ? error.evidence : [];
  for (const observed of evidence) lines.push(`  ${plainLine(clip(observed))}`);
  if (hint !== null) lines.push(`${paint.cyan("hint:")} ${plainLine(hint)}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Renders an error for people and scripts. Decides on `code`, never on message text. Any undocumented error is a bug and is
 * reported as one, with its stack.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { ErrorDocument } from "./command-line/command.ts";
import { documented } from "./documented-error.ts";
import { mapStack } from "./stack-trace.ts";
import { plainLine, plainText } from "./terminal/plain-text.ts";
import type { Palette } from "./terminal/view.ts";

const BUG_HINT = "This is a bug in lockkeeper: please report it with the command that you ran.";

/** A very long argument is shortened, because the message is for people. */
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
 * Returns the lines for stderr: the message, then the observations (such as the holder of a port), then the hint.
 *
 * @param name the profile that failed, when the command was for several; added unless the message contains it.
 */
export function errorText(thrown: unknown, paint: Palette, name: string | null): string {
  const error = documented(thrown);
  const { code, message, hint } = errorDocument(error);
  const text = code === "INTERNAL" && error instanceof Error ? mapStack(error.stack ?? message) : message;
  const subject = name === null || message.includes(name) ? "" : `${name}: `;
  // A newline in a path or an argument must not begin a line that looks like ours; only a stack keeps its lines.
  const shown = code === "INTERNAL" ? plainText(subject + text) : plainLine(subject + text);
  const lines = [`${paint.red("error:")} ${shown}`];
  const evidence = error instanceof LockkeeperError ? error.evidence : [];
  for (const observed of evidence) lines.push(`  ${plainLine(clip(observed))}`);
  if (hint !== null) lines.push(`${paint.cyan("hint:")} ${plainLine(hint)}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Checks the raw text from a reader: ports, counts, durations, choices. The one place where a value becomes typed, so that
 * both readers refuse the same values in the same words.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { LONGEST_DURATION_MS, parseDurationMs, parsePort, parseSizeBytes } from "@lockkeeper/profiles";
import type { CommandSpec, Given } from "./command.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";
import type { Reading } from "./reading.ts";

/**
 * Returns the arguments of a call, every option of the command present (false, empty or undefined when not given).
 *
 * @throws {LockkeeperError} PORT_INVALID when a port is not a whole number from 1 to 65535; OPTION_INVALID when any other
 * value is wrong for its option; USAGE when an option with a single value was given twice.
 */
export function toArguments(spec: CommandSpec, reading: Reading): Given {
  const given: Record<string, unknown> = { rest: reading.rest };
  let index = 0;
  for (const { name, arity } of spec.positionals) {
    given[name] = arity === "many" ? reading.positionals.slice(index) : reading.positionals[index];
    index += 1;
  }
  for (const option of [...spec.options, ...GLOBAL_OPTIONS]) given[option] = toValue(option, reading.options[option]);
  return given;
}

function toValue(option: OptionName, raw: true | readonly string[] | undefined): unknown {
  const { type, choices } = optionSpec(option);
  if (type === "flag") return raw === true;
  const values = raw === true || raw === undefined ? [] : raw;
  if (type === "list") return values;
  const [text, second] = values;
  if (text === undefined) return undefined;
  const flag = `--${flagName(option)}`;
  if (second !== undefined) {
    throw new LockkeeperError("USAGE", `${flag} was given twice: ${text} and ${second}`, { hint: "Give it once." });
  }
  if (text === "") throw invalid(flag, text, "a value");
  switch (type) {
    case "text":
      return text;
    case "port":
      return parsePort(text, flag);
    case "count":
      return toCount(flag, text);
    case "duration":
      return toDurationMs(flag, text);
    case "size":
      return toSizeBytes(flag, text);
    case "moment":
      return toMoment(flag, text);
    case "choice":
      if (choices?.includes(text) === true) return text;
      throw invalid(flag, text, `one of ${(choices ?? []).join(", ")}`);
  }
}

function toCount(flag: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw invalid(flag, text, "a whole number from 1 up");
}

function toDurationMs(flag: string, text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && durationMs >= 1 && durationMs <= LONGEST_DURATION_MS) return durationMs;
  throw invalid(flag, text, "a time such as 30, 30s, 500ms or 2m");
}

function toSizeBytes(flag: string, text: string): number {
  const sizeBytes = parseSizeBytes(text);
  if (sizeBytes !== undefined && sizeBytes >= 1) return sizeBytes;
  throw invalid(flag, text, "a size such as 512M or 2G");
}

/** A length of time counts back from now. */
function toMoment(flag: string, text: string): number {
  const agoMs = parseDurationMs(text);
  const momentMs = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs;
  if (Number.isNaN(momentMs)) throw invalid(flag, text, "a time such as 10m, 2h or 2026-01-31T12:00");
  return momentMs;
}

function invalid(flag: string, text: string, expected: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `${flag} takes ${expected}, not ${JSON.stringify(text)}`, {
    hint: "Run the command with --help to see what it takes.",
  });
}

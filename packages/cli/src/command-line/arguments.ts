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
  for (const option of [...spec.options, ...GLOBAL_OPTIONS])
    given[option] = toValue(reading.command, option, reading.options[option]);
  return given;
}

/** The option that a value was given for, and its command. */
interface Asked {
  readonly command: string;
  readonly flag: string;
}

function toValue(command: string, option: OptionName, raw: true | readonly string[] | undefined): unknown {
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
  const asked: Asked = { command, flag };
  if (text === "") throw invalid(asked, text, "a value");
  switch (type) {
    case "text":
      return text;
    case "port":
      return parsePort(text, flag);
    case "count":
      return toCount(asked, text);
    case "duration":
      return toDurationMs(asked, text);
    case "size":
      return toSizeBytes(asked, text);
    case "moment":
      return toMoment(asked, text);
    case "choice":
      if (choices?.includes(text) === true) return text;
      throw invalid(asked, text, `one of ${(choices ?? []).join(", ")}`);
  }
}

function toCount(asked: Asked, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw invalid(asked, text, "a whole number from 1 up");
}

function toDurationMs(asked: Asked, text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && durationMs >= 1 && durationMs <= LONGEST_DURATION_MS) return durationMs;
  throw invalid(asked, text, "a time such as 30, 30s, 500ms or 2m");
}

function toSizeBytes(asked: Asked, text: string): number {
  const sizeBytes = parseSizeBytes(text);
  if (sizeBytes !== undefined && sizeBytes >= 1) return sizeBytes;
  throw invalid(asked, text, "a size such as 512M or 2G");
}

/** A length of time counts back from now. */
function toMoment(asked: Asked, text: string): number {
  const agoMs = parseDurationMs(text);
  const momentMs = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs;
  if (Number.isNaN(momentMs)) throw invalid(asked, text, "a time such as 10m, 2h or 2026-01-31T12:00");
  return momentMs;
}

function invalid({ command, flag }: Asked, text: string, expected: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `${flag} takes ${expected}, not ${JSON.stringify(text)}`, {
    hint: `See what it takes: lockkeeper ${command} --help`,
  });
}

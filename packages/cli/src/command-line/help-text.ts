/** The help of the program and of each command, from the same descriptions that the readers use. Pure. */
import type { CommandSpec, PositionalSpec } from "./command.ts";
import { HELP_COLUMNS } from "./command.ts";
import { GROUPS } from "./commands.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";

type Commands = Readonly<Record<string, CommandSpec>>;

/** Below this the terminal breaks the lines. */
const FEWEST_COLUMNS = 56;

/** A term that is too long for its column gets a line of its own. */
const WIDEST_TERM = 34;
/** The part of a narrow line that a term may take. */
const TERM_SHARE = 0.45;

const INDENT = "  ";
/** At the end of a line that continues on the next one. */
const CONTINUED = " \\";
const GAP = "  ";

/** The first commands of a new user. A test runs them. */
const FIRST_STEPS: readonly (readonly [line: string, meaning: string])[] = [
  ["up dev prod", "two gateways, ready"],
  ["create api -- node server.js --port {port}", "any program, from here"],
  ["start api", "start it and wait"],
  ["list", "what runs, and where"],
  ["why api", "what happened to it"],
];

const PURPOSE = `Run many gateways on one host without them stepping on each other.

A gateway is any server program. A profile is one gateway with a folder, ports,
environment and logs of its own. Its keeper is the process that watches it.`;

const EPILOGUE = `Which profile: the argument or --profile, else LOCKKEEPER_PROFILE, else the
default set by \`use\`. @name is a group, 'dev-*' a pattern. Every command takes
--json. Data is in LOCKKEEPER_HOME (default ~/.lockkeeper).

Help on one command: lockkeeper help <command>`;

/** Returns the help of the program: one screen. */
export function programHelp(commands: Commands, columns: number = HELP_COLUMNS): string {
  const width = Math.max(FEWEST_COLUMNS, columns);
  const entries = Object.entries(commands);
  const chapters = Object.entries(GROUPS).map(([group, title]) => {
    const members = entries.filter(([, spec]) => spec.group === group);
    const body =
      group === "everyday"
        ? table(
            members.map(([name, { summary }]) => [name, summary]),
            width,
          )
        : wrap(members.map(([name]) => name).join("  "), width - INDENT.length, /\s{2}/).map((line) => INDENT + line);
    return [`${title}:`, ...body].join("\n");
  });
  const examples = [
    "Examples:",
    ...table(
      FIRST_STEPS.map(([line, meaning]) => [`lockkeeper ${line}`, meaning]),
      width,
      54,
    ),
  ];
  const parts = [
    flow(PURPOSE, width),
    "Usage: lockkeeper <command> [options]",
    chapters.join("\n"),
    examples.join("\n"),
    flow(EPILOGUE, width),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Returns the paragraphs of `text` in lines of at most `columns`. */
function flow(text: string, columns: number): string {
  return text
    .split("\n\n")
    .map((paragraph) => wrap(paragraph.replaceAll("\n", " "), columns).join("\n"))
    .join("\n\n");
}

/** Returns the help of one command. */
export function commandHelp(name: string, spec: CommandSpec, columns: number = HELP_COLUMNS): string {
  const width = Math.max(FEWEST_COLUMNS, columns);
  const parts = [
    flow(spec.summary.charAt(0).toUpperCase() + spec.summary.slice(1), width),
    `Usage: ${wrap(usageLine(name, spec), width - "Usage: ".length).join(`\n${" ".repeat("Usage: ".length)}`)}`,
  ];
  if (spec.positionals.length > 0) {
    parts.push(
      section(
        "Arguments",
        spec.positionals.map((each) => [each.name, withChoices(each)]),
        width,
      ),
    );
  }
  const options = [...spec.options, ...GLOBAL_OPTIONS].map(
    (option) => [optionTerm(option), spec.summaries?.[option] ?? optionSpec(option).summary] as const,
  );
  parts.push(section("Options", options, width));
  parts.push(
    [
      "Examples:",
      ...spec.examples.flatMap(([line, meaning]) => [
        ...wrap(`lockkeeper ${line}`, width - 2 * INDENT.length - CONTINUED.length).map(
          (text, index, all) => (index === 0 ? INDENT : "    ") + text + (index < all.length - 1 ? CONTINUED : ""),
        ),
        ...wrap(meaning, width - 8).map((text) => `      ${text}`),
      ]),
    ].join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}

/** Returns `lockkeeper stop [names..] [options]`. */
export function usageLine(name: string, spec: CommandSpec): string {
  const words = ["lockkeeper", name, ...spec.positionals.map(positionalUsage), "[options]"];
  if (spec.rest !== undefined) words.push(`[-- ${spec.rest}]`);
  return words.join(" ");
}

/** Returns `--port <port>`, with its letter in front where it has one. */
function optionTerm(option: OptionName): string {
  const { alias, value } = optionSpec(option);
  const letter = alias === undefined ? "    " : `-${alias}, `;
  return `${letter}--${flagName(option)}${value === undefined ? "" : ` <${value}>`}`;
}

function positionalUsage({ name, arity }: PositionalSpec): string {
  if (arity === "required") return `<${name}>`;
  return arity === "many" ? `[${name}..]` : `[${name}]`;
}

function withChoices({ summary, choices }: PositionalSpec): string {
  return choices === undefined ? summary : `${summary}: ${choices.join(", ")}`;
}

function section(title: string, rows: Rows, columns: number): string {
  return [`${title}:`, ...table(rows, columns)].join("\n");
}

type Rows = readonly (readonly [term: string, text: string])[];

function table(rows: Rows, columns: number, ofMany = WIDEST_TERM): readonly string[] {
  const widest = columns < HELP_COLUMNS ? Math.min(ofMany, Math.floor(columns * TERM_SHARE)) : ofMany;
  const width = Math.max(...rows.map(([term]) => term.length).filter((length) => length <= widest), 0);
  const margin = " ".repeat(INDENT.length + width + GAP.length);
  return rows.flatMap(([term, text]) => {
    const lines = wrap(text, columns - margin.length);
    if (term.length > width) return [INDENT + term, ...lines.map((line) => margin + line)];
    return lines.map((line, index) => (index === 0 ? INDENT + term.padEnd(width) + GAP : margin) + line);
  });
}

function wrap(text: string, columns: number, blank: RegExp = /\s/): readonly string[] {
  const lines: string[] = [];
  const glue = blank.source === "\\s" ? " " : GAP;
  for (const word of text.split(blank)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + glue.length + word.length <= columns)
      lines[lines.length - 1] = last + glue + word;
    else lines.push(word);
  }
  return lines;
}

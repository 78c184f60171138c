/**
 * From a command line to an exit status: read it, load the command, run it, render its result, report failures. Knows no
 * command by name and touches no global of Node's `process`.
 */
import { toArguments } from "./command-line/arguments.ts";
import { readCheaply } from "./command-line/cheap-reader.ts";
import { HELP_COLUMNS } from "./command-line/command.ts";
import type { CommandSpec } from "./command-line/command.ts";
import type { Reading, Request } from "./command-line/reading.ts";
import type { CommandModule, Failure, Result } from "./command-module.ts";
import type { Context, World } from "./context.ts";
import { errorDocument, errorText } from "./error-text.ts";
import { combineStatuses, statusOfError } from "./exit-status.ts";
import { jsonText, plainLine, plainOutput, plainText } from "./terminal/plain-text.ts";
import { SILENT, openProgress } from "./terminal/progress.ts";
import type { Progress } from "./terminal/progress.ts";
import { viewOf } from "./terminal/view.ts";
import { VERSION } from "./version.ts";

/** All commands: their descriptions, and what loads the file of one that is described. */
export interface Commands {
  readonly commands: Readonly<Record<string, CommandSpec>>;
  readonly load: (command: string) => Promise<CommandModule>;
}

/** Runs one command line; returns its exit status. Never throws. */
export async function runProgram({ commands, load }: Commands, argv: readonly string[], world: World): Promise<number> {
  try {
    const request = readCheaply(commands, argv) ?? (await readWithYargs(commands, argv));
    switch (request.kind) {
      case "version":
        world.stdout.write(`${VERSION}\n`);
        return 0;
      case "help":
        world.stdout.write(await findHelp(commands, request.command, world));
        return 0;
      case "call":
        return await runCommand({ commands, load }, request, world);
    }
  } catch (error) {
    const end = argv.indexOf("--");
    const asJson = (end === -1 ? argv : argv.slice(0, end)).includes("--json");
    report([{ name: null, error }], world, asJson);
    return statusOfError(error);
  }
}

async function readWithYargs(
  commands: Readonly<Record<string, CommandSpec>>,
  argv: readonly string[],
): Promise<Request> {
  const reader = await import("./command-line/yargs-reader.ts");
  return reader.readWithYargs(commands, argv);
}

async function findHelp(
  commands: Readonly<Record<string, CommandSpec>>,
  command: string | undefined,
  world: World,
): Promise<string> {
  const { columns } = viewOf(world.stdout, world.env, false);
  // The text that the build has made is for wider terminals, files and pipes.
  const stored = columns < HELP_COLUMNS ? undefined : world.storedHelp()?.[command ?? ""];
  if (stored !== undefined) return stored;
  const { commandHelp, programHelp } = await import("./command-line/help-text.ts");
  const width = Math.min(columns, HELP_COLUMNS);
  const spec = command === undefined ? undefined : commands[command];
  return command === undefined || spec === undefined ? programHelp(commands, width) : commandHelp(command, spec, width);
}

/** Options that name or confirm profiles, or only decide how the result is shown. */
const NOT_REPEATED: ReadonlySet<string> = new Set(["profile", "confirm", "json", "quiet"]);

async function runCommand({ commands, load }: Commands, reading: Reading, world: World): Promise<number> {
  const spec = commands[reading.command];
  if (spec === undefined) throw new TypeError(`a reader answered with the unknown command ${reading.command}`);
  const given = toArguments(spec, reading);
  const json = given["json"] === true;
  const quiet = given["quiet"] === true;
  let progress: Progress | undefined;
  const context: Context = {
    commands,
    command: reading.command,
    hasOptions: Object.keys(reading.options).some((option) => !NOT_REPEATED.has(option)),
    spec,
    world,
    view: viewOf(world.stdout, world.env, quiet),
    json,
    get progress() {
      return (progress ??= json || quiet ? SILENT : openProgress(world.stderr));
    },
    openProfiles: async () => {
      const { openProfiles } = await import("./open-profiles.ts");
      return openProfiles({ env: world.env, ...(world.programs !== undefined && { programs: world.programs }) });
    },
  };
  showWarnings(world, json);
  const module = await load(reading.command);
  const result = await module.run(context, given);
  present(module, result, context);
  const failures = result.failures ?? [];
  report(failures, world, json);
  if (failures.length === 0) return result.status ?? 0;
  return result.status ?? combineStatuses(failures.map(({ error }) => statusOfError(error)));
}

/** Prints each warning once, on stderr; not with `--json`, where only an error may appear there. */
function showWarnings(world: World, json: boolean): void {
  const said = new Set<string>();
  world.onWarning((text) => {
    if (json || said.has(text)) return;
    said.add(text);
    const { paint } = viewOf(world.stderr, world.env, false);
    world.stderr.write(`${paint.yellow("warning:")} ${plainLine(text)}\n`);
  });
}

function present(module: CommandModule, { value, shown, notes }: Result, { world, view, json }: Context): void {
  if (value !== undefined) {
    const rendered = json ? `${jsonText(value, 2)}\n` : module.render(shown ?? value, view);
    const text = json || module.exact === true ? rendered : plainOutput(rendered);
    if (text !== "") world.stdout.write(text);
  }
  if (json || view.quiet) return;
  for (const note of notes ?? []) world.stderr.write(`${plainText(note)}\n`);
}

/** Prints failures on stderr; with `--json` one document, for the failure that decides the exit status. */
function report(failures: readonly Failure[], world: World, json: boolean): void {
  if (failures.length === 0) return;
  if (json) {
    const status = combineStatuses(failures.map(({ error }) => statusOfError(error)));
    const gravest = failures.find(({ error }) => statusOfError(error) === status);
    world.stderr.write(`${jsonText({ error: errorDocument(gravest?.error) })}\n`);
    return;
  }
  const { paint } = viewOf(world.stderr, world.env, false);
  for (const { name, error } of failures) world.stderr.write(errorText(error, paint, name));
}

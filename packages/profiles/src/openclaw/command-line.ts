/**
 * How OpenClaw's gateway is started: the program, `gateway run`, and what follows it. What a unit or a person had behind
 * `gateway run` is kept, but for the port and the profile, which are a profile's own here. Pure.
 */

/** A command line taken apart. */
export interface GatewayCommand {
  /** The program with its first arguments: `["node", "/opt/openclaw.mjs"]`. */
  readonly program: readonly string[];
  /** What follows `gateway run`. */
  readonly flags: readonly string[];
}

/** Options with a value that the profile says itself. */
const OWN_FLAGS = ["--port", "--profile"] as const;

/** Returns the parts of an argv that starts a gateway; undefined when it starts none. */
export function parseGatewayCommand(argv: readonly string[]): GatewayCommand | undefined {
  const verb = argv.indexOf("gateway", 1);
  if (verb < 1) return undefined;
  const tail = argv.slice(verb + 1);
  return { program: withoutOwn(argv.slice(0, verb)), flags: withoutOwn(tail[0] === "run" ? tail.slice(1) : tail) };
}

/** Returns what is written into a manifest; undefined for the usual program without flags. */
export function formatCommand({ program, flags }: GatewayCommand): readonly string[] | undefined {
  if (flags.length > 0) return [...program, "gateway", "run", ...flags];
  return program.length === 1 && program[0] === "openclaw" ? undefined : program;
}

/** Returns the program of a manifest's command and the flags behind `gateway run`, if it has any. */
export function splitCommand(command: readonly string[] = ["openclaw"]): GatewayCommand {
  return parseGatewayCommand(command) ?? { program: command, flags: [] };
}

function withoutOwn(argv: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (OWN_FLAGS.some((flag) => argument === flag)) index += 1;
    else if (!OWN_FLAGS.some((flag) => argument.startsWith(`${flag}=`)) && argument !== "--dev") kept.push(argument);
  }
  return kept;
}

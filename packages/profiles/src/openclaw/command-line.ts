/**
 * How OpenClaw's gateway is started: the program, `gateway run`, and its flags. The flags of a unit or a person are kept,
 * except port and profile, which our profile sets itself. Pure.
 */

/** A command line taken apart. */
export interface GatewayCommand {
  /** The program with its first arguments: `["node", "/opt/openclaw.mjs"]`. */
  readonly program: readonly string[];
  /** The arguments after `gateway run`. */
  readonly flags: readonly string[];
}

/** Options with a value that our profile sets itself. */
const OWN_FLAGS = ["--port", "--profile"] as const;

/** Returns the parts of an argv that starts a gateway; undefined for any other argv. */
export function parseGatewayCommand(argv: readonly string[]): GatewayCommand | undefined {
  const verb = argv.indexOf("gateway", 1);
  if (verb < 1) return undefined;
  const tail = argv.slice(verb + 1);
  return { program: withoutOwn(argv.slice(0, verb)), flags: withoutOwn(tail[0] === "run" ? tail.slice(1) : tail) };
}

/** Returns the command for a manifest; undefined for the usual program without flags. */
export function formatCommand({ program, flags }: GatewayCommand): readonly string[] | undefined {
  if (flags.length > 0) return [...program, "gateway", "run", ...flags];
  return program.length === 1 && program[0] === "openclaw" ? undefined : program;
}

/** Returns the program of a manifest's command and the flags after `gateway run`, if there are any. */
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

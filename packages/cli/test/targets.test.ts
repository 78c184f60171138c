import { LockkeeperError } from "@lockkeeper/core";
import type { Profiles } from "@lockkeeper/profiles";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/command-line/commands.ts";
import type { Context, World } from "../src/context.ts";
import { chooseTargets } from "../src/targets.ts";
import type { Named, Targets } from "../src/targets.ts";
import { SILENT } from "../src/terminal/progress.ts";
import { viewOf } from "../src/terminal/view.ts";

/** `prod` is protected, `dev` is not and is the default. */
const profiles = {
  home: "/home",
  list: async () => [
    { name: "dev", protected: false },
    { name: "prod", protected: true },
  ],
  protection: async (name: string) => (name === "prod" ? "protected" : "open"),
  selection: async () => ({ name: "dev", source: "default" }),
} as unknown as Profiles;

const nobody = {
  ...profiles,
  list: async () => [],
  selection: async () => ({ name: null, source: "none" }),
} as unknown as Profiles;

function contextOf(
  command: "up" | "down" | "start" | "stop" | "restart" | "remove" | "service" | "export",
  answer?: string,
): Context {
  const world = { canAsk: () => answer !== undefined, ask: async () => answer } as unknown as World;
  const view = viewOf({ isTerminal: false, columns: undefined }, {}, false);
  return {
    commands: COMMANDS,
    command,
    hasOptions: false,
    spec: COMMANDS[command],
    world,
    view,
    json: false,
    progress: SILENT,
    openProfiles: async () => profiles,
  };
}

async function choose(context: Context, named: Partial<Named>, of: Profiles = profiles): Promise<Targets | string> {
  try {
    return await chooseTargets(context, of, { names: [], ...named });
  } catch (error) {
    if (error instanceof LockkeeperError) return error.code;
    throw error;
  }
}

describe("without a name", () => {
  test("start means the current profile", async () => {
    expect(await choose(contextOf("start"), {})).toEqual({ names: ["dev"], skipped: [] });
    expect(await choose(contextOf("start"), {}, nobody)).toBe("USAGE");
  });

  test.each([
    ["stop", false, "For all of them: lockkeeper stop --all"],
    ["stop", true, "For all of them, add to the same command: --all"],
    ["export", true, "For all of them, add to the same command: --all"],
    // It has an action before the names.
    ["service", false, "For all of them, add to the same command: --all"],
  ] as const)("%s says how it is done with all, with other options: %s", async (command, hasOptions, hint) => {
    const context = { ...contextOf(command), hasOptions };
    await expect(chooseTargets(context, profiles, { names: [] })).rejects.toMatchObject({ code: "USAGE", hint });
  });

  test("stop and restart are refused, --all leaves protected ones out", async () => {
    for (const command of ["stop", "restart"] as const) {
      expect(await choose(contextOf(command), {})).toBe("USAGE");
      expect(await choose(contextOf(command), { all: true })).toEqual({ names: ["dev"], skipped: ["prod"] });
    }
  });

  test("up means all; down means all except protected ones", async () => {
    expect(await choose(contextOf("up"), {})).toEqual({ names: ["dev", "prod"], skipped: [] });
    expect(await choose(contextOf("down"), {})).toEqual({ names: ["dev"], skipped: ["prod"] });
    expect(await choose(contextOf("down"), {}, nobody)).toEqual({ names: [], skipped: [] });
  });
});

describe("with names", () => {
  test("each counts once, in order; --profile adds one", async () => {
    expect(await choose(contextOf("start"), { names: ["b", "a", "b"], profile: "c" })).toEqual({
      names: ["b", "a", "c"],
      skipped: [],
    });
  });

  test("names and --all exclude each other", async () => {
    expect(await choose(contextOf("start"), { names: ["dev"], all: true })).toBe("USAGE");
  });

  test.each(["down", "stop", "restart", "remove"] as const)(
    "%s of a protected profile needs its name twice",
    async (verb) => {
      expect(await choose(contextOf(verb), { names: ["dev", "prod"] })).toBe("CONFIRMATION_NEEDED");
      expect(await choose(contextOf(verb), { names: ["prod"], confirm: ["dev"] })).toBe("CONFIRMATION_NEEDED");
      expect(await choose(contextOf(verb), { names: ["prod"], confirm: ["prod"] })).toMatchObject({ names: ["prod"] });
      expect(await choose(contextOf(verb, "prod"), { names: ["prod"] })).toMatchObject({ names: ["prod"] });
      expect(await choose(contextOf(verb, "yes"), { names: ["prod"] })).toBe("CONFIRMATION_NEEDED");
    },
  );

  test("the hint repeats all names, as they were typed", async () => {
    await expect(
      chooseTargets(contextOf("stop"), profiles, { names: ["dev", "prod"], confirm: ["x"] }),
    ).rejects.toMatchObject({
      hint: "If you mean it: lockkeeper stop dev prod --confirm x --confirm prod",
    });
    await expect(chooseTargets(contextOf("stop"), profiles, { names: [], profile: "prod" })).rejects.toMatchObject({
      hint: "If you mean it: lockkeeper stop prod --confirm prod",
    });
  });

  test("the hint does not repeat a command without its options", async () => {
    const context = { ...contextOf("stop"), hasOptions: true };
    await expect(chooseTargets(context, profiles, { names: ["prod"] })).rejects.toMatchObject({
      hint: "If you mean it, add to the same command: --confirm prod",
    });
  });

  test("a protected profile starts as usual", async () => {
    expect(await choose(contextOf("start"), { names: ["prod"] })).toMatchObject({ names: ["prod"] });
  });
});

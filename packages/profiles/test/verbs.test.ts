/** The facade is made from names before its methods are loaded: it has each method under its name, and no other. */
import { describe, expect, test } from "vitest";
import { actingVerbs } from "../src/acting-verbs.ts";
import { EVERYDAY_ARGUMENTS, everydayVerbs } from "../src/everyday-verbs.ts";
import { lookingVerbs } from "../src/looking-verbs.ts";
import { openProfiles } from "../src/profiles.ts";
import { ACTING_VERBS, EVERYDAY_VERBS, LOOKING_VERBS } from "../src/verbs.ts";
import type { OpenedHome } from "../src/verbs.ts";
import { VERB_ARGUMENTS } from "../src/verb-arguments.ts";
import { scratchHome } from "./scratch-home.ts";

test("every method of the facade is there under its name, once", async () => {
  const context = { home: "/nowhere", env: {}, programs: { keeper: "", gateway: "" } };
  const opened: OpenedHome = { context, look: context };
  expect(Object.keys(everydayVerbs(opened)).sort()).toEqual([...EVERYDAY_VERBS].sort());
  expect(Object.keys(lookingVerbs(opened)).sort()).toEqual([...LOOKING_VERBS].sort());
  expect(Object.keys(actingVerbs(opened)).sort()).toEqual([...ACTING_VERBS].sort());
  const names = ["home", ...EVERYDAY_VERBS, ...LOOKING_VERBS, ...ACTING_VERBS];
  expect(new Set(names).size).toBe(names.length);
  const home = scratchHome();
  const profiles = await openProfiles({ home, env: {} });
  expect(Object.keys(profiles).sort()).toEqual(names.sort());
});

describe("a caller without a compiler", () => {
  const { openProfiles: _, ...everyday } = EVERYDAY_ARGUMENTS;
  const verbs = Object.entries({ ...everyday, ...VERB_ARGUMENTS });
  /** A value of each kind that some option is needed of. */
  const SOUND: Readonly<Record<string, unknown>> = {
    flag: true,
    text: "x",
    signal: AbortSignal.abort(),
    function: () => false,
  };
  type Method = (...given: readonly unknown[]) => Promise<unknown> | AsyncGenerator;

  test.each(verbs)(
    "gets a TypeError that names the wrong argument of %s, before anything is done",
    async (verb, row) => {
      const [before, known, need] = row;
      const profiles = await openProfiles({ home: scratchHome(), env: {} });
      const call = async (...given: readonly unknown[]): Promise<unknown> => {
        const answer = (Reflect.get(profiles, verb) as Method)(...given);
        return Symbol.asyncIterator in answer ? answer.next() : answer;
      };
      const right = before.map((argument): unknown => {
        if (argument === "port") return 20_000;
        if (argument === "verb") return "start";
        return ["names", "words", "lines", "argv", "findings"].includes(argument) ? [] : "dev";
      });
      for (const [place, argument] of before.entries()) {
        for (const wrong of [undefined, null, 5.5, {}, [5], Symbol("x")]) {
          if (argument === "findings" && Array.isArray(wrong)) continue;
          const given = right.with(place, wrong);
          await expect(call(...given)).rejects.toThrow(new RegExp(`^${verb}: expected ${argument} to be `));
        }
      }
      if (known === undefined) return;
      for (const wrong of [null, 5, "text"]) {
        await expect(call(...right, wrong)).rejects.toThrow(`${verb}: expected an object of options`);
      }
      await expect(call(...right, { nameless: 1 })).rejects.toThrow(`${verb}: unknown option "nameless"`);
      if (need === "needed") await expect(call(...right)).rejects.toThrow(`${verb}: expected an object of options`);
      const options = Object.entries(known());
      const needed = options.filter(([, word]) => word !== true && word.startsWith("needed "));
      const sound = Object.fromEntries(needed.map(([option, word]) => [option, SOUND[word.toString().slice(7)]]));
      for (const [option] of needed) {
        const { [option]: __, ...rest } = sound;
        await expect(call(...right, rest)).rejects.toThrow(`${verb}: expected the option ${option} to be `);
      }
      for (const [option, word] of options) {
        if (word === "value") continue;
        const wrong = word.toString().endsWith("number") ? Number.NaN : null;
        const message = `${verb}: expected the option ${option} to be `;
        await expect(call(...right, { ...sound, [option]: wrong })).rejects.toThrow(message);
      }
    },
  );

  test("loses no removed profile by a list of names that is undefined", async () => {
    const profiles = await openProfiles({ home: scratchHome(), env: {} });
    await profiles.create({ name: "dev" });
    await profiles.remove("dev");
    await expect(Reflect.apply(profiles.emptyTrash, profiles, [])).rejects.toThrow(TypeError);
    expect((await profiles.trash()).map(({ name }) => name)).toEqual(["dev"]);
  });
});

/** The facade is made from names before its methods are loaded: it has each method under its name, and no other. */
import { expect, test } from "vitest";
import { actingVerbs } from "../src/acting-verbs.ts";
import { everydayVerbs } from "../src/everyday-verbs.ts";
import { lookingVerbs } from "../src/looking-verbs.ts";
import { openProfiles } from "../src/profiles.ts";
import { ACTING_VERBS, EVERYDAY_VERBS, LOOKING_VERBS } from "../src/verbs.ts";
import type { OpenedHome } from "../src/verbs.ts";
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

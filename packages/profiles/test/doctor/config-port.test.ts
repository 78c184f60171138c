import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { createProfile } from "../../src/life/create.ts";
import { pathsOf, scratchContext } from "../life/scratch-context.ts";

test("a port that the config got later is reported as ignored, with the command that makes it count", async () => {
  const context = scratchContext();
  const { port } = await createProfile(context.home, { name: "oc", kind: "openclaw" });
  const found = async (): Promise<readonly string[]> =>
    (await diagnose(context)).filter(({ code }) => code === "config-port-ignored").map(({ command }) => command ?? "");
  expect(await found()).toEqual([]);
  const { config } = pathsOf(context, "oc");
  writeFileSync(config, readFileSync(config, "utf8").replace(`${port}`, "26000"));
  expect(await found()).toEqual(["lockkeeper edit oc --port 26000"]);
});

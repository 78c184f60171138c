import * as fs from "node:fs";
import { expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { runProfile } from "../../src/run/run.ts";
import { scratchContext } from "../life/scratch-context.ts";

/** https://github.com/openclaw/openclaw/issues/118371: two profiles ended up with one state directory. */
test("a profile whose state directory has become a link into another profile's is not started", async () => {
  const context = scratchContext();
  const one = await createProfile(context.home, { name: "one" });
  const two = await createProfile(context.home, { name: "two" });
  fs.rmdirSync(two.paths.state);
  fs.symlinkSync(one.paths.state, two.paths.state);
  const { signal } = new AbortController();
  await expect(runProfile(context, "two", { supervised: false, stop: signal, force: signal })).rejects.toMatchObject({
    code: "DIRECTORY_SHARED",
    message: expect.stringMatching(/profile two .* is also the state of profile one /) as string,
  });
});

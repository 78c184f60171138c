import { expect, test } from "vitest";
import { fuzzArguments } from "./argv.ts";

/** Always the same here; `pnpm fuzz arguments` uses others. A failure names the seed that repeats it. */
const SEED = 1;

test("security 9, 13: strange arguments end with a documented status, name what is refused, and destroy nothing", async () => {
  expect((await fuzzArguments(SEED, 60)).faults).toEqual([]);
});

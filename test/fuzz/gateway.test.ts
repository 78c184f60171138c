import { expect, test } from "vitest";
import { fuzzers, fuzzGateway } from "./gateway.ts";

/** Always the same here; `pnpm fuzz` uses others. A failure names the seed that repeats it. */
const SEED = 1;

test.each(fuzzers.map((fuzzer) => [fuzzer.name, fuzzer] as const))(
  "security 4: a gateway outlives strange %s, and lets nobody in for them",
  async (_, fuzzer) => {
    expect((await fuzzGateway(fuzzer, SEED, 400)).faults).toEqual([]);
  },
);

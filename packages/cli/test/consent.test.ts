import { expect, test } from "vitest";
import { requireYes } from "../src/consent.ts";
import type { World } from "../src/context.ts";

const REFUSAL = { message: "not removed: dev", hint: "lockkeeper remove dev --yes", evidence: ["its folder"] };

/** @param answer undefined: the person closes the input or presses Ctrl-C. */
function ask(canAsk: boolean, answer?: string): Promise<void> {
  const world = { canAsk: () => canAsk, ask: async () => answer } as unknown as World;
  return requireYes(world, "Remove dev?", REFUSAL);
}

test.each(["y", "Y", "yes", " yes "])("%j is a yes", async (answer) => expect(await ask(true, answer)).toBeUndefined());

test("where nobody can answer, the reason and the command with the consent are said", async () => {
  await expect(ask(false)).rejects.toMatchObject({
    code: "CONFIRMATION_NEEDED",
    message: "not removed: dev; it takes a yes, and there is no terminal to ask",
    hint: REFUSAL.hint,
    evidence: REFUSAL.evidence,
  });
});

test.each(["n", "", "nope", undefined])(
  "a person who answers %j is not told about a terminal, or how to do it anyway",
  async (answer) => {
    await expect(ask(true, answer)).rejects.toMatchObject({
      code: "CONFIRMATION_NEEDED",
      message: "not removed: dev",
      hint: undefined,
      evidence: [],
    });
  },
);

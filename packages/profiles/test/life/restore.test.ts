import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { restoreProfile } from "../../src/life/restore.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { treeHash } from "../openclaw-host.ts";
import { pathsOf, put, scratchContext } from "./scratch-context.ts";

test("a removed profile is restored exactly, links included", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev", protected: true });
  const { profile, state } = pathsOf(context, "dev");
  put(state, { "a/b": "c" });
  const outside = path.join(path.dirname(context.home), "outside");
  put(outside, { kept: "yes" });
  fs.symlinkSync(outside, path.join(state, "link"));
  const [before, folder, theirs] = [readRegistry(context.home).get("dev"), treeHash(profile), treeHash(outside)];
  const { trash } = await removeProfile(context, "dev");
  expect(readRegistry(context.home).size).toBe(0);
  expect(await restoreProfile(context, "dev")).toMatchObject({ name: "dev", state: "stopped", protected: true });
  expect(readRegistry(context.home).get("dev")).toEqual(before);
  expect(treeHash(profile).length).toBe(folder.length);
  expect(fs.readFileSync(path.join(state, "a/b"), "utf8")).toBe("c");
  expect(fs.readlinkSync(path.join(state, "link"))).toBe(outside);
  expect(treeHash(outside)).toBe(theirs);
  expect(fs.existsSync(trash)).toBe(false);
  expect(fs.existsSync(path.join(profile, "manifest.json"))).toBe(false);
});

test("of several with one name the latest is restored first", async () => {
  const context = scratchContext();
  for (const text of ["first", "second"]) {
    await createProfile(context.home, { name: "dev" });
    put(pathsOf(context, "dev").state, { which: text });
    await removeProfile(context, "dev");
  }
  await restoreProfile(context, "dev");
  expect(fs.readFileSync(path.join(pathsOf(context, "dev").state, "which"), "utf8")).toBe("second");
});

test("an existing name, an unknown one, and ports taken meanwhile are refused, each with the next step", async () => {
  const context = scratchContext();
  const first = await freePort();
  await createProfile(context.home, { name: "dev", port: first });
  await removeProfile(context, "dev");
  await expect(restoreProfile(context, "dve")).rejects.toMatchObject({
    code: "PROFILE_NOT_FOUND",
    hint: "Did you mean dev?",
  });
  await createProfile(context.home, { name: "other", port: first + 5 });
  const refused = await restoreProfile(context, "dev").catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "PORTS_OVERLAP",
    message: `the block ${first}-${first + 9} overlaps ${first + 5}-${first + 14} of profile other (there: gateway ${first + 5})`,
    hint: expect.stringMatching(/^Restore it on other ports: lockkeeper restore dev --port \d+$/) as string,
  });
  expect(await restoreProfile(context, "dev", { port: String(first + 20) })).toMatchObject({
    port: first + 20,
  });
  expect(readRegistry(context.home).get("dev")?.ports).toEqual({ gateway: first + 20 });
  await expect(restoreProfile(context, "dev")).rejects.toMatchObject({
    code: "PROFILE_EXISTS",
    hint: expect.stringMatching(/: lockkeeper status dev$/) as string,
  });
});

test("one whose name was given away meanwhile comes back after the rename that the hint says", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  await removeProfile(context, "dev");
  for (const name of ["dev", "dev-2"]) await createProfile(context.home, { name });
  await expect(restoreProfile(context, "dev")).rejects.toMatchObject({
    code: "PROFILE_EXISTS",
    hint: "The one that has the name now needs another first: lockkeeper rename dev dev-3",
  });
});

test("an empty trash, and a damaged manifest in it, are reported", async () => {
  const context = scratchContext();
  await expect(restoreProfile(context, "dev")).rejects.toMatchObject({ hint: "The trash is empty." });
  await createProfile(context.home, { name: "dev" });
  const { trash } = await removeProfile(context, "dev");
  fs.writeFileSync(path.join(trash, "manifest.json"), "{");
  await expect(restoreProfile(context, "dev")).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
  expect(fs.existsSync(trash)).toBe(true);
});

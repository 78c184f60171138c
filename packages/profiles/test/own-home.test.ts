/** A user id without an entry on record and without HOME, as containers have it, needs LOCKKEEPER_HOME alone. */
import * as os from "node:os";
import { expect, test, vi } from "vitest";
import { createProfile } from "../src/life/create.ts";
import { hostRoots } from "../src/service-units/host-roots.ts";
import { unitDirectory, unitName } from "../src/service-units/unit-name.ts";
import { scratchHome } from "./scratch-home.ts";

const REFUSES = vi.hoisted(() => (): never => {
  throw new Error("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)");
});
vi.mock("node:os", async (original) => {
  return {
    ...(await original<typeof os>()),
    homedir: vi.fn<() => string>().mockImplementation(REFUSES),
    userInfo: vi.fn<() => string>().mockImplementation(REFUSES),
  };
});

test("profiles are made, and places on the host and units have names", async () => {
  expect(() => os.homedir()).toThrow("uv_os_homedir");
  const home = scratchHome();
  expect(await createProfile(home, { name: "dev" })).toMatchObject({ name: "dev" });
  expect(hostRoots({}).userHome).toBe("/");
  expect(unitName("systemd", home, "dev")).toMatch(/^lockkeeper-[0-9a-f]{8}-dev\.service$/);
  expect(unitDirectory("systemd-user", {})).toBe("/.config/systemd/user");
});

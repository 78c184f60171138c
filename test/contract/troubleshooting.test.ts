/** The troubleshooting page has one entry for each error code, under the message that people really see. */
import type { ErrorCode } from "@lockkeeper/core";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { holdPort } from "../harness/ports.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { ScratchHome } from "../harness/scratch-home.ts";

/** The compiler refuses this when a code is missing or unknown. */
const EVERY: Readonly<Record<ErrorCode, true>> = {
  LOCK_HELD: true,
  PORT_IN_USE: true,
  BIND_FAILED: true,
  LOCK_LOST: true,
  LOCK_UNSUPPORTED: true,
  USAGE: true,
  PROFILE_NAME_INVALID: true,
  PORT_INVALID: true,
  OPTION_INVALID: true,
  CONFIRMATION_NEEDED: true,
  PROFILE_NOT_FOUND: true,
  PROFILE_EXISTS: true,
  PROFILE_RUNNING: true,
  PORTS_OVERLAP: true,
  PORTS_EXHAUSTED: true,
  DIRECTORY_SHARED: true,
  SET_CONFLICT: true,
  REGISTRY_DAMAGED: true,
  CONFIG_DAMAGED: true,
  COMMAND_NOT_FOUND: true,
  GATEWAY_EXITED: true,
  GATEWAY_UNHEALTHY: true,
  LISTENER_MISMATCH: true,
  STILL_STARTING: true,
  HELD_BACK: true,
  STOP_INCOMPLETE: true,
  RECORD_UNVERIFIED: true,
  LEASE_HELD: true,
  LEASE_UNAVAILABLE: true,
  MANAGER_UNREACHABLE: true,
  MANAGER_REFUSED: true,
  UNIT_CONFLICT: true,
  UNSAFE_PATH: true,
  PERMISSION_DENIED: true,
  DISK_FULL: true,
  DISK_READ_ONLY: true,
  NOT_DURABLE: true,
  IO_FAILED: true,
  MUTEX_TIMEOUT: true,
  ABORTED: true,
};

interface Entry {
  readonly code: string;
  /** The messages under which the entry is found, as patterns. */
  readonly messages: readonly RegExp[];
}

const page = readFileSync(path.join(import.meta.dirname, "../../docs/troubleshooting.md"), "utf8");
const entries: readonly Entry[] = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [heading = "", ...body] = section.split("\n");
    const text = body.join("\n");
    const code = /^\s*Code `([A-Z_]+)`/.exec(text)?.[1];
    if (code === undefined) throw new Error(`no code below: ${heading}`);
    // A heading holds the message; other messages of the same code are in its first sentence.
    const first = text.slice(0, text.search(/\.(?:\s|$)/));
    const quoted = [heading, first].flatMap((part) => [...part.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
    return { code, messages: quoted.filter((message) => message !== code).map(patternOf) };
  });

/** `<words>` stand for any text. */
function patternOf(message: string): RegExp {
  const parts = message.split(/<[^>]+>/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".+")}`, "s");
}

describe("docs/troubleshooting.md", () => {
  test("has exactly one entry for each error code", () => {
    expect(entries.map(({ code }) => code).sort()).toEqual(Object.keys(EVERY).sort());
  });

  test("begins with the most common problems", () => {
    expect(entries[0]?.code).toBe("PORT_IN_USE");
    expect(page.match(/^### .*/m)?.[0]).toContain("EADDRINUSE");
  });

  test("uses the messages that the command line prints", async () => {
    await withScratchHome(async (scratch) => {
      const { home, mustRun } = scratch;
      await mustRun(["create", "dev"]);
      const list = (await scratch.json(["list"])) as readonly { readonly port: number }[];
      const held = await holdPort();
      const seen: Record<string, string> = {};
      const attempts: readonly (readonly string[])[] = [
        ["create", "dev"],
        ["create", "Dev"],
        ["create", "x", "--port", String(list[0]?.port)],
        ["create", "x", "--port", String(held.port), "--span", "1"],
        ["create", "x", "--host", "192.0.2.1"],
        ["create", "x", "--span", "0"],
        ["status", "dve"],
      ];
      for (const args of attempts) Object.assign(seen, await failure(scratch, args));
      await held.release();
      await writeFile(path.join(home, "config.json"), "{");
      Object.assign(seen, await failure(scratch, ["current"]));
      await writeFile(path.join(home, "config.json"), "{}");
      await writeFile(path.join(home, "registry.json"), "{");
      Object.assign(seen, await failure(scratch, ["list"]));
      await writeFile(path.join(home, "registry.json"), '{"schemaVersion":1,"revision":0,"profiles":[]}');
      expect(Object.keys(seen).sort()).toEqual([
        "BIND_FAILED",
        "CONFIG_DAMAGED",
        "OPTION_INVALID",
        "PORTS_OVERLAP",
        "PORT_IN_USE",
        "PROFILE_EXISTS",
        "PROFILE_NAME_INVALID",
        "PROFILE_NOT_FOUND",
        "REGISTRY_DAMAGED",
      ]);
      for (const [code, message] of Object.entries(seen)) {
        const entry = entries.find((each) => each.code === code);
        expect(
          entry?.messages.some((pattern) => pattern.test(message)),
          `${code}: ${message}`,
        ).toBe(true);
      }
    });
  });
});

/** Runs commands that must fail, and returns each message by its code. */
async function failure({ run }: ScratchHome, args: readonly string[]): Promise<Record<string, string>> {
  const { status, stderr } = await run([...args, "--json"]);
  expect(status, args.join(" ")).not.toBe(0);
  const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
  return { [error.code]: error.message };
}

/** A start has its full time, whatever opens first; the correct port on another address is reported at once. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { freePort, NO_IPV6 } from "../harness/ports.ts";
import { fixture, gatewaysOf, withProfiles } from "./scratch-profiles.ts";

const listener = (host: string): string =>
  `require("node:net").createServer((socket) => socket.end()).listen(Number(process.argv[1]), ${JSON.stringify(host)})`;

describe.concurrent("side ports end no start before the deadline", () => {
  test.each<[string, (outside: number) => readonly string[]]>([
    ["of the gateway itself, outside of its block", (outside) => ["own", String(outside)]],
    ["of the block", () => ["own", "{port+1}"]],
    ["of a helper", (outside) => ["child", String(outside)]],
  ])("%s", (_, side) =>
    withProfiles(async ({ profiles, create, folder }) => {
      const outside = await freePort();
      const go = `${folder}/go`;
      await create({ name: "api", argv: fixture("late", "{port}", go, ...side(outside)) });
      // Its own port opens when the start has told what is open so far.
      const onProgress = (text: string): void => {
        if (/listens on 127\.0\.0\.1:\d+.* so far, waiting for 127\.0\.0\.1:\d+/.test(text)) writeFileSync(go, "");
      };
      const { outcome } = await profiles.start("api", { timeoutMs: 120_000, onProgress });
      expect(outcome).toBe("started");
    }),
  );

  test("and a helper's ports are no evidence at the deadline either; the error says what was waited for", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const outside = await freePort();
      await create({ name: "api", argv: fixture("late", "{port}", `${folder}/never`, "child", String(outside)) });
      // Enough for the helper to open its port.
      await expect(profiles.start("api", { timeoutMs: 25_000 })).rejects.toMatchObject({
        code: "STILL_STARTING",
        evidence: [expect.stringContaining(`listens on 127.0.0.1:${outside}`)],
        hint: expect.stringContaining("lockkeeper edit api --health none"),
      });
      expect((await profiles.status("api")).state).toBe("starting");
    }));
});

if (NO_IPV6 !== undefined) process.stdout.write(`skipped: a listener of IPv6 beside: ${NO_IPV6}\n`);

describe.concurrent("the right port on another address", () => {
  test.each(
    [
      ["127.0.0.1", "::1", "localhost"],
      ["::1", "127.0.0.1", "localhost"],
      ["127.0.0.1", "127.0.0.2", "127.0.0.2"],
      ["127.0.0.2", "127.0.0.1", "127.0.0.1"],
      ["::1", "0.0.0.0", "127.0.0.1"],
    ].filter((hosts) => NO_IPV6 === undefined || !hosts.includes("::1")),
  )("asked for %s, got %s: reported long before the deadline, with the remedy", (host, got, wayOut) =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "vt", host, argv: [process.execPath, "-e", listener(got), "{port}"] });
      const hint = `lockkeeper edit vt --host ${wayOut}`;
      const shown = got.includes(":") ? `[${got}]` : got;
      await expect(profiles.start("vt", { timeoutMs: 60_000 })).rejects.toMatchObject({
        code: "LISTENER_MISMATCH",
        message: expect.stringContaining(`listening on ${shown}:${port}, expected `),
        hint: expect.stringContaining(hint),
      });
      expect(gatewaysOf(home, "-e")).toEqual([]);
      await profiles.edit("vt", { host: wayOut });
      expect((await profiles.start("vt")).outcome).toBe("started");
    }),
  );

  test.skipIf(NO_IPV6 !== undefined)("is not reported when a listener on the expected address follows", () =>
    withProfiles(async ({ profiles, create }) => {
      const both = `${listener("::1")}; setTimeout(() => ${listener("127.0.0.1")}, 100)`;
      await create({ name: "vt", argv: [process.execPath, "-e", both, "{port}"] });
      expect((await profiles.start("vt")).outcome).toBe("started");
    }),
  );
});

test("a missing working directory is named, with the remedy", () =>
  withProfiles(async ({ profiles, create, folder }) => {
    const cwd = `${folder}/it's gone`;
    const { mkdir, rmdir } = await import("node:fs/promises");
    await mkdir(cwd);
    await create({ name: "api", cwd, argv: ["true"] });
    await rmdir(cwd);
    await expect(profiles.start("api")).rejects.toMatchObject({
      code: "COMMAND_NOT_FOUND",
      message: expect.stringContaining(cwd),
      hint: expect.stringContaining("lockkeeper edit api --cwd"),
    });
  }));

/** A home of its own for each test, which is removed afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Manifest } from "../src/manifest.ts";
import { parseProfileName } from "../src/profile-name.ts";
import { profilePaths } from "../src/profile-paths.ts";

/** Returns the path of a home that does not exist yet. */
export function scratchHome(): string {
  const scratch = mkdtempSync(join(tmpdir(), "lockkeeper-home-"));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
  return join(scratch, "home");
}

/** Returns a manifest as `create` would write it. */
export function manifest(home: string, name: string, port: number, changes: Partial<Manifest> = {}): Manifest {
  const parsed = parseProfileName(name);
  return {
    schemaVersion: 1,
    name: parsed,
    kind: "builtin",
    host: "127.0.0.1",
    port,
    span: 10,
    ports: { gateway: port },
    health: "/healthz",
    protected: false,
    createdAt: "2026-01-02T03:04:05.678Z",
    paths: profilePaths(home, parsed),
    ...changes,
  };
}

/** Ten forms of config that OpenClaw runs: each is adopted on OpenClaw's own port, and not a byte changes. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ImportReport } from "@lockkeeper/profiles";
import { treeHash, writeProgram } from "./bench.ts";
import type { Bench } from "./bench.ts";

interface Shape {
  readonly files: Readonly<Record<string, string>>;
  /** `ExecStart=` after the program. */
  readonly unit?: string;
  /** What `openclaw gateway status` of that profile prints. */
  readonly port: number;
  readonly source: string;
}

const gateway = (settings: string): string => `{ gateway: { mode: "local", ${settings} } }`;

/** By OpenClaw's name of the profile. Blocks do not overlap, so that all can be adopted at once. */
const table: Readonly<Record<string, Shape>> = {
  plain: { files: { "openclaw.json": gateway("port: 31000") }, port: 31_000, source: "config" },
  noport: { files: { "openclaw.json": gateway("bind: 'loopback'") }, port: 48_725, source: "default" },
  Lab_2: {
    files: { "openclaw.json": `{ env: { vars: { OPENCLAW_GATEWAY_PORT: "31900" } }, ${gateway("").slice(2)}` },
    port: 53_753,
    source: "default",
  },
  inc: {
    files: {
      "openclaw.json": '{ gateway: { $include: "./gateway.json5" } }',
      "gateway.json5": "{ mode: 'local', port: 25300 }",
    },
    port: 25_300,
    source: "config",
  },
  top: {
    files: { "openclaw.json": '{ $include: ["./conf/a.json5"] }', "conf/a.json5": gateway("port: 25500") },
    port: 25_500,
    source: "config",
  },
  envp: {
    files: { "openclaw.json": gateway("port: 31200"), ".env": "OPENCLAW_GATEWAY_PORT=25700\n" },
    port: 25_700,
    source: "env-file",
  },
  unit: {
    files: { "openclaw.json": gateway("port: 31400") },
    unit: "gateway --port 25900",
    port: 25_900,
    source: "unit",
  },
  lan: {
    files: { "openclaw.json": gateway("port: 26100, bind: 'lan', auth: { token: 'x' }") },
    port: 26_100,
    source: "config",
  },
  open: { files: { "openclaw.json": gateway("port: 26300, auth: { mode: 'none' }") }, port: 26_300, source: "config" },
  noted: { files: { "openclaw.json": `// mine\n${gateway("port: 26500,")}` }, port: 26_500, source: "config" },
};

export async function shapes(bench: Bench): Promise<void> {
  const folderOf = (name: string): string => path.join(bench.user, `.openclaw-${name}`);
  for (const [name, { files, unit }] of Object.entries(table)) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folderOf(name), file)), { recursive: true });
      writeFileSync(path.join(folderOf(name), file), text);
    }
    if (unit === undefined) continue;
    const file = path.join(bench.user, ".config/systemd/user", `openclaw-gateway-${name}.service`);
    writeProgram(file, `[Service]\nExecStart=${path.join(bench.user, "bin/openclaw")} ${unit}`);
  }
  const before = Object.keys(table).map((name) => treeHash(folderOf(name)));
  const report = JSON.parse(await bench.out("import", "openclaw", "--all", "--json")) as ImportReport;
  const found = Object.fromEntries(
    report.imported.map(({ from, status, portSource }) => [from, [status.port, portSource]]),
  );
  assert.deepEqual(
    found,
    Object.fromEntries(Object.entries(table).map(([name, { port, source }]) => [name, [port, source]])),
  );
  assert.deepEqual(
    Object.keys(table).map((name) => treeHash(folderOf(name))),
    before,
    "an import changed a file of theirs",
  );
  console.log("ok: ten shapes of config are adopted on the ports that OpenClaw uses, and not a byte of them changes");
  for (const { status } of report.imported) await bench.ok("remove", status.name, "--yes");
}

/**
 * The cost of `ports`, `doctor` and `create` as profiles grow from 100 to 1,000: linear or not. All in one process, so
 * that no start of Node hides it; medians. Prints one table; asserts nothing. Takes about half a minute.
 */
import { openProfiles } from "@lockkeeper/profiles";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const SIZES = [100, 300, 1_000] as const;
const ROUNDS = 7;

/** Measures and prints. */
export async function run(): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-bench-ports-"));
  try {
    const rows: string[] = [];
    for (const size of SIZES) {
      const home = await homeOf(path.join(scratch, String(size)), size);
      const profiles = await openProfiles({ home, env: { HOME: scratch } });
      const portsMs = await median(() => profiles.ports());
      const doctorMs = await median(() => profiles.diagnose());
      let created = 0;
      const createMs = await median(() => profiles.create({ name: `new-${(created += 1)}` }));
      const perProfile = (ms: number): string => `${((ms / size) * 1_000).toFixed(0)} µs`;
      const figures = [portsMs, doctorMs, createMs].map((ms) => `${ms.toFixed(1)} ms`);
      rows.push(`| ${[size, ...figures, perProfile(portsMs), perProfile(doctorMs)].join(" | ")} |`);
    }
    const head =
      "| profiles | ports | doctor | create | ports, each | doctor, each |\n| --- | --- | --- | --- | --- | --- |";
    process.stdout.write(`${head}\n${rows.join("\n")}\n`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * One real profile, copied on disk and in the registry's text: a thousand creations would take longer than everything
 * else.
 */
async function homeOf(home: string, size: number): Promise<string> {
  const profiles = await openProfiles({ home, env: {} });
  await profiles.create({ name: "p0" });
  const registry = path.join(home, "registry.json");
  const document = JSON.parse(readFileSync(registry, "utf8")) as {
    profiles: { name: string; port: number; ports: object }[];
  };
  const [first] = document.profiles;
  if (first === undefined) throw new Error("the registry is empty after a creation");
  for (let index = 1; index < size; index += 1) {
    const name = `p${index}`;
    const port = first.port + 10 * index;
    document.profiles.push({ ...first, name, port, ports: { gateway: port } });
    const folder = path.join(home, "profiles", name);
    cpSync(path.join(home, "profiles", "p0"), folder, { recursive: true });
    writeFileSync(path.join(folder, "token"), `${name.padEnd(43, "x")}\n`);
  }
  writeFileSync(registry, JSON.stringify(document));
  return home;
}

async function median(action: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    await action();
    samples.push(performance.now() - begun);
  }
  return samples.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

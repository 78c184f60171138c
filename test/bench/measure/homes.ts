/** Homes of any size, made the fast way: one real profile, and copies of it on disk and in the registry. */
import { openProfiles } from "@lockkeeper/profiles";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Ports of one profile in a very large home: the usual ten would not fit. */
const NARROW_SPAN = 5;
/** Above this the usual blocks do not fit below port 65,536. */
const MANY = 2_000;
const FOLDERS = ["lock", "config", "state", "workspace", "logs"];

interface Written {
  readonly name: string;
  readonly port: number;
  readonly span: number;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Makes a home of `count` built-in profiles `p0`, `p1`, ..., in the order in which a change writes them. `p0` is the
 * default, and nothing runs.
 */
export async function makeHome(home: string, count: number): Promise<string> {
  const profiles = await openProfiles({ home, env: { HOME: path.dirname(home) } });
  await profiles.create({ name: "p0" });
  await profiles.use("p0");
  const registry = path.join(home, "registry.json");
  const document = JSON.parse(readFileSync(registry, "utf8")) as { profiles: Written[] };
  const [first] = document.profiles;
  if (first === undefined) throw new Error("the registry is empty after a creation");
  const [base, span] = count > MANY ? [2_000, NARROW_SPAN] : [first.port, first.span];
  document.profiles = Array.from({ length: count }, (_, index): Written => {
    const port = base + span * index;
    return { ...first, name: `p${index}`, port, span, ports: { gateway: port } };
  });
  for (const { name } of document.profiles.slice(1)) {
    const folder = path.join(home, "profiles", name);
    for (const each of FOLDERS) mkdirSync(path.join(folder, each), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, "token"), `${name.padEnd(43, "x")}\n`, { mode: 0o600 });
  }
  writeFileSync(registry, JSON.stringify(document), { mode: 0o600 });
  return home;
}

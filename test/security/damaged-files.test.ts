/**
 * Files that a person or a disk has damaged: registry, run record, history, settings, token, env file, intent,
 * OpenClaw's config, mutated by a seed. Every command ends with a documented exit status in good time, reports no bug,
 * and does not harm a neighbour. FUZZ_SEED and FUZZ_ROUNDS make a long form of it.
 */
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 24);
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 1);
const DOCUMENTED = [0, 1, 2, 3, 4, 5, 65, 73, 74, 77, 78];

/** Source: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ODD = [
  "null",
  "-1",
  "1e999",
  "9007199254740993",
  '""',
  "[]",
  "{}",
  '"__proto__"',
  '"../../x"',
  "true",
  '"\\ud800"',
];

/** Damages a text in one of the ways of writers, editors and disks. */
function mutate(text: string, next: () => number): Buffer {
  const at = Math.floor(next() * text.length);
  const value = ODD[Math.floor(next() * ODD.length)] ?? "null";
  switch (Math.floor(next() * 7)) {
    case 0:
      return Buffer.from(text.slice(0, at));
    case 1:
      return Buffer.from(text + text.slice(at));
    case 2:
      return Buffer.from(
        text.slice(0, at) + String.fromCodePoint(Math.floor(next() * 256)) + text.slice(at + 1),
        "latin1",
      );
    case 3:
      return Buffer.from(text.replace(/:("[^"]*"|\d+|null|true|false)/, `:${value}`));
    case 4: {
      const values = [...text.matchAll(/:("[^"]*"|\d+|null|true|false)/g)];
      const one = values[Math.floor(next() * values.length)];
      if (one === undefined) return Buffer.alloc(0);
      return Buffer.from(`${text.slice(0, one.index)}:${value}${text.slice(one.index + one[0].length)}`);
    }
    case 5:
      return Buffer.from("[".repeat(20_000));
    default:
      return Buffer.alloc(64 * 1024, Math.floor(next() * 256));
  }
}

test(`security 13: damaged files, seeds ${firstSeed} to ${firstSeed + rounds - 1}`, async () => {
  await withScratchHome(async ({ home, folder, run, json }) => {
    const envFile = path.join(folder, "env");
    fs.writeFileSync(envFile, "A=b\n", { mode: 0o600 });
    fs.mkdirSync(path.join(folder, ".openclaw"));
    fs.writeFileSync(path.join(folder, ".openclaw/openclaw.json"), '{"gateway":{"port":18789,"auth":{"token":"x"}}}');
    await json(["create", "a", "--env-file", envFile]);
    await json(["create", "b"]);
    expect(await run(["start", "a"])).toMatchObject({ status: 0 });
    expect(await run(["stop", "a"])).toMatchObject({ status: 0 });
    const intent = path.join(home, "registry.intent.json");
    const sound = new Map(
      [
        path.join(home, "registry.json"),
        path.join(home, "run/a.json"),
        path.join(home, "config.json"),
        path.join(home, "profiles/a/token"),
        path.join(home, "profiles/a/logs/events.jsonl"),
        path.join(folder, ".openclaw/openclaw.json"),
        envFile,
      ].map((file) => [file, fs.readFileSync(file)]),
    );
    sound.set(
      intent,
      Buffer.from('{"v":1,"revision":9,"make":["profiles/x"],"move":[{"from":"profiles/a","to":"trash/a.1"}]}'),
    );
    const neighbour = fs.readFileSync(path.join(home, "profiles/b/token"));
    const commands = [
      ["list"],
      ["status", "a"],
      ["why", "a"],
      ["stop", "a"],
      ["use", "b"],
      ["ports"],
      ["doctor"],
      ["token", "a"],
      ["config", "get"],
      ["rename", "nobody", "x"],
    ];
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const next = random(seed);
      const files = [...sound.keys()];
      const file = files[Math.floor(next() * files.length)] ?? envFile;
      const args = commands[Math.floor(next() * commands.length)] ?? [];
      fs.writeFileSync(file, mutate((sound.get(file) ?? Buffer.alloc(0)).toString("latin1"), next), { mode: 0o600 });
      const { status, stderr } = await run(args);
      expect({ seed, args, file, status, stderr }).toEqual({
        seed,
        args,
        file,
        status: expect.toSatisfy((code: unknown) => DOCUMENTED.some((each) => each === code)) as number,
        stderr: expect.not.stringMatching(/This is a bug|\n {4}at /) as string,
      });
      expect(fs.readFileSync(path.join(home, "profiles/b/token"))).toEqual(neighbour);
      fs.rmSync(intent, { force: true });
      for (const [each, content] of sound) if (each !== intent) fs.writeFileSync(each, content, { mode: 0o600 });
    }
  });
});

test("security 13: a config that nests a hundred thousand deep keeps no gateway from starting, and no message reports a bug", async () => {
  await withScratchHome(async ({ home, run, json }) => {
    await json(["create", "a"]);
    const config = path.join(home, "profiles/a/config/gateway.json");
    fs.mkdirSync(path.dirname(config), { recursive: true, mode: 0o700 });
    fs.writeFileSync(config, `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, { mode: 0o600 });
    for (const args of [
      ["start", "a"],
      ["status", "a"],
      ["doctor"],
      ["config", "get", "--profile", "a"],
      ["clone", "a", "b"],
    ]) {
      const { status, stdout, stderr } = await run(args);
      expect({ args, shown: stdout + stderr }).toEqual({
        args,
        shown: expect.not.stringMatching(/This is a bug|\n {4}at |RangeError/) as string,
      });
      expect(DOCUMENTED).toContain(status);
    }
  });
});

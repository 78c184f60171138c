/**
 * One contender: acquires, writes its testimony, holds for a moment and releases, again and again until it is killed.
 * The witnesses do not depend on the lock: an append-only log with the host's monotonic clock, and an exclusive TCP
 * port. One line for each event, `<letter> <contender> <ns>`: A acquired, L listening, E port refused, R about to
 * release, G released, D about to kill itself, X an error (with its text). Runs under step-killer.js. Arguments: one
 * JSON object.
 */
import fs from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const options = JSON.parse(process.argv[2]);
const { id, adapter, directory, log, port, timeoutMs, holdMs, stepKillChance } = options;
const { acquire } = await import(adapter);
const { write, arm, disarm } = globalThis.stepKiller;

const fd = fs.openSync(log, "a");
const note = (letter, text = "") => write(fd, `${letter} ${id} ${process.hrtime.bigint()}${text}\n`);

/** A small generator of our own, so that a seed repeats the same choices. Source: mulberry32. */
let state = options.seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function tryListen() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => resolve(server));
  });
}

/** Sometimes arms the trigger for one of the next steps. */
function maybeDie(chance, steps) {
  if (random() < chance) arm(1 + Math.floor(random() * steps), random() < 0.5 ? "before" : "after", () => note("D"));
}

async function cycle() {
  maybeDie(stepKillChance, 16);
  const release = await acquire({ directory, timeoutMs });
  disarm();
  note("A");
  const server = await tryListen();
  note(server === undefined ? "E" : "L");
  // Most release at once, so that acquire and release, where the races are, make up most of the time.
  const hold = random() < 0.8 ? 0 : random() * holdMs;
  if (hold > 1) await sleep(hold);
  note("R");
  server?.close();
  maybeDie(stepKillChance / 2, 6);
  await release();
  disarm();
  note("G");
}

process.stdout.write("ready\n");
for (;;) {
  try {
    await cycle();
  } catch (error) {
    disarm();
    note("X", ` ${String(error?.message ?? error).replaceAll("\n", " ")}`);
    await sleep(2);
  }
}

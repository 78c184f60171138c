/** A control: answers every order like a sentinel and never does anything, so that the keeper has only itself. */
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "dismissed") process.exit(0);
  process.stdout.write(`${JSON.parse(line).endsAtMs}\n`);
}

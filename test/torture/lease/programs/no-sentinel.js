/** A control: answers every order like a sentinel and does nothing, so that the keeper is on its own. */
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "dismissed") process.exit(0);
  process.stdout.write(`${JSON.parse(line).endsAtMs}\n`);
}

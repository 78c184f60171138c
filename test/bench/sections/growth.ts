/** How commands grow with the number of profiles. Ten thousand is measured, but is not a target. */
import path from "node:path";
import { makeHome } from "../measure/homes.ts";
import { rowsOf } from "../measure/table.ts";
import type { Row } from "../measure/table.ts";
import { FLOOR, nodeFloor, ourCommand, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

const COMMANDS: readonly (readonly [title: string, args: readonly string[]])[] = [
  ["current", ["current"]],
  ["url", ["url", "p5"]],
  ["list", ["list"]],
  ["ports", ["ports"]],
];
/** It looks at every file of every profile. */
const DOCTOR_UP_TO = 1_000;

/** Measures each command at each size. */
export async function measure({ folder, rounds, quick, nodes }: Bench): Promise<readonly Section[]> {
  const [node = process.execPath] = nodes;
  const sizes = quick ? [10, 100] : [10, 100, 1_000, 10_000];
  const rows: Row[] = [];
  for (const size of sizes) {
    const home = await makeHome(path.join(folder, `growth-${size}`), size);
    const name = (command: string): string => `${command}, ${size.toLocaleString("en")} profiles`;
    const contestants: Contestant[] = [nodeFloor(node, home)];
    for (const [command, args] of COMMANDS) contestants.push(ourCommand(node, name(command), args, home));
    if (size <= DOCTOR_UP_TO) contestants.push(ourCommand(node, name("doctor"), ["doctor"], home, undefined, [0, 1]));
    const times = takeTurns(contestants, Math.max(3, Math.ceil(rounds / 5)));
    rows.push(...rowsOf(contestants, times, FLOOR).slice(1));
  }
  return [{ title: "Growth", note: "", rows }];
}

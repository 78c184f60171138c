/** The cost of commands while nothing runs, divided by that of Node itself. */
import path from "node:path";
import { makeHome } from "../measure/homes.ts";
import { versionOf } from "../measure/machine.ts";
import { rowsOf } from "../measure/table.ts";
import { FLOOR, nodeFloor, ourCommand, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

const AGAIN = `${FLOOR} once more`;

/** Measures each command on this Node, and on the newest one when there is another. */
export async function measure({ folder, rounds, quick, nodes }: Bench): Promise<readonly Section[]> {
  const sizes = quick ? [10, 100] : [10, 100, 1_000];
  const homes = new Map<number, string>();
  for (const size of sizes) homes.set(size, await makeHome(path.join(folder, `commands-${size}`), size));
  const of = (size: number): string => homes.get(size) ?? "";
  const [largest = 10] = sizes.toReversed();
  // A create changes its home, so each Node has its own home for it.
  const growing: string[] = [];
  for (const index of nodes.keys()) growing.push(await makeHome(path.join(folder, `growing-${index}`), largest));
  return nodes.map((node, index) => {
    const call = (title: string, args: readonly string[], home: string, target?: number): Contestant =>
      ourCommand(node, title, args, home, target);
    const contestants: readonly Contestant[] = [
      nodeFloor(node, of(10)),
      nodeFloor(node, of(10), AGAIN),
      call("--version", ["--version"], of(10), 1.1),
      call("--help", ["--help"], of(10), 1.1),
      call("current", ["current"], of(100), 1.1),
      call("url", ["url", "p5"], of(100), 1.1),
      call("port", ["port", "p5"], of(100), 1.1),
      call("list of 10", ["list"], of(10), 1.1),
      call("list of 100", ["list"], of(100), 1.12),
      call("ports of 100", ["ports"], of(100), 1.6),
      // It may find something on the machine that it runs on.
      ourCommand(node, "doctor of 100", ["doctor"], of(100), 2, [0, 1]),
      ...(quick
        ? []
        : [call("list of 1,000", ["list"], of(1_000), 1.25), call("ports of 1,000", ["ports"], of(1_000), 2)]),
      call(`create in ${largest.toLocaleString("en")}`, ["create", "n{round}"], growing[index] ?? "", 1.6),
    ];
    const times = takeTurns(contestants, rounds);
    return {
      title: `Commands, nothing running, Node ${versionOf(node)}`,
      note: `"${AGAIN}" is the same thing measured twice: what it is off 1.00 is noise.`,
      rows: rowsOf(contestants, times, FLOOR),
    };
  });
}

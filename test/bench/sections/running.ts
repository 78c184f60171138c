/** The cost of a look at running gateways. */
import path from "node:path";
import { withRunning } from "../measure/running-home.ts";
import { versionOf } from "../measure/machine.ts";
import { rowsOf } from "../measure/table.ts";
import { FLOOR, nodeFloor, ourCommand, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

/** Measures on a home whose gateways all run, with each Node. */
export async function measure({ folder, rounds, quick, nodes }: Bench): Promise<readonly Section[]> {
  const count = quick ? 5 : 20;
  const sections: Section[] = [];
  for (const node of nodes) {
    await withRunning(node, path.join(folder, `running-${versionOf(node)}`), count, (home) => {
      const contestants: readonly Contestant[] = [
        nodeFloor(node, home),
        ourCommand(node, `list, ${count} of ${count} running`, ["list"], home, 1.6),
        ourCommand(node, `list --no-probe, ${count} of ${count} running`, ["list", "--no-probe"], home),
        ourCommand(node, "status of one that runs", ["status", "r1"], home, 1.5),
      ];
      const rows = rowsOf(contestants, takeTurns(contestants, rounds), FLOOR);
      sections.push({ title: `Gateways that run, Node ${versionOf(node)}`, note: "", rows });
    });
  }
  return sections;
}

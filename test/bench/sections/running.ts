/** The cost of a look at running gateways. */
import path from "node:path";
import { makeHome } from "../measure/homes.ts";
import { whileUp, withRunning } from "../measure/running-home.ts";
import { versionOf } from "../measure/machine.ts";
import { rowsOf } from "../measure/table.ts";
import { FLOOR, nodeFloor, ourCommand, takeTurns } from "../measure/turns.ts";
import type { Contestant } from "../measure/turns.ts";
import type { Bench, Section } from "./section.ts";

/** In a large home. */
const SOME = 100;
const MANY = 1_000;

/** Measures on a home whose gateways all run, and on a large one of which some do, with each Node. */
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
    if (quick) continue;
    const large = await makeHome(path.join(folder, `many-${versionOf(node)}`), MANY);
    const names = Array.from({ length: SOME }, (_, index) => `p${index}`);
    await whileUp(node, large, names, (home) => {
      const title = `list, ${SOME} of ${MANY.toLocaleString("en")} running`;
      const contestants = [nodeFloor(node, home), ourCommand(node, title, ["list"], home, 2.2)];
      const rows = rowsOf(contestants, takeTurns(contestants, Math.ceil(rounds / 3)), FLOOR);
      sections.push({ title: `Some gateways of many, Node ${versionOf(node)}`, note: "", rows });
    });
  }
  return sections;
}

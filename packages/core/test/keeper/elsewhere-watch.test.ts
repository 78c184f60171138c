import { describe, expect, test } from "vitest";
import type { Listener } from "../../src/host/listener.ts";
import { judgeListeners } from "../../src/keeper/elsewhere-watch.ts";

const BLOCK = { host: "127.0.0.1", port: 20_000, span: 10 };
const LEADER = 7;

/** One line each: `pid address port`. */
function judge(...seen: readonly (readonly [pid: number, address: string, port: number])[]): unknown {
  const listeners = seen.map(([pid, address, port], index): [Listener, number] => {
    const family = address.includes(":") ? 6 : 4;
    return [{ family, address, port, inode: String(index), uid: 0 }, pid];
  });
  return judgeListeners(BLOCK, new Map(listeners), LEADER)?.how;
}

describe("ports that a run opens while its own port has no listener", () => {
  test.each<[string, unknown, unknown]>([
    ["nothing", judge(), undefined],
    ["a port of the block", judge([LEADER, "127.0.0.1", 20_009]), "aside"],
    ["a port below the block", judge([LEADER, "127.0.0.1", 19_999]), "other-port"],
    ["a port above the block", judge([LEADER, "127.0.0.1", 20_010]), "other-port"],
    ["a helper's port", judge([8, "127.0.0.1", 5_555]), "aside"],
    ["a helper's and its own", judge([8, "127.0.0.1", 5_555], [LEADER, "127.0.0.1", 3_000]), "other-port"],
    ["its port elsewhere", judge([LEADER, "127.0.0.1", 3_000], [8, "::1", 20_000]), "other-address"],
    ["its port on an IPv6 wildcard that does not answer", judge([LEADER, "::", 20_000]), "other-address"],
    ["its port, opened since the look before", judge([LEADER, "127.0.0.1", 20_000]), undefined],
    ["its port on every address, and another", judge([LEADER, "0.0.0.0", 20_000], [8, "::1", 3_000]), undefined],
  ])("%s", (_, how, expected) => expect(how).toBe(expected));
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planRunPorts } from "../../src/run/run-ports.ts";
import { manifest } from "../scratch-home.ts";

const api = manifest("/home", "api", 20_000, { ports: { gateway: 20_000, metrics: 20_003 } });
const other = manifest("/home", "other", 21_000, { span: 120 });
const registry = new Map([api, other].map((each) => [each.name as string, each]));

describe("planRunPorts", () => {
  test("moves every named port with the base, and may overlap the profile's own block", () => {
    expect(planRunPorts(registry, api, 20_005)).toEqual({ port: 20_005, ports: { gateway: 20_005, metrics: 20_008 } });
    expect(planRunPorts(registry, api, 20_000)).toMatchObject({ port: 20_000, ports: api.ports });
  });

  test("refuses exactly the ports that reach into another profile's block, naming it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_900, max: 21_200 }), (port) => {
        const plan = (): unknown => planRunPorts(registry, api, port);
        if (port + 9 < 21_000 || port > 21_119) expect(plan()).toMatchObject({ port });
        else expect(plan).toThrow(expect.objectContaining({ code: "PORTS_OVERLAP" }));
      }),
    );
    expect(() => planRunPorts(registry, api, 20_995)).toThrow("21000-21119 of profile other");
  });

  test.each([0, -1, 1.5, 70_000, 65_527, Number.NaN])("refuses the base %s", (port) => {
    expect(() => planRunPorts(registry, api, port)).toThrow(expect.objectContaining({ code: "PORT_INVALID" }));
  });
});

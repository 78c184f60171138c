/**
 * The live view's state: whatever is typed, the selected row is visible, and an action on a protected profile needs
 * confirmation.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopState, TopStep } from "../../src/top/top-state.ts";
import { INITIAL_STATE, press, selectedRow, visibleRows, withRows } from "../../src/top/top-state.ts";
import { topRow } from "./top-row.ts";

const PROFILES = [topRow("dev"), topRow("prod", { isProtected: true }), topRow("web", { state: "stopped" })];
const THREE = withRows(INITIAL_STATE, PROFILES);

function type(state: TopState, ...keys: readonly string[]): TopStep {
  let step: TopStep = { state };
  for (const key of keys) step = press(step.state, key);
  return step;
}

describe("a verb", () => {
  test("acts on the selected profile", () => {
    expect(type(THREE, "s").action).toEqual({ kind: "act", verb: "start", name: "dev", confirmed: false });
    expect(type(THREE, "end", "x").action).toEqual({ kind: "act", verb: "stop", name: "web", confirmed: false });
  });

  test("asks for the name of a protected profile, and accepts nothing else", () => {
    const asked = type(THREE, "down", "x");
    expect(asked.action).toBeUndefined();
    expect(asked.state.prompt).toMatchObject({ kind: "confirm", verb: "stop", name: "prod" });
    expect(type(asked.state, ..."prod", "enter").action).toMatchObject({ verb: "stop", name: "prod", confirmed: true });
    for (const wrong of ["", "pro", "dev", "prod "]) {
      expect(type(asked.state, ...wrong, "enter").action).toBeUndefined();
    }
    expect(type(asked.state, "escape", "q").action).toEqual({ kind: "quit" });
  });

  test("starts a protected profile without asking: a start does no harm", () => {
    expect(type(THREE, "down", "s").action).toMatchObject({ verb: "start", name: "prod" });
  });

  test("does nothing when no profile is selected", () => {
    expect(type(INITIAL_STATE, "x")).toEqual({ state: INITIAL_STATE });
  });
});

test("a filter applies while it is typed; escape clears it", () => {
  const filtered = type(THREE, "/", "w", "e").state;
  expect(visibleRows(filtered).map(({ name }) => name)).toEqual(["web"]);
  expect(filtered.selected).toBe("web");
  expect(visibleRows(type(filtered, "enter", "escape").state)).toHaveLength(3);
});

test("the selection stays on its profile when others come and go", () => {
  const onProd = type(THREE, "down").state;
  expect(withRows(onProd, [topRow("a"), topRow("b"), topRow("prod")]).selected).toBe("prod");
  expect(withRows(onProd, [topRow("dev"), topRow("web")]).selected).toBe("web");
  expect(withRows(onProd, []).selected).toBeNull();
});

test("search goes back through the log line by line, and says when there are no more matches", () => {
  const open: TopState = { ...type(THREE, "l").state, log: ["an error", "fine", "error two", "fine"] };
  const first = type(open, "/", ..."error", "enter").state;
  expect(first.scrolledBack).toBe(1);
  const second = type(first, "n").state;
  expect(second.scrolledBack).toBe(3);
  expect(type(second, "n").state.message.text).toContain("no further line");
});

const NAMED = ["up", "down", "home", "end", "pageup", "pagedown", "enter", "escape", "backspace"];
const KEY = fc.oneof(
  fc.constantFrom(...NAMED, "/", "l", "x", "r", "n", "[", "]", "?"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
);

test("whatever is typed, a visible row is selected and a protected profile is never acted on without confirmation", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(KEY, fc.constant("rows")), { maxLength: 60 }), (keys) => {
      let state: TopState = THREE;
      for (const each of keys) {
        const step: TopStep =
          each === "rows"
            ? { state: withRows(state, visibleRows({ ...state, filter: "" }).slice(1)) }
            : press(state, each);
        state = step.state;
        if (visibleRows(state).length > 0) expect(selectedRow(state)).toBeDefined();
        expect(state.scrolledBack).toBeLessThanOrEqual(state.log.length);
        const { action } = step;
        if (action?.kind === "act" && action.name === "prod" && action.verb !== "start") {
          expect(action.confirmed).toBe(true);
        }
      }
    }),
  );
});

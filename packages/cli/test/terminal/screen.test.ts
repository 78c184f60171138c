/** The screen writes only what changed and always restores the terminal. It understands the keys of real terminals. */
import { describe, expect, test } from "vitest";
import { openKeyReader } from "../../src/terminal/key-reader.ts";
import { openScreen } from "../../src/terminal/screen.ts";
import type { TerminalDevice } from "../../src/terminal/terminal-device.ts";

interface Recorded {
  readonly device: TerminalDevice;
  readonly written: () => string;
  readonly resize: () => void;
  readonly isTaken: () => boolean;
}

function recordingDevice(): Recorded {
  let written = "";
  let handlers: Parameters<TerminalDevice["open"]>[0] | undefined;
  const device: TerminalDevice = {
    size: () => ({ columns: 20, rows: 5 }),
    write: (text) => void (written += text),
    open: (given) => {
      handlers = given;
      return () => void (handlers = undefined);
    },
    suspend: () => Promise.resolve(),
  };
  return {
    device,
    written: () => {
      const text = written;
      written = "";
      return text;
    },
    resize: () => handlers?.onResize(),
    isTaken: () => handlers !== undefined,
  };
}

describe("a screen", () => {
  test("writes a line when it changes, and nothing otherwise", () => {
    const { device, written } = recordingDevice();
    const screen = openScreen(
      device,
      () => undefined,
      () => undefined,
    );
    written();
    screen.draw(["one", "two"]);
    expect(written()).toContain("one");
    screen.draw(["one", "two"]);
    expect(written()).toBe("");
    screen.draw(["one", "2"]);
    const change = written();
    expect(change).toContain("\u001B[2;1H\u001B[2K2");
    expect(change).not.toContain("one");
    screen.draw(["one"]);
    expect(written()).toContain("\u001B[2;1H\u001B[2K\u001B[0m");
  });

  test("draws everything again after a change of size", () => {
    const recorded = recordingDevice();
    const screen = openScreen(
      recorded.device,
      () => undefined,
      () => screen.draw(["one"]),
    );
    screen.draw(["one"]);
    recorded.written();
    recorded.resize();
    expect(recorded.written()).toContain("one");
  });

  test("restores the terminal once, and takes it again after a pause", async () => {
    const { device, written, isTaken } = recordingDevice();
    const screen = openScreen(
      device,
      () => undefined,
      () => undefined,
    );
    expect(written()).toContain("\u001B[?1049h");
    await screen.suspend();
    expect(written()).toMatch(/\?1049l.*\?1049h/s);
    expect(isTaken()).toBe(true);
    screen.close();
    screen.close();
    expect(written().split("\u001B[?1049l")).toHaveLength(2);
    expect(isTaken()).toBe(false);
    screen.draw(["late"]);
    expect(written()).toBe("");
  });
});

describe("keys", () => {
  test.each([
    ["\u001B[A", ["up"]],
    ["\u001BOB", ["down"]],
    ["\u001B[5~\u001B[6~", ["pageup", "pagedown"]],
    ["ab\r", ["a", "b", "enter"]],
    ["\u0003\u001A", ["ctrl-c", "ctrl-z"]],
    ["\u007F", ["backspace"]],
    ["\u001B", ["escape"]],
    ["é漢", ["é", "漢"]],
    ["\u001B[200~x\u001B[201~", ["x"]],
    ["\u001B[1;5C", []],
    ["\u0000", []],
  ])("%j are %j", (data, keys) => {
    expect(openKeyReader()(data)).toEqual(keys);
  });

  test("are complete although a sequence arrives in two pieces", () => {
    const read = openKeyReader();
    expect(read("x\u001B[")).toEqual(["x"]);
    expect(read("A")).toEqual(["up"]);
  });

  test("end a sequence that has no end", () => {
    const read = openKeyReader();
    expect(read(`\u001B[${"1".repeat(40)}`).length).toBeGreaterThan(0);
    expect(read("q")).toContain("q");
  });
});

import { describe, expect, test } from "vitest";
import { pause, throwIfAborted, unlessAborted } from "../src/interruptible.ts";

const aborted = expect.objectContaining({ code: "ABORTED", cause: expect.anything() });

describe("waits that can be ended", () => {
  test("end when the signal aborts, before or during the wait", async () => {
    const controller = new AbortController();
    const waits = [pause(60_000, controller.signal), unlessAborted(new Promise(() => undefined), controller.signal)];
    throwIfAborted(controller.signal);
    controller.abort();
    for (const wait of waits) await expect(wait).rejects.toEqual(aborted);
    await expect(pause(0, controller.signal)).rejects.toEqual(aborted);
    await expect(unlessAborted(new Promise(() => undefined), controller.signal)).rejects.toEqual(aborted);
    expect(() => throwIfAborted(controller.signal)).toThrow(aborted);
  });

  test("pass results and errors on, and remove their listener from the signal", async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    expect(await unlessAborted(Promise.resolve(2), undefined)).toBe(2);
    await expect(unlessAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
    await pause(0, undefined);
    throwIfAborted(undefined);
  });
});

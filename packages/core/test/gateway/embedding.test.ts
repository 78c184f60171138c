import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { freePort, openSocket, sendRaw, TOKEN, within } from "./running-gateway.ts";

/** A program in this folder finds `@lockkeeper/core` by its name. Needs a build. */
const cwd = fileURLToPath(new URL("../../", import.meta.url));

/** The program of docs/embedding.md, word for word. */
function example(): readonly string[] {
  const page = readFileSync(new URL("../../../../docs/embedding.md", import.meta.url), "utf8");
  const code = /<!-- example: gateway\.mjs -->\s+```js\n([\s\S]+?)```/.exec(page)?.[1];
  if (code === undefined) throw new Error("docs/embedding.md has lost its example");
  return ["--input-type=module", "--eval", code];
}

async function ready(program: ChildProcess): Promise<string> {
  const [line] = await within("the ready line", once(program.stdout ?? program, "data"));
  return String(line);
}

test("the example of the page runs, is exclusive, survives a SIGKILL of its predecessor and leaves nothing behind", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "lockkeeper-embedding-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const env = { ...process.env, GATEWAY_HOME: home, GATEWAY_TOKEN: TOKEN, GATEWAY_PORT: String(port) };
  const start = async (): Promise<ChildProcess> => {
    const program = spawn(process.execPath, example(), { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void program.kill("SIGKILL"));
    expect(await ready(program)).toBe(`listening on ws://127.0.0.1:${port}\n`);
    return program;
  };

  const first = await start();
  const gateway = { url: `ws://127.0.0.1:${port}`, host: "127.0.0.1", port };
  const answer = await sendRaw(gateway, [
    "GET /builds HTTP/1.1",
    `Host: localhost:${port}`,
    `Authorization: Bearer ${TOKEN}`,
    "Connection: close",
  ]);
  expect([answer.status, answer.body.includes("you asked for /builds")]).toEqual([200, true]);
  expect((await sendRaw(gateway, ["GET /builds HTTP/1.1", `Host: localhost:${port}`])).status).toBe(401);

  const second = await promisify(execFile)(process.execPath, example(), { cwd, env }).catch((error: unknown) => error);
  expect(second).toMatchObject({ code: 78, stderr: expect.stringMatching(/^(?:LOCK_HELD|PORT_IN_USE): /) as unknown });

  first.kill("SIGKILL");
  await once(first, "exit");
  const successor = await start();
  const socket = await openSocket(gateway);
  const heard = within("an answer", once(socket, "message"));
  socket.send("hello");
  expect(String((await heard)[0])).toBe("you said hello");
  const closed = within("the WebSocket to close", once(socket, "close"));
  const exited = once(successor, "exit");
  successor.kill("SIGTERM");
  expect((await closed)[0]).toBe(1001);
  expect(await exited).toEqual([0, null]);
  expect(readdirSync(path.join(home, "lock")).filter((name) => name.endsWith(".lock"))).toEqual([]);
});

/** Tests the rewrite of required modules shape by shape, and that a gateway of the bundle starts without what it defers. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { freePort } from "../../../../test/harness/ports.ts";

const GATEWAY = path.join(import.meta.dirname, "../../dist/gateway.cjs");

interface File {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { requiredLater } = require("../../bundle/defer-required.js") as { requiredLater: (code: string) => File };

/** Runs the code; `asked` are the modules that it required, in order. */
function run(code: string): { readonly result: unknown; readonly asked: readonly string[] } {
  const asked: string[] = [];
  const sandbox = {
    result: undefined as unknown,
    require: (id: string) => {
      asked.push(id);
      return require(`node:${id}`) as unknown;
    },
  };
  runInNewContext(code, sandbox);
  return { result: sandbox.result, asked };
}

test.each([
  ["a whole module", "const zlib = require('zlib');\nresult = () => zlib.crc32 === undefined || zlib.Z_SYNC_FLUSH;\n"],
  [
    "a function of one",
    "const { createHash } = require('crypto');\nresult = () => createHash('sha1').digest('hex');\n",
  ],
  [
    "two functions of one",
    "const { randomBytes, createHash } = require('crypto');\nresult = () => createHash('sha1').update(randomBytes(0)).digest('hex');\n",
  ],
])("%s is required when it is used, and means the same", (_, code) => {
  const before = run(code);
  const after = run(requiredLater(code).toString());
  expect(before.asked).toHaveLength(1);
  expect(after.asked).toEqual([]);
  expect((after.result as () => unknown)()).toEqual((before.result as () => unknown)());
  expect(new Set(after.asked)).toEqual(new Set(before.asked));
});

test("other modules, members, texts and comments stay as they are", () => {
  const code =
    "const http = require('http');\n// https is not tls\nresult = { https: 'https: tls', of: http.tls }; /* tls */\n";
  expect(requiredLater(code).toString()).toBe(code);
  const late = `const tls = require('tls');\n${code}`;
  expect(requiredLater(late).toString()).toBe(code);
});

test("one that is used as a value fails the build, and the error quotes the place", () => {
  expect(() => requiredLater("const tls = require('tls');\nresult = Object.keys(tls);\n")).toThrow(
    "tls is used as a value: ",
  );
  expect(() => requiredLater("const { createHash } = require('crypto');\nresult = [createHash];\n")).toThrow(
    "createHash is used as a value: ",
  );
});

test("a gateway of the bundle listens without TLS, compression and crypto, and then accepts a WebSocket", async () => {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-late-"));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(scratch, name), text, { mode: 0o600 });
    return path.join(scratch, name);
  };
  const token = "t".repeat(43);
  const port = await freePort();
  const witness = file(
    "witness.cjs",
    `const { Module } = module.constructor;
     const { _load: load } = Module;
     const asked = [];
     Module._load = (id, ...rest) => (asked.push(id.replace("node:", "")), load(id, ...rest));
     process.on("SIGUSR2", () => console.log(JSON.stringify([...asked, ...process.moduleLoadList])));`,
  );
  const gateway = spawn(process.execPath, ["--require", witness, GATEWAY], {
    env: {
      LOCKKEEPER_PROFILE: "a",
      LOCKKEEPER_HOST: "127.0.0.1",
      LOCKKEEPER_PORT: String(port),
      LOCKKEEPER_CONFIG_PATH: path.join(scratch, "none.json"),
      LOCKKEEPER_TOKEN_FILE: file("token", token),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(gateway, "exit");
  try {
    const lines = createInterface(gateway.stdout);
    expect((await once(lines, "line"))[0]).toContain("listening on");
    gateway.kill("SIGUSR2");
    const asked = JSON.parse((await once(lines, "line"))[0] as string) as readonly string[];
    expect(asked).toContain("http");
    expect(asked).toContain("NativeModule http");
    expect(asked).not.toContain("NativeModule perf_hooks");
    for (const late of ["https", "tls", "zlib", "crypto", "bufferutil", "utf-8-validate"]) {
      expect(asked).not.toContain(late);
    }
    const key = Buffer.alloc(16).toString("base64");
    const request = get({
      host: "127.0.0.1",
      port,
      headers: {
        authorization: `Bearer ${token}`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": key,
      },
    });
    const [answer, socket] = (await once(request, "upgrade")) as [IncomingMessage, Socket];
    socket.destroy();
    // Source: https://www.rfc-editor.org/rfc/rfc6455#section-1.3
    const accepted = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    expect(answer.headers["sec-websocket-accept"]).toBe(accepted);
    gateway.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
  } finally {
    gateway.kill("SIGKILL");
    await gone;
    rmSync(scratch, { recursive: true, force: true });
  }
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isPlainlyLocal } from "../../src/host/local-address.ts";

let procRoot: string;

beforeEach(() => {
  procRoot = mkdtempSync(path.join(tmpdir(), "lockkeeper-local-"));
  mkdirSync(path.join(procRoot, "net"));
});

afterEach(() => rmSync(procRoot, { recursive: true }));

const TABLE = `Main:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.88.0.0/16 2 0 2
        |-- 10.88.0.0
           /16 link UNICAST
        |-- 10.88.0.1
           /32 host LOCAL
        |-- 10.88.0.7
           /32 link UNICAST
        |-- 10.88.255.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
Id 10:
  |-- 10.99.0.1
     /32 host LOCAL
`;

test("an address is local when the kernel's main table says so", () => {
  writeFileSync(path.join(procRoot, "net/fib_trie"), TABLE);
  for (const host of ["10.88.0.1", "127.0.0.1"]) expect(isPlainlyLocal(host, { procRoot }), host).toBe(true);
  // A network, a route to one address, a broadcast address, another routing domain's, a part of one, nothing, and a name.
  for (const host of ["127.0.0.0", "10.88.0.7", "10.88.255.255", "10.99.0.1", "88.0.1", "10.88.0.9", "localhost"])
    expect(isPlainlyLocal(host, { procRoot }), host).toBe(false);
});

test("a table of policy routing before the kernel's own ones makes no address local, whether Main has routes or not", () => {
  const other = "Id 52:\n  |-- 10.99.0.1\n     /32 host LOCAL\n";
  for (const text of [other + TABLE, other + TABLE.replace("Main:", "Local:")]) {
    writeFileSync(path.join(procRoot, "net/fib_trie"), text);
    expect(isPlainlyLocal("10.99.0.1", { procRoot })).toBe(false);
    expect(isPlainlyLocal("10.88.0.1", { procRoot })).toBe(true);
  }
  writeFileSync(path.join(procRoot, "net/fib_trie"), other);
  expect(isPlainlyLocal("10.99.0.1", { procRoot })).toBe(false);
});

test("is not plain where the host shows no table, or one that is cut off", () => {
  expect(isPlainlyLocal("127.0.0.1", { procRoot })).toBe(false);
  const end = TABLE.indexOf("127.0.0.1") + "127.0.0.1".length;
  writeFileSync(path.join(procRoot, "net/fib_trie"), TABLE.slice(0, end));
  expect(isPlainlyLocal("127.0.0.1", { procRoot })).toBe(false);
});

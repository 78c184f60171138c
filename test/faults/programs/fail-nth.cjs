/**
 * Loaded with --require before a command: makes the n-th file call of one kind below FAULT_UNDER fail once with an
 * errno, as the disk would (FAULT="kind:n:errno"), and writes at exit how many calls of each kind there were
 * (FAULT_COUNTS, a file). Only calls below that folder count: a full disk does not refuse what Node itself reads, nor
 * its own output.
 */
"use strict";
const fs = require("node:fs");

const KINDS = {
  open: ["openSync"],
  read: ["readSync", "readFileSync", "readdirSync"],
  look: ["lstatSync", "statSync", "fstatSync"],
  write: ["writeSync", "writeFileSync", "ftruncateSync", "copyFileSync"],
  fsync: ["fsync", "fsyncSync", "fdatasyncSync"],
  rename: ["renameSync"],
  mkdir: ["mkdirSync"],
  chmod: ["chmodSync", "fchmodSync"],
  unlink: ["unlinkSync", "rmSync", "rmdirSync"],
};
const PROMISED = {
  open: ["open"],
  read: ["readFile", "readdir"],
  write: ["writeFile", "copyFile"],
  unlink: ["rm", "unlink"],
};

const under = process.env.FAULT_UNDER;
const report = process.env.FAULT_COUNTS;
const [wanted, nth, errno] = (process.env.FAULT ?? "::").split(":");
const counts = {};
/** Descriptors of files below the folder. */
const ours = new Set();
const NUMBERS = { EIO: -5, ENOSPC: -28, EROFS: -30, EMFILE: -24, EACCES: -13, EPERM: -1 };

/** The path as a command may have resolved it: these tests spell the folder in one way. */
function isOurs(subject) {
  if (typeof subject === "number") return ours.has(subject);
  return typeof subject === "string" && (subject === under || subject.startsWith(`${under}/`));
}

/** Returns the error, when this is the call that fails. */
function due(kind, subject, call) {
  if (!isOurs(subject)) return undefined;
  counts[kind] = (counts[kind] ?? 0) + 1;
  if (kind !== wanted || counts[kind] !== Number(nth)) return undefined;
  const error = new Error(`${errno}: injected, ${call} '${subject}'`);
  return Object.assign(error, { code: errno, errno: NUMBERS[errno], syscall: call, path: String(subject) });
}

for (const [kind, names] of Object.entries(KINDS)) {
  for (const name of names) {
    const original = fs[name];
    fs[name] = function (subject, ...rest) {
      const error = due(kind, subject, name);
      if (error !== undefined) {
        const done = rest.at(-1);
        if (name.endsWith("Sync") || typeof done !== "function") throw error;
        return void process.nextTick(done, error);
      }
      const result = original.call(this, subject, ...rest);
      if (name === "openSync" && isOurs(subject)) ours.add(result);
      return result;
    };
  }
}
for (const [kind, names] of Object.entries(PROMISED)) {
  for (const name of names) {
    const original = fs.promises[name];
    fs.promises[name] = async function (subject, ...rest) {
      // A copy fails for its target.
      const error = due(kind, name === "copyFile" ? rest[0] : subject, name);
      if (error !== undefined) throw error;
      return original.call(this, subject, ...rest);
    };
  }
}
const { closeSync } = fs;
fs.closeSync = (fd) => {
  ours.delete(fd);
  return closeSync(fd);
};
require("node:module").syncBuiltinESMExports();

const { writeFileSync } = fs;
process.on("exit", () => {
  if (report !== undefined) writeFileSync(report, JSON.stringify(counts));
});

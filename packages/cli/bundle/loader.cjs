#!/usr/bin/env node
/**
 * Loads the program's own files: each is read, and compiled with the bytecode that lies beside it, if that was made by this very
 * Node. A third of a short command's time above a bare Node start was compiling, and finding files. The build writes this file
 * into the bundle as it is, with MAIN_FILE filled in. The name of every file that it loads holds a hash of its content, and its
 * bytecode has the same name: none is ever taken for another's.
 *
 * Node compiles each function of its own at its first call, so we call few of them: paths are put together by hand, bytecode
 * is read into an array of our own, and Node's modules do not come from `require`.
 */
"use strict";
const fs = process.getBuiltinModule("node:fs");
const { sep } = process.getBuiltinModule("node:path");
const vm = process.getBuiltinModule("node:vm");

/** The first line of a file that is a function already, so that its text need not be copied: see `rolldown.config.js`. */
const BEFORE = "(function (exports, require, module, __filename, __dirname) {\n";

/** The bytecode of this Node; another one finds none here. V8 also checks that it is of its own version and settings. */
const bytecode = `${__dirname}${sep}bytecode${sep}${process.version}-${process.platform}-${process.arch}${sep}`;

/** Node's own list of what is loaded: a keeper removes some of it there. */
const loaded = require.cache;

/** Loads a file of a folder of the bundle. */
function load(folder, name) {
  const directory = `${__dirname}${sep}${folder}`;
  const file = `${directory}${sep}${name}`;
  const known = loaded[file];
  if (known !== undefined) return known.exports;
  // Without a prototype V8 adds a hundred exports in less time.
  const module = { exports: { __proto__: null }, filename: file, children: [] };
  loaded[file] = module;
  const requireFrom = (id) => {
    if (id.startsWith("./")) return load(folder, id.slice(2));
    if (id.startsWith("node:")) return process.getBuiltinModule(id);
    return id.startsWith("../") ? load(...id.slice(3).split("/")) : require(id);
  };
  requireFrom.cache = loaded;
  requireFrom.resolve = require.resolve;
  try {
    const text = fs.readFileSync(file, "utf8");
    const isFunction = text.startsWith(BEFORE);
    const script = new vm.Script(isFunction ? text : `${BEFORE}${text}\n})`, {
      filename: file,
      lineOffset: isFunction ? 0 : -1,
      cachedData: readBytecode(`${bytecode}${name}.bin`),
    });
    script.runInThisContext()(module.exports, requireFrom, module, file, directory);
  } catch (error) {
    // As in Node's own loader: otherwise the next caller would get half a module, and fail with a misleading error.
    delete loaded[file];
    throw error;
  }
  return module.exports;
}

function readBytecode(file) {
  let fd;
  try {
    fd = fs.openSync(file);
    const bytes = new Uint8Array(fs.fstatSync(fd).size);
    fs.readSync(fd, bytes, undefined, bytes.length, null);
    return bytes;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

load("MAIN_FOLDER", "MAIN_FILE");

#!/usr/bin/env node
/**
 * Loads the program's own files: each is read, and compiled with the bytecode that lies beside it, if that was made by this very
 * Node. A third of a short command's time above a bare Node start was compiling, and finding files. The build writes this file
 * into the bundle as it is, with MAIN_FILE filled in. The name of every file that it loads holds a hash of its content, and its
 * bytecode has the same name: none is ever taken for another's.
 */
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const BEFORE = "(function (exports, require, module, __filename, __dirname) { ";

/** V8 takes bytecode of its own version and settings alone, and looks; of another Node it is not even read. */
const bytecode = path.join(__dirname, "bytecode", `${process.version}-${process.platform}-${process.arch}`);
const hasBytecode = fs.existsSync(bytecode);

/** Node's own list of what is loaded: a keeper lets go of some of it there. */
const loaded = require.cache;

function load(file) {
  const known = loaded[file];
  if (known !== undefined) return known.exports;
  const module = { exports: {}, filename: file, children: [] };
  loaded[file] = module;
  const directory = path.dirname(file);
  const requireFrom = (id) => (id.startsWith(".") ? load(path.join(directory, id)) : require(id));
  compile(file).runInThisContext()(module.exports, requireFrom, module, file, directory);
  return module.exports;
}

function compile(file) {
  return new vm.Script(`${BEFORE}${fs.readFileSync(file, "utf8")}\n})`, {
    filename: file,
    columnOffset: -BEFORE.length,
    cachedData: hasBytecode ? readBytecode(path.join(bytecode, `${path.basename(file)}.bin`)) : undefined,
  });
}

function readBytecode(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

load(path.join(__dirname, "MAIN_FILE"));

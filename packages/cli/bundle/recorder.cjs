/** Preloaded by `write-bytecode.js`: at the end of the process it writes the bytecode of all that the loader has compiled by then. */
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const scripts = new Map();
const { Script } = vm;
vm.Script = class extends Script {
  constructor(code, options) {
    super(code, options);
    scripts.set(options.filename, this);
  }
};

process.on("exit", () => {
  for (const [file, script] of scripts) {
    fs.writeFileSync(path.join(process.env.BYTECODE_FOLDER, `${path.basename(file)}.bin`), script.createCachedData());
  }
});

#!/usr/bin/env node
// CommonJS on purpose (see package.json beside this file): Node starts it measurably faster than an ES module entry.
require("../dist/lockkeeper.cjs");

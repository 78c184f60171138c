#!/usr/bin/env node
// The program's name in earlier releases, for units and scripts that call it; CommonJS, see package.json beside this file.
require("../dist/lockkeeper.cjs");

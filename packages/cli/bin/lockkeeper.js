#!/usr/bin/env node
// The same program without a shell in front: for Windows, and for units and scripts of earlier releases. CommonJS, see package.json
// beside this file.
require("../dist/lockkeeper.cjs");

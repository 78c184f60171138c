/**
 * Preload (`--require`): every rename of a folder fails with EXDEV, as in the lower layers of a container's image.
 * Source: rename(2), and "Renaming directories" in the kernel's overlayfs.rst
 */
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

const { renameSync } = fs;
fs.renameSync = function refusing(from, to) {
  if (!fs.lstatSync(from).isDirectory()) return renameSync(from, to);
  throw Object.assign(new Error(`EXDEV: cross-device link not permitted, rename '${from}' -> '${to}'`), {
    code: "EXDEV",
  });
};
syncBuiltinESMExports();

/**
 * Gives the answers that need nothing of the program, before the loader loads it. The build writes this into the program's loader,
 * with VERSION filled in. The program has the same answers, and tries again where these fail: it says what is wrong.
 */
"use strict";
const fs = require("node:fs");
const path = require("node:path");

if (isAnswered(process.argv.slice(2))) return;

function isAnswered([word, another]) {
  if (another !== undefined) return false;
  try {
    const text = shortAnswer(word);
    return text !== undefined && fs.writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}

function shortAnswer(word) {
  switch (word) {
    case "--version":
    case "-v":
    case "-V":
      return Buffer.from("VERSION\n");
    case undefined:
    case "--help":
    case "-h":
      return fs.readFileSync(path.join(__dirname, "help.txt"));
    default:
      return undefined;
  }
}

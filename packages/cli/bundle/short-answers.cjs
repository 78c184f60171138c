/**
 * Gives the answers that need nothing of the program, before the loader loads it. The build writes this into the program's loader,
 * with VERSION filled in. The program has the same answers, and tries again where these fail: it says what is wrong.
 */
"use strict";
const fs = process.getBuiltinModule("node:fs");

const [, , word, another] = process.argv;
if (another === undefined && (word === undefined || word.startsWith("-")) && isAnswered(word)) return;

function isAnswered(option) {
  try {
    const text = shortAnswer(option);
    return text !== undefined && fs.writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}

function shortAnswer(option) {
  switch (option) {
    case "--version":
    case "-v":
    case "-V":
      return Buffer.from("VERSION\n");
    case undefined:
    case "--help":
    case "-h":
      return isNarrow() ? undefined : fs.readFileSync(`${__dirname}/help.txt`);
    default:
      return undefined;
  }
}

/**
 * For a terminal that is narrower than the text, the program makes its help. The width of anything else is not asked: that is
 * slow.
 */
function isNarrow() {
  return fs.fstatSync(1).isCharacterDevice() && process.stdout.columns < 80;
}

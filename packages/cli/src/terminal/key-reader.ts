/** Turns terminal input into names of keys. Pure, except that it remembers the beginning of a sequence cut in two. */

/** A printable character, as itself; or a named key: `up`, `pageup`, `enter`, `escape`, `backspace`, `ctrl-c`, ... */
export type Key = string;

/** Source: ECMA-48 and the xterm control sequences (ctlseqs); the second form is that of the application mode. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  "\u001B[A": "up",
  "\u001BOA": "up",
  "\u001B[B": "down",
  "\u001BOB": "down",
  "\u001B[C": "right",
  "\u001BOC": "right",
  "\u001B[D": "left",
  "\u001BOD": "left",
  "\u001B[5~": "pageup",
  "\u001B[6~": "pagedown",
  "\u001B[H": "home",
  "\u001BOH": "home",
  "\u001B[1~": "home",
  "\u001B[F": "end",
  "\u001BOF": "end",
  "\u001B[4~": "end",
};

const CONTROLS: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\u007F": "backspace",
  "\b": "backspace",
  "\u001B": "escape",
};

/** A complete control sequence. An unknown one is ignored, never typed into a filter. */
// oxlint-disable-next-line no-control-regex
const SEQUENCE = /^\u001B(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z])/;
// oxlint-disable-next-line no-control-regex
const BEGUN = /^\u001B(?:\[[0-?]*[ -/]*|O)$/;

/** The longest incomplete sequence to wait for; anything longer is not a sequence. */
const LONGEST_BEGUN = 16;

/** Returns a function that turns each chunk of input into the keys that it completes. */
export function openKeyReader(): (data: string) => readonly Key[] {
  let rest = "";
  return (data) => {
    rest += data;
    const keys: Key[] = [];
    while (rest !== "") {
      const sequence = SEQUENCE.exec(rest)?.[0];
      if (sequence !== undefined) {
        const key = SEQUENCES[sequence];
        if (key !== undefined) keys.push(key);
        rest = rest.slice(sequence.length);
        continue;
      }
      if (BEGUN.test(rest) && rest.length <= LONGEST_BEGUN) break;
      const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      rest = rest.slice(character.length);
      const key = keyOf(character);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  };
}

function keyOf(character: string): Key | undefined {
  const named = CONTROLS[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20) return character;
  // Ctrl and a letter arrive as the letter's place in the alphabet.
  return code >= 1 && code <= 26 ? `ctrl-${String.fromCodePoint(code + 0x60)}` : undefined;
}

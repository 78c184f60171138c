/**
 * SHA-256 for names and marks, which are short and not secret. Loading `node:crypto` takes a sixth of the time in which Node
 * starts, and a third of a mebibyte for as long as the process lives. Tokens and other secrets are hashed by Node. Source:
 * FIPS 180-4.
 */

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const ROUNDS = 64;

/** The first 32 bits of the fractions of the roots of the first primes: square roots to begin with, cube roots for the rounds. */
interface Constants {
  readonly initial: Int32Array;
  readonly rounds: Int32Array;
}
let constants: Constants | undefined;

/** Returns the digest of the text in UTF-8, in hexadecimal. */
export function sha256(text: string): string {
  const { initial, rounds } = (constants ??= makeConstants());
  const state = Int32Array.from(initial);
  const message = padded(text);
  const words = new Int32Array(ROUNDS);
  for (let at = 0; at < message.length; at += BLOCK_BYTES) {
    for (let word = 0; word < ROUNDS; word += 1) {
      words[word] = word < 16 ? message.readInt32BE(at + 4 * word) : expanded(words, word);
    }
    absorb(state, words, rounds);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Whole blocks: the text, a one bit, zeros, and the number of its bits. */
function padded(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const message = Buffer.alloc(blocks * BLOCK_BYTES);
  bytes.copy(message);
  message[bytes.length] = 0x80;
  message.writeBigUInt64BE(BigInt(bytes.length) * 8n, message.length - LENGTH_BYTES);
  return message;
}

function expanded(words: Int32Array, at: number): number {
  const early = words[at - 15] ?? 0;
  const late = words[at - 2] ?? 0;
  const first = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
  const second = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
  return (words[at - 16] ?? 0) + first + (words[at - 7] ?? 0) + second;
}

/** In long straight lines: where it runs once, each call of a function costs more than what the function does. */
function absorb(state: Int32Array, words: Int32Array, rounds: Int32Array): void {
  let [a, b, c, d] = [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0];
  let [e, f, g, h] = [state[4] ?? 0, state[5] ?? 0, state[6] ?? 0, state[7] ?? 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    const mixed = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = h + mixed + ((e & f) ^ (~e & g)) + (rounds[round] ?? 0) + (words[round] ?? 0);
    const second = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    c = b;
    b = a;
    a = (first + second + majority) | 0;
  }
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at] ?? 0) + word;
}

function makeConstants(): Constants {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < ROUNDS; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return {
    initial: Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
    rounds: Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
  };
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

/**
 * Unpredictable bytes, for tokens, names and nonces. They come straight from the kernel, where Node's own come from too: to load
 * `node:crypto` takes a fifth of the time in which Node starts, which every command that writes a file would pay.
 */
import { randomBytes as fromNode } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const DEVICE = "/dev/urandom";
/** Its number: major 1, minor 9. Source: the kernel's admin-guide/devices.txt */
const DEVICE_NUMBER = 0x109;

/** Returns so many unpredictable bytes. `device`: for tests. */
export function randomBytes(count: number, device: string = DEVICE): Buffer {
  return fromKernel(count, device) ?? fromNode(count);
}

/** Undefined where the kernel has no such device, or something else is in its place. */
function fromKernel(count: number, device: string): Buffer | undefined {
  if (process.platform !== "linux") return undefined;
  let fd: number | undefined;
  try {
    fd = openSync(device, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice() || stats.rdev !== DEVICE_NUMBER) return undefined;
    const bytes = Buffer.alloc(count);
    return readSync(fd, bytes, 0, count, null) === count ? bytes : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The login name of this user, if there is one: a container's user is often only a number. */
import { userInfo } from "node:os";

/** Returns the login name, else the number of the user as text. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0);
  }
}

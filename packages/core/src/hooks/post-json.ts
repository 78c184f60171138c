/**
 * Posts one JSON document and looks only at the status of the answer. It follows no redirect, reads no body, and ends with its
 * signal whatever the other side does.
 */
import { request as httpRequest } from "node:http";

import { errnoOf } from "../errors.ts";

/** The result of one attempt. `again`: another attempt may help. */
export type Attempt =
  { readonly told: true; readonly detail: string } | { readonly told: false; readonly detail: string; again: boolean };

/** Statuses that ask for another attempt, beside all of 500 and above. Source: RFC 9110, RFC 6585. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429]);

/** Returns the result; never throws. The result never contains the address. */
export async function postJson(url: string, body: string, signal: AbortSignal): Promise<Attempt> {
  const request = /^https:/i.test(url) ? (await import("node:https")).request : httpRequest;
  return new Promise((resolve) => {
    try {
      const call = request(url, {
        method: "POST",
        agent: false,
        signal,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "user-agent": "lockkeeper",
        },
      });
      call.once("response", (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        if (status >= 200 && status < 300) resolve({ told: true, detail: `status ${status}` });
        else resolve({ told: false, detail: `status ${status}`, again: status >= 500 || TRANSIENT.has(status) });
      });
      call.on("error", (error) => {
        const detail = signal.aborted ? "no answer in time" : (errnoOf(error) ?? error.name);
        resolve({ told: false, detail, again: true });
      });
      call.end(body);
    } catch (error) {
      // The text is no valid header or address. Node's own message would contain the address.
      resolve({ told: false, detail: errnoOf(error) ?? "not a URL that can be called", again: false });
    }
  });
}

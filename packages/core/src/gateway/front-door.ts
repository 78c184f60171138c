/**
 * Stands in front of all listeners of an HTTP server, present and future: every event goes through one door first and reaches
 * the listeners only when the door passes it on. Hides how Node hands requests to a server. Used by the gateway host only, for
 * its own server as for an author's.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** What a client expects before it sends its body. `unknown`: an unknown expectation. */
export type Expectation = "none" | "continue" | "unknown";

/** The door, where every event arrives. */
export interface FrontDoor {
  request(request: IncomingMessage, response: ServerResponse, expectation: Expectation): void;
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

/** The listeners behind the door. */
export interface BehindDoor {
  /** Hands a request on, as Node would have. */
  request(request: IncomingMessage, response: ServerResponse, expectation: Expectation): void;
  /** Whether a listener behind the door takes upgrades. */
  takesUpgrades(): boolean;
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

type Emit = (event: string | symbol, ...details: readonly unknown[]) => boolean;

/** Node checks the number of listeners before it decides what to emit. */
const notice = (): void => undefined;
const NOTICED = ["checkContinue", "checkExpectation", "upgrade"] as const;

/** Puts the door in front of `server` permanently. */
export function standInFront(server: Server, door: FrontDoor): BehindDoor {
  const { emit: original } = server;
  const emit: Emit = (event, ...details) => Reflect.apply(original, server, [event, ...details]) as boolean;
  for (const event of NOTICED) server.on(event, notice);
  const hasOther = (event: string): boolean => server.listeners(event).some((listener) => listener !== notice);

  const guarded: Emit = (event, ...details) => {
    const [request, answerTo, head] = details as [IncomingMessage, never, Buffer];
    switch (event) {
      case "request":
        door.request(request, answerTo, "none");
        return true;
      case "checkContinue":
        door.request(request, answerTo, "continue");
        return true;
      case "checkExpectation":
        door.request(request, answerTo, "unknown");
        return true;
      case "upgrade":
      // Its target is not a path, so the door refuses it; without a listener Node would hang up before that.
      case "connect":
        door.upgrade(request, answerTo, head);
        return true;
      default:
        return emit(event, ...details);
    }
  };
  server.emit = guarded;

  return {
    request(request, response, expectation) {
      if (expectation === "continue" && hasOther("checkContinue")) emit("checkContinue", request, response);
      else if (expectation === "unknown" && hasOther("checkExpectation")) emit("checkExpectation", request, response);
      else {
        if (expectation === "continue") response.writeContinue();
        emit("request", request, response);
      }
    },
    takesUpgrades: () => hasOther("upgrade"),
    upgrade: (request, stream, head) => void emit("upgrade", request, stream, head),
  };
}

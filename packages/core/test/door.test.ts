/** What authors may rely on is a short list, and nothing of ours is on it by accident. */
import * as author from "@lockkeeper/core";
import * as internal from "@lockkeeper/core/internal";
import { expect, test } from "vitest";

test("the door for authors gives these, and the one for our own packages nothing of them", () => {
  expect(Object.keys(author).sort()).toEqual([
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "GATEWAY_LIMITS",
    "GatewayLockError",
    "LockkeeperError",
    "acquireGatewayLock",
    "followLog",
    "gatewayUrl",
    "inspectGatewayLock",
    "lockPathFor",
    "parseRunRecord",
    "probeHealth",
    "readHistory",
    "readLog",
    "runKeeper",
    "startGateway",
    "startGatewayHost",
  ]);
  expect(Object.keys(internal).filter((name) => name in author)).toEqual([]);
});

/** Authors may rely on a short list of exports, and nothing of ours is on it by accident. */
import * as author from "@lockkeeper/core";
import * as internal from "@lockkeeper/core/internal";
import { expect, test } from "vitest";

test("the public door exports exactly these names, and the internal door none of them", () => {
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

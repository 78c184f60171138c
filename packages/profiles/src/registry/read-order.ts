/** The order of the profiles of one home, for commands that act on several. */
import { LockkeeperError } from "@lockkeeper/core";
import type { HomePlace } from "../context.ts";
import { readRegistry } from "./registry.ts";
import { planRestart, planStart, planStop } from "./start-order.ts";
import type { OrderPlan } from "./start-order.ts";

/** A verb that acts on several profiles in their order. */
export type OrderedVerb = "start" | "restart" | "stop";

const plans: Readonly<Record<OrderedVerb, typeof planStart>> = {
  start: planStart,
  restart: planRestart,
  stop: planStop,
};

/**
 * Returns the steps of the verb. With a damaged registry the order is unknown, and a stop goes on without it.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a profile to be started waits for itself.
 */
export function readOrder({ home, owner }: HomePlace, verb: OrderedVerb, names: readonly string[]): OrderPlan {
  try {
    return plans[verb](readRegistry(home, owner), names);
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code === "OPTION_INVALID") throw error;
    return { steps: names.map((name) => ({ name, awaits: [] })), followers: [] };
  }
}

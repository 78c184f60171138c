/** The order of the profiles of one home, for commands that act on several. */
import type { HomePlace } from "../context.ts";
import { readUsable } from "./registry.ts";
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
 * Returns the steps of the verb. With a damaged registry the order is that of its last good copy; without one it is unknown, and a
 * stop goes on without it.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a profile to be started waits for itself.
 */
export function readOrder({ home, owner }: HomePlace, verb: OrderedVerb, names: readonly string[]): OrderPlan {
  const profiles = readUsable(home, owner);
  if (profiles !== undefined) return plans[verb](profiles, names);
  return { steps: names.map((name) => ({ name, awaits: [] })), followers: [] };
}

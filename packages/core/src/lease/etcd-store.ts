/**
 * Leases in etcd. A key is owned by the host that created it: the transaction requires creation revision 0, and the key goes
 * when its lease goes. The revision of that transaction is the token. Reads are linearizable, so a past owner is never
 * reported.
 */
import type { EtcdAnswer, EtcdGateway } from "./etcd-gateway.ts";
import { messageOf } from "./etcd-gateway.ts";
import type { HeldKey, LeaseClaim, LeaseHolder, LeaseStore } from "./lease-store.ts";
import { LeaseUnavailableError } from "./lease-store.ts";

/** etcd writes names in snake_case; its documentation allows camelCase too, so both are read. */
type Fields = Readonly<Record<string, unknown>>;

/** gRPC "not found", which here always means the lease. */
const NOT_FOUND = 5;

/** The store behind `gateway`. */
export class EtcdStore implements LeaseStore {
  readonly #gateway: EtcdGateway;

  constructor(gateway: EtcdGateway) {
    this.#gateway = gateway;
  }

  async grant(ttlSeconds: number, signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask("lease/grant", { TTL: String(ttlSeconds) }, signal);
    const id = textAt(answer.body, "ID");
    // A server may be told to keep leases longer than we ask; a shorter one would break the deadline.
    if (id === undefined || Number(textAt(answer.body, "TTL")) < ttlSeconds) throw unexpected("lease/grant", answer);
    return id;
  }

  async claim(
    key: string,
    holder: LeaseHolder,
    leaseId: string,
    over?: string,
    signal?: AbortSignal,
  ): Promise<LeaseClaim> {
    const name = encode(key);
    const condition =
      over === undefined ? { target: "CREATE", create_revision: "0" } : { target: "MOD", mod_revision: over };
    const question = {
      compare: [{ ...condition, key: name, result: "EQUAL" }],
      success: [{ request_put: { key: name, value: encode(JSON.stringify(holder)), lease: leaseId } }],
      failure: [{ request_range: { key: name } }],
    };
    const answer = await this.#gateway.ask("kv/txn", question, signal);
    if (answer.body["code"] === NOT_FOUND) return { claimed: false, by: null };
    requireGood("kv/txn", answer);
    if (answer.body["succeeded"] === true) {
      const token = textAt(fieldsAt(answer.body, "header"), "revision");
      if (token === undefined) throw unexpected("kv/txn", answer);
      return { claimed: true, token };
    }
    const [response] = listAt(answer.body, "responses");
    const by = readHeld(fieldsAt(response, "response_range", "responseRange"));
    // The key was released in the meantime, or has changed since `over`: the caller asks again.
    if (by === undefined) return { claimed: false, by: null };
    return by.leaseId === leaseId ? { claimed: true, token: by.revision } : { claimed: false, by };
  }

  async renew(leaseId: string, signal?: AbortSignal): Promise<"renewed" | "gone"> {
    const answer = await this.#gateway.ask("lease/keepalive", { ID: leaseId }, signal);
    if (answer.body["code"] === NOT_FOUND) return "gone";
    requireGood("lease/keepalive", answer);
    const result = fieldsAt(answer.body, "result");
    if (textAt(result, "ID") !== leaseId) throw unexpected("lease/keepalive", answer);
    // etcd leaves zero out: the lease is gone.
    return Number(textAt(result, "TTL") ?? 0) > 0 ? "renewed" : "gone";
  }

  async release(leaseId: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.#gateway.ask("lease/revoke", { ID: leaseId }, signal);
    if (answer.body["code"] !== NOT_FOUND) requireGood("lease/revoke", answer);
  }

  async read(key: string, signal?: AbortSignal): Promise<HeldKey | undefined> {
    const answer = await this.#ask("kv/range", { key: encode(key) }, signal);
    return readHeld(answer.body);
  }

  async timeLeft(leaseId: string, signal?: AbortSignal): Promise<number | undefined> {
    const answer = await this.#gateway.ask("lease/timetolive", { ID: leaseId }, signal);
    if (answer.body["code"] === NOT_FOUND) return undefined;
    requireGood("lease/timetolive", answer);
    const seconds = Number(textAt(answer.body, "TTL") ?? 0);
    return seconds < 0 ? undefined : seconds * 1_000;
  }

  async #ask(path: string, question: Fields, signal?: AbortSignal): Promise<EtcdAnswer> {
    const answer = await this.#gateway.ask(path, question, signal);
    requireGood(path, answer);
    return answer;
  }
}

function readHeld(range: Fields | undefined): HeldKey | undefined {
  const [found] = listAt(range, "kvs");
  const revision = textAt(found, "mod_revision", "modRevision");
  if (found === undefined || revision === undefined) return undefined;
  const leaseId = textAt(found, "lease") ?? "0";
  return {
    holder: parseHolder(Buffer.from(textAt(found, "value") ?? "", "base64").toString("utf8")),
    leaseId: leaseId === "0" ? null : leaseId,
    revision,
  };
}

/** Anyone who may write the key decides its content, and terminals show it: only short, printable words are accepted. */
const PLAIN = /^[\u0020-\u007e]{1,256}$/u;

function parseHolder(text: string): LeaseHolder | null {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof LeaseHolder, unknown>> | null;
    const words = [value?.host, value?.profile, value?.nonce, value?.since];
    if (!words.every((word) => typeof word === "string" && PLAIN.test(word))) return null;
    if (typeof value?.pid !== "number") return null;
    return value as LeaseHolder;
  } catch {
    return null;
  }
}

function requireGood(path: string, answer: EtcdAnswer): void {
  if (answer.status !== 200) throw unexpected(path, answer);
}

function unexpected(path: string, answer: EtcdAnswer): LeaseUnavailableError {
  const hint = "Check that the endpoints are etcd 3.4 or newer, and all of one cluster.";
  return new LeaseUnavailableError("silent", `etcd answers /v3/${path} with: ${messageOf(answer)}`, [], hint);
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

function fieldsAt(from: Fields | undefined, ...names: readonly string[]): Fields | undefined {
  const value = names.map((name) => from?.[name]).find((each) => each !== undefined);
  return typeof value === "object" && value !== null ? { ...value } : undefined;
}

function listAt(from: Fields | undefined, name: string): readonly Fields[] {
  const value = from?.[name];
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

/** 64-bit numbers arrive as text, so that no digit is lost. */
function textAt(from: Fields | undefined, ...names: readonly string[]): string | undefined {
  const value = names.map((name) => from?.[name]).find((each) => each !== undefined);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

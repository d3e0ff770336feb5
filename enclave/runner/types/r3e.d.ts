// What a function finds at run time beside the language itself: every global, and every member of each. A test compares
// this file with a running one, name by name.
//
// Use it without the libraries of browsers or servers: "lib": ["ES2023"], "types": [] in tsconfig.json.

type BufferSource = ArrayBuffer | ArrayBufferView;
type BodyInit = string | BufferSource | Blob | URLSearchParams;
type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;
type EventListener = ((event: Event) => void) | { handleEvent(event: Event): void };
type AlgorithmIdentifier = string | { name: string };
type HashIdentifier = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512" | { name: string };
type KeyFormat = "raw" | "spki" | "pkcs8" | "jwk";
type KeyUsage = "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";

// ---------------------------------------------------------------------------------------------------------- r3e

/** A refused or failed call to the appliance; `code` is for programs. */
interface HostError extends Error {
  readonly name: "HostError";
  readonly code: HostErrorCode;
}

type HostErrorCode =
  | "denied"
  | "expired"
  | "invalid"
  | "not_found"
  | "too_large"
  | "limit_exceeded"
  | "timed_out"
  | "unavailable"
  | "conflict"
  | "reverted"
  | "unconfirmed"
  | "internal";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface R3eSecrets {
  /** A secret that the function was granted; null where none of that name is set. Rejects with a HostError. */
  get(name: string): Promise<string | null>;
  /** Sets a secret that the function may set: its next version, which is durable once this resolves. */
  set(name: string, value: string): Promise<void>;
}

interface R3eStore {
  /** The value last set under the key; null where there is none. */
  get(key: string): Promise<Json>;
  /** Keeps a value under the key. It is durable once this resolves. */
  set(key: string, value: Json): Promise<void>;
  /** Forgets the key. */
  delete(key: string): Promise<void>;
}

interface R3eTee {
  /** A fresh attestation document that commits to the data, to this function's version and to its tenant. */
  getAttestation(data?: string | BufferSource | null): Promise<Uint8Array>;
}

interface R3eEvents {
  /** Publishes an event of a topic that the function was granted, for the tenant's triggers. The same key again, within a day, queues
   * nothing again. */
  publish(topic: string, data: Json, options?: { key?: string | null }): Promise<{ queued: number; failed: number }>;
}

/** What a trigger may be beside what it waits for. */
interface TriggerOptions {
  /** Where it is absent, one that the same trigger always has. */
  name?: string | null;
  /** An expression over `event`: the function is invoked where it is true. */
  filter?: string;
  /** An expression over `event`, whose value the function is given instead. */
  transform?: string;
}

/** What a trigger waits for, by a type or as `[[triggers]]` of r3e.toml has it. */
type Trigger =
  | ({ type: "time"; schedule: string; time_zone?: string } & TriggerOptions)
  | ({ type: "event"; topic: string } & TriggerOptions)
  | ({ type: "blockchain"; event: "NeoNewBlock" | "EthNewBlock" | "NewBlock"; network?: string; confirmations?: number; from_block?: number } & TriggerOptions)
  | ({ type: "blockchain"; event: string; contract: string; network?: string; confirmations?: number; from_block?: number } & TriggerOptions)
  | ({ type: "price"; feed: string; above: string } & TriggerOptions)
  | ({ type: "price"; feed: string; below: string } & TriggerOptions)
  | ({ type: "price"; feed: string; change_bps: number } & TriggerOptions)
  | ({ cron: { schedule: string; time_zone?: string; missed?: "skip" | "once"; jitter_ms?: number } } & TriggerOptions)
  | ({ event: { topic: string } } & TriggerOptions)
  | ({
      chain: {
        network: string;
        contract?: string;
        event?: string;
        confirmations?: number;
        from_block?: number;
        reorganised?: "stop" | "follow";
      };
    } & TriggerOptions)
  | ({ price: { feed: string } & ({ above: string } | { below: string } | { change_bps: number }) } & TriggerOptions);

interface R3eTrigger {
  /** Makes a trigger that invokes this function. The same one again is the same trigger, and `created` is false. */
  create(trigger: Trigger): Promise<{ name: string; created: boolean }>;
  /** Deletes a trigger that this function made; false where there is none of that name. */
  delete(name: string): Promise<boolean>;
}

/** What a price feed said last. Numbers are decimal text: a `number` would round them. */
interface R3ePrice {
  readonly feed: string;
  /** `BASE/QUOTE`. */
  readonly pair: string;
  readonly answer: string;
  /** How far from it the sources are. */
  readonly confidence: string;
  /** The places of both behind the point. */
  readonly decimals: number;
  /** When its sources were compared, in Unix milliseconds. */
  readonly observedAtMs: number;
  /** When the last second begins in which it is valid. */
  readonly validUntilMs: number;
  /** One more than in the report before. */
  readonly sequence: number;
  /** Whether it is valid no more, by the appliance's clock. */
  readonly isStale: boolean;
}

/** A random number, and what proves that it could be no other (RFC 9381). Texts are hex with `0x`; `r3e-verify random` takes the whole as JSON. */
interface R3eRandomness {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** What it was drawn for. */
  readonly message: string;
  /** The 32 bytes of which the number is made. */
  readonly output: string;
  readonly proof: string;
  /** The tenant's key. */
  readonly key: string;
}

/** What to ask an HTTPS endpoint. */
interface R3eDataRequest {
  /** To a host that the function was granted, at most 2,048 bytes. It is part of what is signed: let secrets be in `headers`. */
  url: string;
  headers?: HeadersInit | null;
  /** Where in the answer, which is JSON then, the value stands: `data.rates[0].value`. */
  path?: string | null;
  /** At most four contracts that the answer is signed for: `eip155:1:0x…`, `neo-n3:860833102:0x…`. Without one, the signature is bound to no chain. */
  targets?: readonly string[] | null;
}

/** What an endpoint answered, signed by the tenant's oracle keys. `r3e-verify data` takes the whole as JSON. Hashes are hex with `0x`. */
interface R3eData {
  readonly tenant: string;
  readonly function: string;
  /** As it was sent. */
  readonly url: string;
  /** Empty where none was given. */
  readonly path: string;
  /** What stands there: a number as it was written, a text, `true` or `false`; at most 256 bytes. */
  readonly value: string;
  /** 200 to 299. */
  readonly status: number;
  /** In Unix seconds, by the appliance's clock. */
  readonly observed_at_s: number;
  /** SHA-256 of the server's certificate. */
  readonly certificate: string;
  /** SHA-256 of the body. */
  readonly response_hash: string;
  /** Of method, URL and headers. */
  readonly request_hash: string;
  readonly signatures: readonly R3eDataSignature[];
  /** The body, where it is text. */
  readonly body?: string;
  /** The body in base64, where it is not. */
  readonly body_base64?: string;
}

interface R3eDataSignature {
  readonly target?: string;
  readonly digest: string;
  readonly signer: string;
  readonly signature: string;
}

/** The weather at a place, by open-meteo.com. Numbers are decimal text. */
interface R3eWeather {
  readonly place: string;
  readonly country: string | null;
  readonly latitude: string;
  readonly longitude: string;
  /** In UTC: `2026-01-31T12:15`. */
  readonly time: string;
  readonly temperatureC: string;
  readonly humidityPercent: string;
  readonly precipitationMm: string;
  readonly windKmh: string;
  readonly windDirectionDegrees: string;
  /** By the WMO's table 4677. */
  readonly weatherCode: string;
  /** The signed answer about these coordinates; its value is the temperature. */
  readonly data: R3eData;
}

interface R3eOracle {
  /** Asks an HTTPS endpoint, follows no redirect, and has what it answers signed. Rejects where the status is not 2xx, the body over 256 KiB, or nothing stands at `path`. */
  getCustomData(request: R3eDataRequest): Promise<R3eData>;
  /** The function must have been granted `geocoding-api.open-meteo.com` and `api.open-meteo.com`. */
  getWeather(place: string, options?: { targets?: readonly string[] | null } | null): Promise<R3eWeather>;
  /** The latest report of one of the tenant's feeds. Rejects with the code `not_found` where there is no such feed, or it has not published. */
  getPrice(feed: string): Promise<R3ePrice>;
  /**
   * A whole number from `min` to `max`, at most 2^53 - 1, that nobody can foretell or choose. Of a seed, 1 to 256 bytes of text, it is always the same;
   * without one it is of this invocation, or of the job that it is an attempt of.
   */
  getRandom(min: number, max: number, seed?: string): Promise<number>;
  /** The same, with what proves it. */
  getRandomness(min: number, max: number, seed?: string): Promise<R3eRandomness>;
}

/** What to read from a contract. */
interface R3eChainRequest {
  /** By CAIP-2, one that the function was granted: `eip155:1`, `neo-n3:860833102`. */
  network: string;
  /** The contract: an address of Ethereum's; on Neo N3 its hash, `0x…`. */
  contract: string;
  /** On Ethereum the declaration, `balanceOf(address owner) view returns (uint256)`; on Neo N3 the name. */
  method?: string | null;
  /**
   * What it is called with. On Ethereum numbers as a bigint or decimal text (or a number below 2^53), bytes and addresses as hex with `0x`; on Neo N3 values
   * beside their types, `{ type: "account", value: "N…" }`, as wallets take them.
   */
  args?: readonly unknown[] | null;
  /** On Ethereum in place of `method` and `args`: the call's data, hex with `0x`. */
  data?: string | null;
  /** On Ethereum, how many blocks stand above the one whose state is read; 0 where it is absent. */
  confirmations?: number | null;
}

/** What a contract said. */
interface R3eChainAnswer {
  /** The block behind which it was read; on Neo N3, or a later one. */
  readonly height: number;
  /** On Ethereum what the method is declared to return, numbers as decimal text, bytes as hex with `0x`; on Neo N3 the one stack item, `{ type, value }`. */
  readonly values: readonly any[];
  /** On Ethereum the data as the contract gave it, hex with `0x`. */
  readonly data: string | null;
}

/** A transaction that is to be brought onto a chain. */
interface R3eChainTransaction {
  /** The wallet that signs: one that the function was granted, and whose policy names this version of the function. */
  wallet: string;
  /** By CAIP-2, one that the function was granted: `eip155:1`, `neo-n3:860833102`. */
  network: string;
  /** Whom it goes to; on Neo N3 the contract that is called. */
  to: string;
  /** On Ethereum the declaration of the method that is called, as for `read`; without it, and without `data`, nothing is called. On Neo N3 its name. */
  method?: string | null;
  /** As for `read`. */
  args?: readonly unknown[] | null;
  /** On Ethereum in place of `method` and `args`. */
  data?: string | null;
  /** On Ethereum what is sent along, in wei; nothing where it is absent. */
  value?: bigint | number | string | null;
  /** On Ethereum the most gas. */
  gasLimit?: number | null;
  /** The most that it may cost: on Ethereum gas times its price, in wei; on Neo N3 both fees, in 10^-8 GAS. */
  feeLimit: bigint | number | string;
  /** On Neo N3, for whom the wallet's signature counts: the contract that is called, or nobody but the fees; the first where it is absent. */
  scope?: "called_by_entry" | "none" | null;
  /** How long it is tried, 15 s to 7 days, on Neo N3 1 minute to 24 hours; ten minutes where it is absent. */
  timeoutMs?: number | null;
  /**
   * What says that it is the same: at most 256 bytes. Under one key this function, whichever version of it, does one thing once: asked for again, it is told how far that is;
   * something else is a `conflict`. A key holds for a day at the least after its transaction has ended.
   */
  key: string;
}

/** How far a transaction is. */
interface R3eSent {
  /** What it is called, in `r3e chain tx` too. */
  readonly name: string;
  readonly stage: "waiting" | "pending" | "included" | "ended";
  /** Once it has ended, for ever: `included` may have been reverted, the others were not done and will not be. */
  readonly outcome: "included" | "abandoned" | "refused" | "displaced" | null;
  /** Where a block has it, and not what was put in its place: whether it was not reverted. */
  readonly succeeded: boolean | null;
  /** Of what a block has, or of what was signed for it last, which may be replaced by one that offers more; null once it has ended otherwise. */
  readonly hash: string | null;
  readonly height: number | null;
  /** Why it was not done, or what holds it up. */
  readonly reason: string | null;
}

interface R3eChain {
  /**
   * Has a transaction brought onto its chain, behind the wallet's policy, and waits for no block: it is durable, and goes on after the invocation. Rejects with `denied`
   * where the policy does not allow it.
   */
  send(transaction: R3eChainTransaction): Promise<R3eSent>;
  /** How far a transaction is that this function asked for, whichever version of it; rejects with `not_found` where it asked for none of that name. */
  sent(name: string): Promise<R3eSent>;
  /**
   * What a contract says, as so many of the network's nodes agree as the appliance's configuration asks for. Rejects with `reverted` where the contract fails, with
   * `unavailable` where the nodes do not agree.
   */
  read(request: R3eChainRequest): Promise<R3eChainAnswer>;
}

/** A number that is to be proved to be from `min` to `max`, and stays hidden: below 2^64, as decimal text from 2^53 on. */
interface R3eHiddenNumber {
  value: bigint | number | string;
  min: bigint | number | string;
  max: bigint | number | string;
  /** What hides it, where its commitment is to be the same as before: hex with `0x`. */
  blinding?: string | null;
}

/** That hidden numbers are in ranges: what can be handed on, and `r3e zk range verify` takes. */
interface R3eRangeProof {
  /** Whose it is: of what a function made, its tenant's id. */
  readonly owner: string;
  readonly context: string;
  /** Numbers as decimal text; a commitment is a point of Ristretto, hex with `0x`. */
  readonly claims: readonly { readonly min: string; readonly max: string; readonly commitment: string }[];
  readonly proof: string;
}

/** A proof that was made. */
interface R3eProvedRanges {
  readonly proof: R3eRangeProof;
  /** What hides each number, in order, hex with `0x`: whoever has it can open the commitment. */
  readonly blindings: readonly string[];
}

interface R3eZk {
  /** Proves that 1 to 16 numbers are in their ranges. The proof is the tenant's, and holds for what the context, at most 1,024 bytes, says alone. */
  createRangeProof(numbers: readonly R3eHiddenNumber[], context?: string | null): Promise<R3eProvedRanges>;
  /** Whether a proof proves what it says of its owner, its context, its bounds and its commitments: compare those with what you expect. */
  verifyRangeProof(proof: R3eRangeProof): Promise<boolean>;
  /**
   * Whether a Groth16 proof proves public signals by a verification key, as `snarkjs.groth16.verify` has them: `verification_key.json`, `public.json`, `proof.json`. A key decides what a proof
   * is worth: take it from whom you trust.
   */
  verifyProof(key: object, signals: readonly (bigint | number | string)[], proof: object): Promise<boolean>;
}

interface R3e {
  readonly chain: R3eChain;
  readonly events: R3eEvents;
  readonly oracle: R3eOracle;
  readonly secrets: R3eSecrets;
  readonly store: R3eStore;
  readonly tee: R3eTee;
  readonly trigger: R3eTrigger;
  readonly zk: R3eZk;
}

declare var r3e: R3e;

// -------------------------------------------------------------------------------------------------------- fetch

interface RequestInit {
  body?: BodyInit | null;
  cache?: string;
  credentials?: string;
  headers?: HeadersInit;
  /** Must be empty: compare a digest of the body instead. */
  integrity?: "";
  keepalive?: boolean;
  method?: string;
  mode?: string;
  redirect?: "follow" | "error" | "manual";
  referrerPolicy?: string;
  signal?: AbortSignal | null;
  window?: null;
}

interface ResponseInit {
  headers?: HeadersInit;
  status?: number;
  statusText?: string;
}

/**
 * To hosts that the function was granted, over HTTPS. The response has arrived as a whole when this resolves; each
 * redirect counts as a call. A failure is a TypeError whose `code` is a HostErrorCode where the appliance refused.
 */
declare function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;

declare class Headers {
  constructor(init?: HeadersInit);
  append(name: string, value: string): void;
  delete(name: string): void;
  entries(): IterableIterator<[string, string]>;
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  keys(): IterableIterator<string>;
  set(name: string, value: string): void;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

declare class Request {
  constructor(input: Request | URL | string, init?: RequestInit);
  readonly bodyUsed: boolean;
  readonly cache: string;
  readonly credentials: string;
  readonly destination: string;
  readonly duplex: "half";
  readonly headers: Headers;
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly method: string;
  readonly mode: string;
  readonly redirect: "follow" | "error" | "manual";
  readonly referrer: string;
  readonly referrerPolicy: string;
  readonly signal: AbortSignal;
  readonly url: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  clone(): Request;
  json(): Promise<any>;
  text(): Promise<string>;
}

declare class Response {
  constructor(body?: BodyInit | null, init?: ResponseInit);
  static error(): Response;
  static json(data: unknown, init?: ResponseInit): Response;
  static redirect(url: string | URL, status?: number): Response;
  readonly bodyUsed: boolean;
  readonly headers: Headers;
  readonly ok: boolean;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly type: "basic" | "default" | "error";
  readonly url: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  clone(): Response;
  json(): Promise<any>;
  text(): Promise<string>;
}

declare class Blob {
  constructor(parts?: Iterable<BufferSource | Blob | string>, options?: { type?: string; endings?: "transparent" | "native" });
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
  slice(start?: number, end?: number, type?: string): Blob;
  text(): Promise<string>;
}

// ----------------------------------------------------------------------------------------------- addresses, text

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  hash: string;
  host: string;
  hostname: string;
  href: string;
  readonly origin: string;
  password: string;
  pathname: string;
  port: string;
  protocol: string;
  search: string;
  readonly searchParams: URLSearchParams;
  username: string;
  toJSON(): string;
  toString(): string;
}

declare class URLSearchParams {
  constructor(init?: string | URLSearchParams | Record<string, string> | Iterable<readonly [string, string]>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  entries(): IterableIterator<[string, string]>;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  keys(): IterableIterator<string>;
  set(name: string, value: string): void;
  sort(): void;
  toString(): string;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

declare class TextEncoder {
  readonly encoding: "utf-8";
  encode(input?: string): Uint8Array;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  /** utf-8, utf-16le or utf-16be, by any of the web's labels for them. */
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: BufferSource, options?: { stream?: boolean }): string;
}

declare function atob(data: string): string;
declare function btoa(data: string): string;

// ---------------------------------------------------------------------------------------------- events and errors

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
  readonly message: string;
  readonly name: string;
  static readonly INDEX_SIZE_ERR: 1;
  static readonly DOMSTRING_SIZE_ERR: 2;
  static readonly HIERARCHY_REQUEST_ERR: 3;
  static readonly WRONG_DOCUMENT_ERR: 4;
  static readonly INVALID_CHARACTER_ERR: 5;
  static readonly NO_DATA_ALLOWED_ERR: 6;
  static readonly NO_MODIFICATION_ALLOWED_ERR: 7;
  static readonly NOT_FOUND_ERR: 8;
  static readonly NOT_SUPPORTED_ERR: 9;
  static readonly INUSE_ATTRIBUTE_ERR: 10;
  static readonly INVALID_STATE_ERR: 11;
  static readonly SYNTAX_ERR: 12;
  static readonly INVALID_MODIFICATION_ERR: 13;
  static readonly NAMESPACE_ERR: 14;
  static readonly INVALID_ACCESS_ERR: 15;
  static readonly VALIDATION_ERR: 16;
  static readonly TYPE_MISMATCH_ERR: 17;
  static readonly SECURITY_ERR: 18;
  static readonly NETWORK_ERR: 19;
  static readonly ABORT_ERR: 20;
  static readonly URL_MISMATCH_ERR: 21;
  static readonly QUOTA_EXCEEDED_ERR: 22;
  static readonly TIMEOUT_ERR: 23;
  static readonly INVALID_NODE_TYPE_ERR: 24;
  static readonly DATA_CLONE_ERR: 25;
}

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

declare class Event {
  constructor(type: string, options?: EventInit);
  static readonly NONE: 0;
  static readonly CAPTURING_PHASE: 1;
  static readonly AT_TARGET: 2;
  static readonly BUBBLING_PHASE: 3;
  readonly bubbles: boolean;
  cancelBubble: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly currentTarget: EventTarget | null;
  readonly defaultPrevented: boolean;
  readonly eventPhase: number;
  returnValue: boolean;
  readonly srcElement: EventTarget | null;
  readonly target: EventTarget | null;
  readonly timeStamp: number;
  readonly type: string;
  composedPath(): EventTarget[];
  initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
  preventDefault(): void;
  stopImmediatePropagation(): void;
  stopPropagation(): void;
}

interface Event {
  // On each event, not on the class.
  readonly isTrusted: boolean;
}

declare class CustomEvent<T = any> extends Event {
  constructor(type: string, options?: EventInit & { detail?: T });
  readonly detail: T;
  initCustomEvent(type: string, bubbles?: boolean, cancelable?: boolean, detail?: T): void;
}

declare class EventTarget {
  addEventListener(
    type: string,
    listener: EventListener | null,
    options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal },
  ): void;
  dispatchEvent(event: Event): boolean;
  removeEventListener(type: string, listener: EventListener | null, options?: boolean | { capture?: boolean }): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: any): void;
}

declare class AbortSignal extends EventTarget {
  private constructor();
  static abort(reason?: any): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  static timeout(milliseconds: number): AbortSignal;
  readonly aborted: boolean;
  onabort: ((event: Event) => void) | null;
  readonly reason: any;
  throwIfAborted(): void;
}

/** Ends the invocation as an exception that nobody caught. */
declare function reportError(error: any): void;

// ------------------------------------------------------------------------------------------------- time and order

declare function setTimeout<A extends unknown[]>(callback: (...values: A) => void, delay?: number, ...values: A): number;
declare function setInterval<A extends unknown[]>(callback: (...values: A) => void, delay?: number, ...values: A): number;
declare function clearTimeout(id?: number): void;
declare function clearInterval(id?: number): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T, options?: { transfer?: Iterable<ArrayBuffer> }): T;

declare class Performance extends EventTarget {
  private constructor();
  readonly timeOrigin: number;
  /** Whole milliseconds since the function was loaded. */
  now(): number;
  toJSON(): { timeOrigin: number };
}

declare var performance: Performance;

// -------------------------------------------------------------------------------------------------------- console

/** Each call is one line of the invocation's log. */
interface Console {
  assert(condition?: boolean, ...values: unknown[]): void;
  clear(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  debug(...values: unknown[]): void;
  dir(item?: unknown): void;
  dirxml(...values: unknown[]): void;
  error(...values: unknown[]): void;
  group(...values: unknown[]): void;
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  info(...values: unknown[]): void;
  log(...values: unknown[]): void;
  table(data?: unknown): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  trace(...values: unknown[]): void;
  warn(...values: unknown[]): void;
}

declare var console: Console;

// --------------------------------------------------------------------------------------------------------- crypto

interface JsonWebKey {
  alg?: string;
  crv?: string;
  d?: string;
  ext?: boolean;
  k?: string;
  key_ops?: string[];
  kty?: string;
  use?: string;
  x?: string;
  y?: string;
}

interface HmacKeyParams {
  name: "HMAC";
  hash: HashIdentifier;
  length?: number;
}

interface AesKeyParams {
  name: "AES-GCM";
  length: 128 | 192 | 256;
}

interface EcdsaKeyParams {
  name: "ECDSA";
  namedCurve: "P-256" | "P-384";
}

interface AesGcmParams {
  name: "AES-GCM";
  /** 12 bytes, or 16. */
  iv: BufferSource;
  additionalData?: BufferSource;
  tagLength?: 32 | 64 | 96 | 104 | 112 | 120 | 128;
}

interface EcdsaParams {
  name: "ECDSA";
  hash: HashIdentifier;
}

interface HkdfParams {
  name: "HKDF";
  hash: HashIdentifier;
  salt: BufferSource;
  info: BufferSource;
}

interface Pbkdf2Params {
  name: "PBKDF2";
  hash: HashIdentifier;
  salt: BufferSource;
  iterations: number;
}

interface CryptoKeyPair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}

type ImportParams = "AES-GCM" | "HKDF" | "PBKDF2" | { name: "AES-GCM" | "HKDF" | "PBKDF2" } | HmacKeyParams | EcdsaKeyParams;

declare class CryptoKey {
  private constructor();
  readonly algorithm: { name: string; hash?: { name: string }; length?: number; namedCurve?: string };
  readonly extractable: boolean;
  readonly type: "public" | "private" | "secret";
  readonly usages: KeyUsage[];
}

declare class SubtleCrypto {
  private constructor();
  decrypt(algorithm: AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  deriveBits(algorithm: HkdfParams | Pbkdf2Params, key: CryptoKey, length: number): Promise<ArrayBuffer>;
  deriveKey(
    algorithm: HkdfParams | Pbkdf2Params,
    key: CryptoKey,
    derived: AesKeyParams | HmacKeyParams,
    extractable: boolean,
    usages: readonly KeyUsage[],
  ): Promise<CryptoKey>;
  digest(algorithm: HashIdentifier, data: BufferSource): Promise<ArrayBuffer>;
  encrypt(algorithm: AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: "raw" | "spki" | "pkcs8", key: CryptoKey): Promise<ArrayBuffer>;
  generateKey(algorithm: EcdsaKeyParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKeyPair>;
  generateKey(algorithm: AesKeyParams | HmacKeyParams, extractable: boolean, usages: readonly KeyUsage[]): Promise<CryptoKey>;
  importKey(
    format: KeyFormat,
    data: BufferSource | JsonWebKey,
    algorithm: ImportParams,
    extractable: boolean,
    usages: readonly KeyUsage[],
  ): Promise<CryptoKey>;
  sign(algorithm: "HMAC" | { name: "HMAC" } | EcdsaParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
  unwrapKey(
    format: KeyFormat,
    wrapped: BufferSource,
    key: CryptoKey,
    algorithm: AesGcmParams,
    keyAlgorithm: ImportParams,
    extractable: boolean,
    usages: readonly KeyUsage[],
  ): Promise<CryptoKey>;
  verify(
    algorithm: "HMAC" | { name: "HMAC" } | EcdsaParams,
    key: CryptoKey,
    signature: BufferSource,
    data: BufferSource,
  ): Promise<boolean>;
  wrapKey(format: KeyFormat, key: CryptoKey, wrapping: CryptoKey, algorithm: AesGcmParams): Promise<ArrayBuffer>;
}

declare class Crypto {
  private constructor();
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}

declare var crypto: Crypto;

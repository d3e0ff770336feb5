const VENUE = "https://venue.example/v1/ticker";
const DECIMALS = 8;

interface Event {
  /** Like NEO-USD. */
  pair: string;
  /** The bound, a decimal text: a binary float has no 12.1. */
  above: string;
}

/** Says when a pair's price has crossed a bound since the call before. */
export default async function main({ pair, above }: Event) {
  if (!/^[A-Z0-9]{2,10}-[A-Z0-9]{2,10}$/.test(pair)) throw new TypeError("pair must be like NEO-USD");
  const key = await r3e.secrets.get("VENUE_API_KEY");
  if (key === null) throw new Error("the secret VENUE_API_KEY is not set");
  const response = await fetch(`${VENUE}?pair=${pair}`, { headers: { "x-api-key": key } });
  if (!response.ok) throw new Error(`the venue answered ${response.status}`);
  const { price } = (await response.json()) as { price: string };

  const side = scaled(price) > scaled(above) ? "over" : "under";
  const before = (await r3e.store.get(pair)) ?? side;
  await r3e.store.set(pair, side);
  return { pair, price, alert: side === before ? null : `crossed ${side === "over" ? "up" : "down"}` };
}

/** A decimal text as a whole number of 1e-8. */
function scaled(text: string): bigint {
  const match = /^(\d{1,15})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null) throw new TypeError(`${JSON.stringify(text)} is no price`);
  return BigInt(match[1]! + (match[2] ?? "").padEnd(DECIMALS, "0"));
}

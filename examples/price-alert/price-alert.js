// Fetches a pair's price from a venue that wants an API key, compares it with a threshold, and says when the price
// has crossed it since the last call.
//
//   event   { "pair": "NEO-USD", "above": "12.00" }
//   result  { "pair", "price", "above", "alert": "crossed_up" | "crossed_down" | null, "calls" }
//
// It needs the secret VENUE_API_KEY and the host venue.example; it is granted nothing else. Prices are decimal
// strings and stay so: a binary float has no 12.1.

const VENUE = "https://venue.example/v1/ticker";
const DECIMALS = 8;

export default async function (event) {
  const { pair, above } = event;
  if (typeof pair !== "string" || !/^[A-Z0-9]{2,10}-[A-Z0-9]{2,10}$/.test(pair)) {
    throw new TypeError("pair must be like NEO-USD");
  }
  const threshold = scaled(above, "above");

  const apiKey = await r3e.secrets.get("VENUE_API_KEY");
  if (apiKey === null) throw new Error("the secret VENUE_API_KEY is not set");
  const response = await fetch(`${VENUE}?pair=${pair}`, { headers: { "x-api-key": apiKey } });
  if (!response.ok) throw new Error(`the venue answered ${response.status}`);
  const { price } = await response.json();

  const side = scaled(price, "the venue's price") > threshold ? "over" : "under";
  const before = await r3e.store.get(pair) ?? { side, calls: 0 };
  const crossed = side === before.side ? null : side === "over" ? "crossed_up" : "crossed_down";
  const calls = before.calls + 1;
  await r3e.store.set(pair, { side, calls });

  console.log(`${pair} at ${price}, ${side} ${above}`);
  return { pair, price, above, alert: crossed, calls };
}

// A decimal string as a whole number of 10^-DECIMALS.
function scaled(text, what) {
  const parts = /^(\d{1,15})(?:\.(\d{1,8}))?$/.exec(text);
  if (parts === null) throw new TypeError(`${what} must be a decimal string with up to ${DECIMALS} decimals`);
  return BigInt(parts[1] + (parts[2] ?? "").padEnd(DECIMALS, "0"));
}

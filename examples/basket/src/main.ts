import { Decimal } from "./decimal.ts";
import { Asset, weight } from "./weights.ts";

interface Basket {
  /** The price of each asset, as decimal text. */
  prices: Record<Asset, string>;
}

/** What a basket of assets is worth, exactly. */
export default function value({ prices }: Basket): { value: string; assets: Asset[] } {
  const assets = Object.values(Asset);
  const total = assets
    .map((asset) => Decimal.parse(prices[asset]).times(weight(asset)))
    .reduce((sum, part) => sum.plus(part), Decimal.zero);
  console.log(`${assets.length} assets`);
  return { value: total.toString(), assets };
}

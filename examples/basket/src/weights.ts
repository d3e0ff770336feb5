import table from "../data/weights.json" with { type: "json" };
import { Decimal } from "./decimal.ts";

export enum Asset {
  Neo = "NEO",
  Gas = "GAS",
}

export function weight(asset: Asset): Decimal {
  return Decimal.parse((table as Record<Asset, string>)[asset]);
}

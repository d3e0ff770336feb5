/** A decimal number of at most 18 places, kept as a whole number of 1e-18: prices are never floats. */
export class Decimal {
  private constructor(private readonly units: bigint) {}

  static readonly zero = new Decimal(0n);

  static parse(text: string): Decimal {
    const match = /^(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text);
    if (match === null) throw new TypeError(`${JSON.stringify(text)} is no price`);
    const [, whole, places = ""] = match;
    return new Decimal(BigInt(whole! + places.padEnd(18, "0")));
  }

  plus(other: Decimal): Decimal {
    return new Decimal(this.units + other.units);
  }

  times(other: Decimal): Decimal {
    return new Decimal((this.units * other.units) / 10n ** 18n);
  }

  toString(): string {
    const digits = this.units.toString().padStart(19, "0");
    const places = digits.slice(-18).replace(/0+$/, "");
    return digits.slice(0, -18) + (places === "" ? "" : `.${places}`);
  }
}

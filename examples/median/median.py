"""The median of several venues' prices, and how far it moved since the last event.

{"prices": {"a": "12.04", "b": "12.10", "c": "11.90"}} gives {"median": "12.04", "moved": null} at first.
"""

from decimal import Decimal
from statistics import median


def handler(event, r3e):
    prices = {venue: Decimal(price) for venue, price in event["prices"].items()}
    if len(prices) < 3:
        raise ValueError(f"a median of {len(prices)} venues says nothing: three are wanted")
    now = median(prices.values())
    before = r3e.store.get("median")
    r3e.store.set("median", str(now))
    far = [venue for venue, price in prices.items() if abs(price - now) * 50 > now]
    if far:
        print("more than 2 % from the median:", *far)
    return {"median": str(now), "moved": None if before is None else str(now - Decimal(before))}

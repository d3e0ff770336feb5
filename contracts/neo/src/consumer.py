"""Reads a feed, and believes it only where it is fresh and above zero."""

from typing import Any

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.storage import get, put
from boa3.sc.types import UInt160
from boa3.sc.utils import call_contract

FEED = b'f'


def metadata() -> NeoMetadata:
    meta = NeoMetadata()
    meta.name = 'R3EConsumer'
    meta.description = 'An example that reads a price feed'
    meta.add_permission(methods=['latestRoundData'])
    return meta


@public
def _deploy(data: Any, update: bool):
    """With the feed's contract."""
    feed: UInt160 = data
    if update or len(feed) != 20:
        raise Exception('NoFeed')
    put(FEED, feed)


@public(safe=True)
def worth(amount: int) -> int:
    """What so much of the base asset is worth, in the quote asset's units of ten to the minus the feed's decimals."""
    last: list = call_contract(UInt160(get(FEED)), 'latestRoundData')
    answer: int = last[1]
    is_fresh: bool = last[6]
    if not is_fresh:
        raise Exception('TooOld')
    if answer <= 0:
        raise Exception('NoPrice')
    return amount * answer

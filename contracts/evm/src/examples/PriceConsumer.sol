// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";

/// Reads a feed, and believes it only where it is young enough and above zero.
contract PriceConsumer {
    AggregatorV3Interface public immutable feed;
    uint256 public immutable maxAgeSeconds;

    error TooOld(uint256 updatedAt);
    error NoPrice();

    constructor(AggregatorV3Interface feed_, uint256 maxAgeSeconds_) {
        feed = feed_;
        maxAgeSeconds = maxAgeSeconds_;
    }

    /// What `amount` of the base asset is worth, in the quote asset's units of ten to the minus `feed.decimals()`.
    function worth(uint256 amount) external view returns (uint256) {
        (, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        if (answer <= 0) revert NoPrice();
        if (updatedAt + maxAgeSeconds < block.timestamp) revert TooOld(updatedAt);
        return amount * uint256(answer);
    }
}

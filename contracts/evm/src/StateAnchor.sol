// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// How far appliances were, as each of them signed it: the sequence number and the head of a sealed state. Out of the reach of whoever keeps
/// that state, so that an older one is not taken for the latest.
///
/// Nobody administers it. An anchor holds by the appliance's own signature, whoever brings it, and is never replaced by an earlier one.
contract StateAnchor {
    /// A commit of a sealed state: two slots.
    struct Anchor {
        uint64 sequence;
        /// When it was brought here.
        uint64 atSeconds;
        /// SHA-256 of the sealed head.
        bytes32 head;
    }

    uint256 public constant version = 1;

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ANCHOR_TYPE = keccak256("Anchor(uint64 sequence,bytes32 head)");

    uint256 private immutable chainAtFirst;
    bytes32 private immutable domainAtFirst;

    mapping(address => Anchor) private anchors;

    event Anchored(address indexed appliance, uint64 indexed sequence, bytes32 head);

    error NotNewer(uint64 sequence);
    error NotSigned();

    constructor() {
        chainAtFirst = block.chainid;
        domainAtFirst = _domain();
    }

    /// Takes an anchor that the appliance signed, `r` and `vs` as in EIP-2098.
    function anchor(address appliance, uint64 sequence, bytes32 head, bytes32 r, bytes32 vs) external {
        Anchor storage last = anchors[appliance];
        if (sequence <= last.sequence) revert NotNewer(last.sequence);
        bytes32 content = keccak256(abi.encode(ANCHOR_TYPE, sequence, head));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domainSeparator(), content));
        address signer =
            ecrecover(digest, uint8((uint256(vs) >> 255) + 27), r, vs & bytes32(uint256(type(int256).max)));
        if (signer == address(0) || signer != appliance) revert NotSigned();
        (last.sequence, last.atSeconds, last.head) = (sequence, uint64(block.timestamp), head);
        emit Anchored(appliance, sequence, head);
    }

    /// The last anchor of an appliance; zeros where there is none.
    function lastOf(address appliance) external view returns (uint64 sequence, bytes32 head, uint64 atSeconds) {
        Anchor storage last = anchors[appliance];
        return (last.sequence, last.head, last.atSeconds);
    }

    /// What signatures are made for: this contract, on the chain that it is on now.
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == chainAtFirst ? domainAtFirst : _domain();
    }

    function _domain() private view returns (bytes32) {
        return
            keccak256(abi.encode(DOMAIN_TYPE, keccak256("R3E StateAnchor"), keccak256("1"), block.chainid, address(this)));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Roles} from "./Roles.sol";

/// Who may sign, and by which rules. An authority is a signer's key together with the digest of a feed's definition: a key signs nothing
/// here that was made by other rules than those which were admitted.
///
/// Each authority is on record with the SHA-256 of the attestation document that names its key, so that anybody can ask for that document
/// and see which code holds the key. The admin admits a new authority only after a delay in which everybody can look at it; taking one
/// away holds at once.
abstract contract SignerRegistry is Roles {
    /// What is read for each signature, in one slot.
    struct Current {
        /// The first 27 bytes of the authority's hash, as many as the slot has room for; zero where there is none.
        bytes27 authority;
        /// How often authorities were changed. Sequence numbers begin anew with each.
        uint16 epoch;
        /// Whether only transmitters may bring reports.
        bool isRestricted;
        /// Whether none is taken.
        bool isPaused;
    }

    /// One that was admitted, and holds from a time on.
    struct Next {
        bytes27 authority;
        uint40 fromSeconds;
    }

    /// The least delay that may be chosen.
    uint256 public constant MIN_DELAY_SECONDS = 60;
    /// The most.
    uint256 public constant MAX_DELAY_SECONDS = 30 days;

    /// How long a new authority can be looked at before it holds.
    uint256 public immutable delaySeconds;

    Current internal current;
    Next internal next;
    /// The SHA-256 of the attestation document, by authority.
    mapping(bytes27 => bytes32) public attestationOf;

    event AuthorityProposed(
        bytes27 indexed authority, address signer, bytes32 configDigest, bytes32 attestation, uint256 fromSeconds
    );
    event AuthorityActivated(bytes27 indexed authority);
    event AuthorityRevoked(bytes27 indexed authority);

    error DelayOutOfRange();
    error NoSigner();
    error NoAttestation();
    error OtherAttestation(bytes32 before);
    error HoldsAlready();
    error NothingProposed();
    error NothingRevoked();
    error TooEarly(uint256 fromSeconds);

    constructor(uint256 delaySeconds_, address signer, bytes32 configDigest, bytes32 attestation) {
        if (delaySeconds_ < MIN_DELAY_SECONDS || delaySeconds_ > MAX_DELAY_SECONDS) revert DelayOutOfRange();
        delaySeconds = delaySeconds_;
        bytes27 authority = _admitted(signer, configDigest, attestation);
        current.authority = authority;
        emit AuthorityProposed(authority, signer, configDigest, attestation, block.timestamp);
        emit AuthorityActivated(authority);
    }

    /// Admits an authority, which holds beside the current one once the delay is over, and in its place once it is activated. One that was
    /// proposed before and not activated is gone.
    function propose(address signer, bytes32 configDigest, bytes32 attestation) external onlyAdmin {
        bytes27 authority = _admitted(signer, configDigest, attestation);
        if (authority == current.authority) revert HoldsAlready();
        uint256 fromSeconds = block.timestamp + delaySeconds;
        next = Next(authority, uint40(fromSeconds));
        emit AuthorityProposed(authority, signer, configDigest, attestation, fromSeconds);
    }

    /// Puts what was proposed in the current one's place. Anybody may, once the delay is over.
    function activate() external {
        Next memory proposed = next;
        if (proposed.authority == 0) revert NothingProposed();
        if (block.timestamp < proposed.fromSeconds) revert TooEarly(proposed.fromSeconds);
        current.authority = proposed.authority;
        current.epoch += 1;
        delete next;
        emit AuthorityActivated(proposed.authority);
    }

    /// Takes an authority away, at once, whether it holds or was proposed: no signature of it is taken any more. It is named, so that nobody can have
    /// another one taken away by activating that one first.
    function revoke(bytes27 authority) external onlyAdmin {
        if (authority == 0 || (authority != current.authority && authority != next.authority)) revert NothingRevoked();
        if (authority == current.authority) {
            current.authority = 0;
            // What it said last does not count as fresh any more: that is two epochs away.
            current.epoch += 2;
        }
        if (authority == next.authority) delete next;
        emit AuthorityRevoked(authority);
    }

    /// The authority whose signatures are taken, and the one that was proposed with the time from which on its are.
    function authorities() external view returns (bytes27 now_, bytes27 proposed, uint256 fromSeconds) {
        return (current.authority, next.authority, next.fromSeconds);
    }

    function authorityOf(address signer, bytes32 configDigest) public pure returns (bytes27) {
        return bytes27(keccak256(abi.encodePacked(signer, configDigest)));
    }

    /// Whether an authority that is not the current one holds.
    function _isNext(bytes27 authority) internal view returns (bool) {
        Next memory proposed = next;
        return authority == proposed.authority && block.timestamp >= proposed.fromSeconds;
    }

    function _admitted(address signer, bytes32 configDigest, bytes32 attestation) private returns (bytes27 authority) {
        if (signer == address(0)) revert NoSigner();
        if (attestation == 0) revert NoAttestation();
        authority = authorityOf(signer, configDigest);
        bytes32 before = attestationOf[authority];
        if (before != 0 && before != attestation) revert OtherAttestation(before);
        attestationOf[authority] = attestation;
    }
}

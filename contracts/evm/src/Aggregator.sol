// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "./interfaces/AggregatorV3Interface.sol";
import {Roles} from "./Roles.sol";
import {SignerRegistry} from "./SignerRegistry.sol";

/// One feed's answers on one chain: takes reports that an enclave signed for this contract, and serves them as rounds.
///
/// Whoever has a report may bring it: the signature is what counts, so nobody's silence but the signer's stops a feed. A round's number is
/// the epoch, in the upper 16 bits of 80, and its report's sequence number. Within an epoch, which ends when the signer changes, sequence
/// numbers strictly rise; some may be missing, where a report was not brought. Times never go back.
contract Aggregator is AggregatorV3Interface, SignerRegistry {
    /// What a feed is made of.
    struct Settings {
        /// The feed's name, filled up with zeros.
        bytes32 feedId;
        uint8 decimals;
        string description;
        /// No answer below it is taken,
        int256 minAnswer;
        /// nor above it.
        int256 maxAnswer;
        /// Rounds that are kept beside the last one; each report costs some 5,000 gas more where there are any.
        uint256 history;
        /// How long a new authority can be looked at before it holds.
        uint256 delaySeconds;
        address admin;
        address signer;
        bytes32 configDigest;
        /// The SHA-256 of the attestation document that names the signer.
        bytes32 attestation;
    }

    /// What the signer says, beside what the contract knows.
    struct Report {
        int256 answer;
        uint256 confidence;
        uint64 observedAt;
        uint64 validUntil;
        uint64 sequence;
        uint8 sources;
        bytes32 configDigest;
    }

    /// A report, as it is kept: one slot.
    struct Round {
        int104 answer;
        uint40 observedAt;
        uint24 validSeconds;
        uint16 epoch;
        uint48 sequence;
        uint8 sources;
        /// In ten-thousandths of the answer, rounded up.
        uint16 confidenceBps;
    }

    uint256 public constant version = 1;
    /// Rounds that can be kept beside the last one. Their slots are written when the contract is made, so that each report costs the same
    /// from the first on.
    uint256 public constant MAX_HISTORY = 256;
    /// How far ahead of the chain's time a report may have been observed.
    uint256 public constant MAX_AHEAD_SECONDS = 120;
    /// How long a report may hold: what a lost key signed ends by itself.
    uint256 public constant MAX_VALID_SECONDS = 7 days;

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant REPORT_TYPE = keccak256(
        "Report(bytes32 feedId,int256 answer,uint256 confidence,uint8 decimals,uint64 observedAt,uint64 validUntil,uint64 sequence,uint8 sources,bytes32 configDigest)"
    );

    bytes32 public immutable feedId;
    uint8 public immutable decimals;
    int256 public immutable minAnswer;
    int256 public immutable maxAnswer;
    uint256 public immutable history;
    uint256 private immutable chainAtFirst;
    bytes32 private immutable domainAtFirst;

    string public description;
    /// Who may bring reports where that is restricted.
    mapping(address => bool) public isTransmitter;
    Round private last;
    /// By the sequence number modulo `history`.
    mapping(uint256 => Round) private rounds;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event TransmitterSet(address indexed transmitter, bool may);
    event RestrictionSet(bool isRestricted);
    event PauseSet(bool isPaused);

    error NoData();
    error Paused();
    error NotTransmitter();
    error NotNewer(uint256 sequence);
    error SequenceOutOfRange();
    error ValidTooLong();
    error AnswerOutOfRange(int256 answer);
    error FromTheFuture(uint256 observedAt);
    error Expired(uint256 validUntil);
    error NotSigned();
    error BoundsOutOfRange();
    error HistoryTooLong();

    constructor(Settings memory settings)
        Roles(settings.admin)
        SignerRegistry(settings.delaySeconds, settings.signer, settings.configDigest, settings.attestation)
    {
        // A round keeps an answer in 104 bits.
        if (
            settings.minAnswer < type(int104).min || settings.maxAnswer > type(int104).max
                || settings.minAnswer > settings.maxAnswer
        ) revert BoundsOutOfRange();
        if (settings.history > MAX_HISTORY) revert HistoryTooLong();
        feedId = settings.feedId;
        decimals = settings.decimals;
        description = settings.description;
        minAnswer = settings.minAnswer;
        maxAnswer = settings.maxAnswer;
        chainAtFirst = block.chainid;
        domainAtFirst = _domain();
        history = settings.history;
        // Not zero, and the round of no sequence number.
        last.sources = 1;
        for (uint256 index = 0; index < settings.history; index++) {
            rounds[index].sources = 1;
        }
    }

    /// Takes a report that the signer signed, `r` and `vs` as in EIP-2098.
    function transmit(Report calldata report, bytes32 r, bytes32 vs) external {
        Current memory held = current;
        if (held.isPaused) revert Paused();
        if (held.isRestricted && !isTransmitter[msg.sender]) revert NotTransmitter();
        (int256 answer, uint256 sequence) = (report.answer, report.sequence);
        (uint256 observedAt, uint256 validUntil) = (report.observedAt, report.validUntil);
        Round memory before = last;
        if (held.epoch == before.epoch && sequence <= before.sequence) revert NotNewer(before.sequence);
        if (observedAt < before.observedAt) revert NotNewer(before.sequence);
        if (sequence == 0 || sequence > type(uint48).max) revert SequenceOutOfRange();
        if (answer < minAnswer || answer > maxAnswer) revert AnswerOutOfRange(answer);
        unchecked {
            // None of them is near the end of its type.
            if (observedAt > block.timestamp + MAX_AHEAD_SECONDS) revert FromTheFuture(observedAt);
        }
        if (validUntil < block.timestamp) revert Expired(validUntil);
        unchecked {
            // Neither is above 2^64.
            if (validUntil < observedAt || validUntil - observedAt > MAX_VALID_SECONDS) revert ValidTooLong();
        }
        bytes27 authority = authorityOf(_signerOf(report, r, vs), report.configDigest);
        if (authority != held.authority && !_isNext(authority)) revert NotSigned();

        Round memory round = Round({
            answer: int104(answer),
            observedAt: uint40(observedAt),
            validSeconds: uint24(validUntil - observedAt),
            epoch: held.epoch,
            sequence: uint48(sequence),
            sources: report.sources,
            confidenceBps: _confidenceBps(answer, report.confidence)
        });
        last = round;
        if (history > 0) rounds[sequence % history] = round;
        emit AnswerUpdated(answer, uint256(held.epoch) << 64 | sequence, observedAt);
    }

    /// The last round, as it is kept, and whether its answer still holds. Whoever relies on an answer should ask this, or compare times.
    function latest() external view returns (Round memory round, bool isFresh) {
        round = _last();
        // After one change of signers what the one before said stands until the next report; one that was revoked is two away.
        isFresh = block.timestamp <= uint256(round.observedAt) + round.validSeconds && !current.isPaused
            && current.epoch - round.epoch <= 1;
    }

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _shown(_last());
    }

    function getRoundData(uint80 roundId_)
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round memory round = last;
        if (_roundId(round) != roundId_ && history > 0) round = rounds[uint48(roundId_) % history];
        if (round.sequence == 0 || _roundId(round) != roundId_) revert NoData();
        return _shown(round);
    }

    /// Whether only transmitters bring reports, whether none is taken, the epoch, and the last sequence number that was taken.
    function state() external view returns (bool isRestricted, bool isPaused, uint16 epoch, uint48 sequence) {
        return (current.isRestricted, current.isPaused, current.epoch, last.sequence);
    }

    function setTransmitter(address transmitter, bool may) external onlyAdmin {
        isTransmitter[transmitter] = may;
        emit TransmitterSet(transmitter, may);
    }

    function setRestricted(bool isRestricted) external onlyAdmin {
        current.isRestricted = isRestricted;
        emit RestrictionSet(isRestricted);
    }

    function setPaused(bool isPaused) external onlyAdmin {
        current.isPaused = isPaused;
        emit PauseSet(isPaused);
    }

    /// What signatures are made for: this contract, on the chain that it is on now.
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == chainAtFirst ? domainAtFirst : _domain();
    }

    function _domain() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256("R3E Oracle"), keccak256("1"), block.chainid, address(this)));
    }

    function _signerOf(Report calldata report, bytes32 r, bytes32 vs) private view returns (address signer) {
        (bytes32 kind, bytes32 feed, uint256 places, bytes32 domain) = (REPORT_TYPE, feedId, decimals, domainSeparator());
        bytes32 digest;
        // The report lies in the call as it is hashed, but for the places between.
        assembly ("memory-safe") {
            let content := mload(0x40)
            mstore(content, kind)
            mstore(add(content, 0x20), feed)
            calldatacopy(add(content, 0x40), report, 0x40)
            mstore(add(content, 0x80), places)
            calldatacopy(add(content, 0xa0), add(report, 0x40), 0xa0)
            let hash := keccak256(content, 0x140)
            mstore(content, hex"1901")
            mstore(add(content, 0x02), domain)
            mstore(add(content, 0x22), hash)
            digest := keccak256(content, 0x42)
        }
        signer = ecrecover(digest, uint8((uint256(vs) >> 255) + 27), r, vs & bytes32(uint256(type(int256).max)));
        if (signer == address(0)) revert NotSigned();
    }

    function _confidenceBps(int256 answer, uint256 confidence) private pure returns (uint16) {
        uint256 size = uint256(answer < 0 ? -answer : answer);
        // What is as large as the answer says nothing that its exact size would add to.
        if (confidence >= size) return confidence == 0 ? 0 : type(uint16).max;
        unchecked {
            // Below 2^103 * 10^4.
            return uint16((confidence * 10_000 + size - 1) / size);
        }
    }

    function _last() private view returns (Round memory round) {
        round = last;
        if (round.sequence == 0) revert NoData();
    }

    function _shown(Round memory round) private view returns (uint80, int256, uint256, uint256, uint80) {
        uint80 roundId = uint80(_roundId(round));
        // Its readers subtract it from the time that it is.
        uint256 seenAt = round.observedAt < block.timestamp ? round.observedAt : block.timestamp;
        return (roundId, round.answer, seenAt, seenAt, roundId);
    }

    function _roundId(Round memory round) private pure returns (uint256) {
        return uint256(round.epoch) << 64 | round.sequence;
    }
}

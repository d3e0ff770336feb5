"""One feed's answers on Neo N3: takes reports that an enclave signed for this contract, and gives the last one.

Whoever has a report may bring it: the signature is what counts. An authority is a signer's key and the digest of a feed's definition, on record with the SHA-256
of the attestation document that names the key. The admin admits a new one only after a delay in which everybody can look at it.
"""

from typing import Any

from boa3.sc.compiletime import NeoMetadata, public
from boa3.sc.contracts import CryptoLib
from boa3.sc.runtime import check_witness, executing_script_hash, get_network, time
from boa3.sc.storage import delete, get, get_int, put, put_int
from boa3.sc.types import ECPoint, NamedCurveHash, UInt160
from boa3.sc.utils import CreateNewEvent, to_bytes, to_int, to_str

# Where each thing is kept.
ADMIN = b'a'
PENDING_ADMIN = b'b'
# What each report is held to, read at once: the identifier, the places, the least answer and the most of 16 bytes each, the epoch of 4, and a byte more
# if none is taken. The epoch is how often authorities were changed: sequence numbers begin anew with each.
RULES = b'f'
DESCRIPTION = b'n'
DELAY_SECONDS = b'w'
CURRENT = b'c'
NEXT = b'x'
NEXT_FROM = b't'
# Of the last report, what stands between the identifier and the definition's digest, which each report has (each byte costs, each time), and the epoch.
LAST = b'r'

# A report: the identifier, answer, confidence, places, two times, sequence number, sources, the definition's digest.
REPORT_BYTES = 122
SIGNATURE_BYTES = 64
RULES_BYTES = 69
# A compressed key, the definition's digest, and the attestation document's.
AUTHORITY_BYTES = 97
MIN_DELAY_SECONDS = 60
MAX_DELAY_SECONDS = 2592000
# How far ahead of the chain's time a report may have been observed.
MAX_AHEAD_SECONDS = 120
# How long a report may hold: what a lost key signed ends by itself.
MAX_VALID_SECONDS = 604800
# Of what an answer may be held to: less than 2^120.
MAX_BOUND = 1329227995784915872903807060280344576


def metadata() -> NeoMetadata:
    meta = NeoMetadata()
    meta.name = 'R3EFeed'
    meta.description = 'A price feed whose reports an attested enclave signs'
    meta.add_permission(contract='0x726cb6e0cd8628a1350a611384688911ab75f51b', methods=['verifyWithECDsa'])
    return meta


AnswerUpdated = CreateNewEvent([('answer', int), ('sequence', int), ('observedAt', int)], 'AnswerUpdated')
AuthorityProposed = CreateNewEvent([('authority', bytes), ('fromSeconds', int)], 'AuthorityProposed')
AuthorityActivated = CreateNewEvent([('authority', bytes)], 'AuthorityActivated')
AuthorityRevoked = CreateNewEvent([('authority', bytes)], 'AuthorityRevoked')
AdminChanged = CreateNewEvent([('admin', UInt160)], 'AdminChanged')
PauseSet = CreateNewEvent([('isPaused', bool)], 'PauseSet')


@public
def _deploy(data: Any, update: bool):
    """With [feedId, decimals, description, minAnswer, maxAnswer, delaySeconds, admin, authority]."""
    if update:
        raise Exception('Fixed')
    settings: list = data
    feed_id: bytes = settings[0]
    decimals_: int = settings[1]
    description_: bytes = settings[2]
    min_answer: int = settings[3]
    max_answer: int = settings[4]
    delay_seconds: int = settings[5]
    admin_: UInt160 = settings[6]
    authority: bytes = settings[7]
    if len(feed_id) != 32 or decimals_ < 0 or decimals_ > 18 or min_answer > max_answer:
        raise Exception('SettingsOutOfRange')
    if min_answer < -MAX_BOUND or max_answer > MAX_BOUND:
        raise Exception('SettingsOutOfRange')
    if delay_seconds < MIN_DELAY_SECONDS or delay_seconds > MAX_DELAY_SECONDS:
        raise Exception('DelayOutOfRange')
    if len(admin_) != 20 or len(authority) != AUTHORITY_BYTES:
        raise Exception('SettingsOutOfRange')
    put(RULES, feed_id + little_endian(decimals_, 1) + little_endian(min_answer, 16) + little_endian(max_answer, 16) + little_endian(1, 4))
    put(DESCRIPTION, description_)
    put_int(DELAY_SECONDS, delay_seconds)
    put(ADMIN, admin_)
    put(CURRENT, authority)
    AdminChanged(admin_)
    AuthorityActivated(authority)


@public
def transmit(report: bytes, signature: bytes):
    """Takes a report that the signer signed."""
    rules = get(RULES)
    if len(rules) != RULES_BYTES:
        raise Exception('Paused')
    if len(report) != REPORT_BYTES or len(signature) != SIGNATURE_BYTES:
        raise Exception('Malformed')
    answer = to_int(report[32:48])
    observed_at = to_int(report[65:73])
    valid_until = to_int(report[73:81])
    sequence = to_int(report[81:89])
    # Numbers without a sign, whose upper half no report has.
    if observed_at < 0:
        raise Exception('Malformed')
    epoch = rules[65:69]
    last = get(LAST)
    before = 0
    if len(last) > 0:
        if observed_at < to_int(last[33:41]):
            raise Exception('NotNewer')
        if last[58:62] == epoch:
            before = to_int(last[49:57])
    if sequence <= before:
        raise Exception('NotNewer')
    if answer < to_int(rules[33:49]) or answer > to_int(rules[49:65]):
        raise Exception('AnswerOutOfRange')
    now = time // 1000
    if observed_at > now + MAX_AHEAD_SECONDS:
        raise Exception('FromTheFuture')
    if valid_until < now:
        raise Exception('Expired')
    if valid_until < observed_at:
        raise Exception('ValidTooLong')
    if valid_until - observed_at > MAX_VALID_SECONDS:
        raise Exception('ValidTooLong')
    if report[0:32] != rules[0:32] or report[64:65] != rules[32:33]:
        raise Exception('NotSigned')
    if not is_signed(report, signature, get(CURRENT)):
        proposed = get(NEXT)
        if len(proposed) == 0 or now < get_int(NEXT_FROM) or not is_signed(report, signature, proposed):
            raise Exception('NotSigned')
    put(LAST, report[32:90] + epoch)
    AnswerUpdated(answer, sequence, observed_at)


def is_signed(report: bytes, signature: bytes, authority: bytes) -> bool:
    if len(authority) != AUTHORITY_BYTES or report[90:122] != authority[33:65]:
        return False
    message = b'r3e/1/neo-report' + little_endian(get_network(), 4) + executing_script_hash + report
    return CryptoLib.verify_with_ecdsa(message, ECPoint(authority[0:33]), signature, NamedCurveHash.SECP256R1SHA256)


def unsigned(number: bytes) -> int:
    return to_int(number + b'\x00')


def little_endian(number: int, size: int) -> bytes:
    # A number has as many bytes as it needs: with one more, it has all of these.
    whole = 256 ** size
    return to_bytes((number + whole) % whole + whole)[0:size]


@public(name='latestRoundData', safe=True)
def latest_round_data() -> list:
    """[sequence, answer, observedAt, validUntil, confidence, sources, isFresh, epoch]."""
    last = get(LAST)
    if len(last) == 0:
        raise Exception('NoData')
    valid_until = unsigned(last[41:49])
    epoch = unsigned(last[58:62])
    # After one change of signers what the one before said stands until the next report; one that was revoked is two away.
    is_fresh = valid_until >= time // 1000 and len(get(RULES)) == RULES_BYTES and unsigned(get(RULES)[65:69]) - epoch <= 1
    return [
        unsigned(last[49:57]), to_int(last[0:16]), unsigned(last[33:41]), valid_until, unsigned(last[16:32]), unsigned(last[57:58]),
        is_fresh, epoch
    ]


@public(name='feedId', safe=True)
def feed_id() -> bytes:
    return get(RULES)[0:32]


@public(safe=True)
def decimals() -> int:
    return to_int(get(RULES)[32:33])


@public(safe=True)
def description() -> str:
    return to_str(get(DESCRIPTION))


@public(safe=True)
def admin() -> UInt160:
    return UInt160(get(ADMIN))


@public(safe=True)
def authorities() -> list:
    """[current, proposed, fromSeconds]: each a key, a definition's digest and an attestation document's, or nothing."""
    return [get(CURRENT), get(NEXT), get_int(NEXT_FROM)]


@public
def propose(authority: bytes):
    """Admits an authority, which holds beside the current one once the delay is over."""
    require_admin()
    if len(authority) != AUTHORITY_BYTES:
        raise Exception('Malformed')
    if authority[0:65] == get(CURRENT)[0:65]:
        raise Exception('HoldsAlready')
    from_seconds = time // 1000 + get_int(DELAY_SECONDS)
    put(NEXT, authority)
    put_int(NEXT_FROM, from_seconds)
    AuthorityProposed(authority, from_seconds)


@public
def activate():
    """Puts what was proposed in the current one's place. Anybody may, once the delay is over."""
    authority = get(NEXT)
    if len(authority) == 0:
        raise Exception('NothingProposed')
    if time // 1000 < get_int(NEXT_FROM):
        raise Exception('TooEarly')
    forget_next()
    put(CURRENT, authority)
    end_epoch(1)
    AuthorityActivated(authority)


@public
def revoke(signer: bytes):
    """Takes an authority away, at once, whether it holds or was proposed; it is named by its key and the definition's digest, so that nobody can have
    another one taken away by activating that one first."""
    require_admin()
    if len(signer) != 65:
        raise Exception('Malformed')
    is_current = signer == get(CURRENT)[0:65]
    is_next = signer == get(NEXT)[0:65]
    if not is_current and not is_next:
        raise Exception('NothingRevoked')
    if is_current:
        delete(CURRENT)
        # What it said last does not count as fresh any more: that is two epochs away.
        end_epoch(2)
    if is_next:
        forget_next()
    AuthorityRevoked(signer)


@public(name='setPaused')
def set_paused(is_paused: bool):
    require_admin()
    rules = get(RULES)[0:RULES_BYTES]
    if is_paused:
        put(RULES, rules + b'\x01')
    else:
        put(RULES, rules)
    PauseSet(is_paused)


@public(name='offerAdmin')
def offer_admin(to: UInt160):
    """Offers the role; who has it goes on until the other takes it."""
    require_admin()
    if len(to) != 20:
        raise Exception('Malformed')
    put(PENDING_ADMIN, to)


@public(name='acceptAdmin')
def accept_admin():
    pending = get(PENDING_ADMIN)
    if len(pending) != 20:
        raise Exception('NotPendingAdmin')
    if not check_witness(UInt160(pending)):
        raise Exception('NotPendingAdmin')
    put(ADMIN, pending)
    delete(PENDING_ADMIN)
    AdminChanged(UInt160(pending))


def require_admin():
    if not check_witness(UInt160(get(ADMIN))):
        raise Exception('NotAdmin')


def end_epoch(by: int):
    rules = get(RULES)
    put(RULES, rules[0:65] + little_endian(unsigned(rules[65:69]) + by, 4) + rules[69:])


def forget_next():
    delete(NEXT)
    delete(NEXT_FROM)

#!/usr/bin/env python3
"""Writes range-proof.json: range proofs made from the text alone, by a second implementation of SPEC.md, section 5.15.

    python3 range_proof.py

Below it are RFC 9496 (ristretto255), Merlin's transcripts over STROBE-128, and the Bulletproofs paper's aggregated prover, without any library but
Python's own. It takes its time, and none of it is constant: it is for vectors, not for secrets.
"""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).parent

# --- ristretto255 (RFC 9496, section 4) ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def is_negative(x):
    return x % P & 1


def magnitude(x):
    x %= P
    return P - x if x & 1 else x


def sqrt_ratio(u, v):
    """Whether u/v is a square, and the root of it, or of SQRT_M1 times it, that is not negative."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    flipped = check in ((-u) % P, -u * SQRT_M1 % P)
    if flipped:
        r = r * SQRT_M1 % P
    return check in (u % P, (-u) % P), magnitude(r)


# Of the two roots, RFC 9496 has the negative one.
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) * (D - 1) % P
assert sqrt_ratio(-D - 1, 1)[1] in (SQRT_AD_MINUS_ONE, P - SQRT_AD_MINUS_ONE)

NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    return ((f - e) * (d - c) % P, (d + c) * (f + e) % P, (d - c) * (d + c) % P, (f - e) * (f + e) % P)


def times(scalar, point):
    total, scalar = NEUTRAL, scalar % ORDER
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def combined(*pairs):
    total = NEUTRAL
    for scalars, points in pairs:
        for scalar, point in zip(scalars, points, strict=True):
            total = add(total, times(scalar, point))
    return total


def negative(point):
    x, y, z, t = point
    return (-x % P, y, z, -t % P)


def encode(point):
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    _, inverse = sqrt_ratio(1, u1 * u2 * u2)
    den1, den2 = inverse * u1 % P, inverse * u2 % P
    z_inverse = den1 * den2 * t0 % P
    if is_negative(t0 * z_inverse):
        x, y, den = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den = x0, y0, den2
    if is_negative(x * z_inverse):
        y = -y % P
    return magnitude(den * (z0 - y)).to_bytes(32, "little")


def mapped(text):
    t = (int.from_bytes(text, "little") & (2**255 - 1)) % P
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQ % P, (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio(u, v)
    c = -1
    if not was_square:
        s, c = -magnitude(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, (1 - s * s) % P, (1 + s * s) % P
    return (w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def made_of(text):
    """A point of 64 bytes (section 4.3.4)."""
    return add(mapped(text[:32]), mapped(text[32:]))


def base_point():
    y = 4 * pow(5, -1, P) % P
    _, x = sqrt_ratio(y * y - 1, D * y * y + 1)
    return (x, y, 1, x * y % P)


# --- Merlin's transcripts ---


def keccak_f(state):
    lanes = [[int.from_bytes(state[8 * (x + 5 * y) : 8 * (x + 5 * y) + 8], "little") for y in range(5)] for x in range(5)]
    left = lambda value, by: ((value << by % 64) | (value >> (64 - by % 64))) & (2**64 - 1) if by % 64 else value
    feedback = 1
    for _ in range(24):
        c = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        d = [c[(x + 4) % 5] ^ left(c[(x + 1) % 5], 1) for x in range(5)]
        lanes = [[lanes[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, lanes[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], left(current, (t + 1) * (t + 2) // 2)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        for j in range(7):
            feedback = (feedback << 1 ^ (feedback >> 7) * 0x71) % 256
            if feedback & 2:
                lanes[0][0] ^= 1 << ((1 << j) - 1)
    return bytearray(b"".join(lanes[x][y].to_bytes(8, "little") for y in range(5) for x in range(5)))


class Transcript:
    RATE = 166
    I, A, C, M = 1, 2, 4, 16

    def __init__(self, label):
        start = bytes([1, self.RATE + 2, 1, 0, 1, 96]) + b"STROBEv1.0.2"
        self.state = keccak_f(bytearray(start + bytes(200 - len(start))))
        self.at = self.began = 0
        self.operate(self.M | self.A, b"Merlin v1.0")
        self.append(b"dom-sep", label)

    def permute(self):
        self.state[self.at] ^= self.began
        self.state[self.at + 1] ^= 4
        self.state[self.RATE + 1] ^= 0x80
        self.state = keccak_f(self.state)
        self.at = self.began = 0

    def absorb(self, data):
        for byte in data:
            self.state[self.at] ^= byte
            self.at += 1
            if self.at == self.RATE:
                self.permute()

    def begin(self, flags):
        before, self.began = self.began, self.at + 1
        self.absorb([before, flags])
        if flags & self.C and self.at:
            self.permute()

    def operate(self, flags, *pieces):
        self.begin(flags)
        for piece in pieces:
            self.absorb(piece)

    def append(self, label, message):
        self.operate(self.M | self.A, label, len(message).to_bytes(4, "little"))
        self.operate(self.A, message)

    def number(self, label, value):
        self.append(label, value.to_bytes(8, "little"))

    def challenge(self, label):
        self.operate(self.M | self.A, label, (64).to_bytes(4, "little"))
        self.begin(self.I | self.A | self.C)
        out = bytearray()
        for _ in range(64):
            out.append(self.state[self.at])
            self.state[self.at] = 0
            self.at += 1
            if self.at == self.RATE:
                self.permute()
        return int.from_bytes(out, "little") % ORDER


# --- the proof ---

BASE = base_point()
BLINDED = made_of(hashlib.sha3_512(encode(BASE)).digest())


def generators(letter, side, bits):
    chain = hashlib.shake_256(b"GeneratorsChain" + letter + side.to_bytes(4, "little")).digest(64 * bits)
    return [made_of(chain[64 * i : 64 * i + 64]) for i in range(bits)]


def scalar(label):
    return int.from_bytes(hashlib.sha512(label.encode()).digest(), "little") % ORDER


def inner(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) % ORDER


def commitment(value, blinding):
    return combined(([value, blinding], [BASE, BLINDED]))


def bulletproof(transcript, sides, bits, label):
    """Of (value, blinding) pairs, a power of two of them: that each has so many bits."""
    count, total = len(sides), len(sides) * bits
    transcript.append(b"dom-sep", b"rangeproof v1")
    transcript.number(b"n", bits)
    transcript.number(b"m", count)
    for value, blinding in sides:
        assert 0 <= value < 2**bits
        transcript.append(b"V", encode(commitment(value, blinding)))
    g = [point for side in range(count) for point in generators(b"G", side, bits)]
    h = [point for side in range(count) for point in generators(b"H", side, bits)]
    a_l = [value >> i & 1 for value, _ in sides for i in range(bits)]
    a_r = [bit - 1 for bit in a_l]
    s_l = [scalar(f"{label} s_L {i}") for i in range(total)]
    s_r = [scalar(f"{label} s_R {i}") for i in range(total)]
    alpha, rho = scalar(f"{label} alpha"), scalar(f"{label} rho")
    parts = [
        combined(([alpha], [BLINDED]), (a_l, g), (a_r, h)),
        combined(([rho], [BLINDED]), (s_l, g), (s_r, h)),
    ]
    transcript.append(b"A", encode(parts[0]))
    transcript.append(b"S", encode(parts[1]))
    y, z = transcript.challenge(b"y"), transcript.challenge(b"z")

    power = [pow(y, i, ORDER) for i in range(total)]
    weight = [pow(z, 2 + i // bits, ORDER) * 2 ** (i % bits) for i in range(total)]
    l0 = [(bit - z) % ORDER for bit in a_l]
    r0 = [(power[i] * (a_r[i] + z) + weight[i]) % ORDER for i in range(total)]
    r1 = [power[i] * s_r[i] % ORDER for i in range(total)]
    t1, t2 = (inner(l0, r1) + inner(s_l, r0)) % ORDER, inner(s_l, r1)
    tau1, tau2 = scalar(f"{label} tau_1"), scalar(f"{label} tau_2")
    for name, t, tau in ((b"T_1", t1, tau1), (b"T_2", t2, tau2)):
        parts.append(commitment(t, tau))
        transcript.append(name, encode(parts[-1]))
    x = transcript.challenge(b"x")

    l = [(l0[i] + s_l[i] * x) % ORDER for i in range(total)]
    r = [(r0[i] + r1[i] * x) % ORDER for i in range(total)]
    tau = (tau1 * x + tau2 * x * x + sum(pow(z, 2 + j, ORDER) * side[1] for j, side in enumerate(sides))) % ORDER
    numbers = [inner(l, r), tau, (alpha + rho * x) % ORDER]
    for name, value in zip((b"t_x", b"t_x_blinding", b"e_blinding"), numbers):
        transcript.append(name, value.to_bytes(32, "little"))
    q = times(transcript.challenge(b"w"), BASE)

    transcript.append(b"dom-sep", b"ipp v1")
    transcript.number(b"n", total)
    h = [times(pow(y, -i, ORDER), point) for i, point in enumerate(h)]
    halves = []
    while len(l) > 1:
        k = len(l) // 2
        left = combined((l[:k], g[k:]), (r[k:], h[:k]), ([inner(l[:k], r[k:])], [q]))
        right = combined((l[k:], g[:k]), (r[:k], h[k:]), ([inner(l[k:], r[:k])], [q]))
        transcript.append(b"L", encode(left))
        transcript.append(b"R", encode(right))
        halves += [left, right]
        u = transcript.challenge(b"u")
        v = pow(u, -1, ORDER)
        l, r = ([(u * a + v * b) % ORDER for a, b in zip(l[:k], l[k:])], [(v * a + u * b) % ORDER for a, b in zip(r[:k], r[k:])])
        g = [add(times(v, a), times(u, b)) for a, b in zip(g[:k], g[k:])]
        h = [add(times(u, a), times(v, b)) for a, b in zip(h[:k], h[k:])]
    points, ends = (lambda some: b"".join(map(encode, some))), (lambda some: b"".join(n.to_bytes(32, "little") for n in some))
    return points(parts) + ends(numbers) + points(halves) + ends([l[0], r[0]])


def range_proof(owner, context, numbers):
    """Of (value, min, max): section 5.15."""
    label = f"{owner}/{context}"
    widest = max(high - low for _, low, high in numbers)
    bits = next(bits for bits in (8, 16, 32, 64) if widest < 2**bits)
    blindings = [scalar(f"{label} blinding {i}") for i in range(len(numbers))]
    transcript, sides, claims = Transcript(b"r3e/1/range-proof"), [], []
    transcript.append(b"owner", owner.encode())
    transcript.append(b"context", context.encode())
    transcript.number(b"claims", len(numbers))
    for (value, low, high), blinding in zip(numbers, blindings):
        committed = encode(commitment(value, blinding))
        transcript.number(b"min", low)
        transcript.number(b"max", high)
        transcript.append(b"commitment", committed)
        claims.append({"min": str(low), "max": str(high), "commitment": "0x" + committed.hex()})
        sides.append((value - low, blinding))
        if high - low != 2**bits - 1:
            sides.append((high - value, -blinding % ORDER))
    while len(sides) & (len(sides) - 1):
        sides.append((0, 0))
    proof = bulletproof(transcript, sides, bits, label)
    return {
        "values": [str(value) for value, _, _ in numbers],
        "blindings": ["0x" + blinding.to_bytes(32, "little").hex() for blinding in blindings],
        "proof": {"owner": owner, "context": context, "claims": claims, "proof": "0x" + proof.hex()},
    }


def main():
    # RFC 9496, appendices A.1 and A.3.
    point = "5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c14d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6"
    assert encode(made_of(bytes.fromhex(point))).hex() == "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
    assert encode(BASE).hex() == "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
    assert encode(times(2, BASE)).hex() == "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"
    tenant = "9f86d081884c7d659a2feaa0c55ad015"
    proofs = [
        range_proof("owner", "one side of 8 bits", [(42, 0, 255)]),
        range_proof(tenant, "auction 7", [(42, 18, 150)]),
        range_proof(tenant, "", [(7, 7, 7), (300, 1, 300), (65_535, 0, 65_535)]),
        range_proof(tenant, "ä", [(2**64 - 1, 0, 2**64 - 1)]),
        range_proof(tenant, "longer than most", [(number, 1, 2**64 - 1) for number in (1, 2, 3, 4, 2**64 - 1)]),
    ]
    text = json.dumps({"proofs": proofs}, indent=1, ensure_ascii=False)
    (HERE / "range-proof.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

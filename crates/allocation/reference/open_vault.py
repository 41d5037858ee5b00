"""Opens a sealed vault and its break envelopes, independently of the Rust program.

Written from docs/allocation-and-vault.md and RFC 9180. Needs the Python package
`cryptography` (X25519, HKDF and ChaCha20-Poly1305 only; HPKE and the combination
of shares are done here).

    python3 open_vault.py < sealed.json > opened.json
"""

import hashlib
import hmac
import itertools
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from replay_list import Stream, bound, draw_kits, draw_list

KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
HPKE_SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)
MODE_AUTH = 2


def number(value):
    return struct.pack("<I", value)


def extract(salt, suite, label, secret):
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + secret, hashlib.sha256).digest()


def expand(key, suite, label, info, length):
    labelled = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    # No output here is longer than one block of SHA-256.
    return hmac.new(key, labelled + b"\x01", hashlib.sha256).digest()[:length]


def hpke_open(vault_public, private, context, sealed):
    """RFC 9180: AuthDecap (4.1), KeySchedule with mode auth (5.1), Open (5.2)."""
    encapsulated, ciphertext = sealed[:32], sealed[32:]
    key = X25519PrivateKey.from_private_bytes(private)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared += key.exchange(X25519PublicKey.from_public_bytes(vault_public))
    secret = extract(b"", KEM_SUITE, b"eae_prk", shared)
    secret = expand(secret, KEM_SUITE, b"shared_secret", encapsulated + public + vault_public, 32)
    schedule = bytes([MODE_AUTH]) + extract(b"", HPKE_SUITE, b"psk_id_hash", b"")
    schedule += extract(b"", HPKE_SUITE, b"info_hash", b"equipoise/seal/1")
    secret = extract(secret, HPKE_SUITE, b"secret", b"")
    cipher = ChaCha20Poly1305(expand(secret, HPKE_SUITE, b"key", schedule, 32))
    return cipher.decrypt(expand(secret, HPKE_SUITE, b"base_nonce", schedule, 12), ciphertext, context)


def times(a, b):
    """Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def combine(shares):
    """Lagrange interpolation at 0; each share is its abscissa and then its bytes."""
    secret = bytes(len(shares[0]) - 1)
    for share in shares:
        weight = 1
        for other in shares:
            if other[0] != share[0]:
                inverse = next(x for x in range(1, 256) if times(x, other[0] ^ share[0]) == 1)
                weight = times(weight, times(other[0], inverse))
        secret = bytes(kept ^ times(weight, byte) for kept, byte in zip(secret, share[1:]))
    return secret


class Layout:
    def __init__(self, plain):
        self.plain, self.at = plain, 0

    def take(self, count):
        self.at += count
        return self.plain[self.at - count : self.at]

    def number(self):
        return struct.unpack("<I", self.take(4))[0]

    def arm(self):
        field = self.take(32)
        return field[1 : 1 + field[0]].decode()


def text(*fields):
    return [field.encode() for field in fields]


def digest_of(vault):
    def each(items, fields):
        return [number(len(items))] + [field for item in items for field in fields(item)]

    fields = [b"equipoise/vault/1", number(vault["format"]), vault["study"].encode()]
    fields += [bytes.fromhex(vault["scheme_digest"]), bytes.fromhex(vault["vault_key"])]
    fields += each(vault["strata"], lambda s: [s["stratum"].encode(), number(s["length"])])
    fields += [number(vault["kit_range"]["first"]), number(vault["kit_range"]["last"])]
    fields += each(
        vault["consignments"], lambda c: [c["site"].encode()] + each(c["kits"], lambda kit: [kit.encode()])
    )

    def holder(h):
        rights = h["rights"]
        flags = rights["unlock"] | rights["break_blind"] << 1 | rights["open_list"] << 2
        return text(h["person"], h["role"]) + [bytes.fromhex(h["key"]), number(flags)]

    fields += each(vault["holders"], holder)
    fields += [number(vault["list_threshold"])]
    fields += [bytes.fromhex(vault["working_list"]), bytes.fromhex(vault["full_list"])]
    return hashlib.sha256(bound(*fields)).hexdigest()


def open_key(vault, keys, right, copy):
    context = bound(b"equipoise/holder-key/1", *text(right, vault["study"], copy["person"]),
                    bytes.fromhex(vault["list_digest"]))
    private = keys[copy["person"]]
    return hpke_open(bytes.fromhex(vault["vault_key"]), private, context, bytes.fromhex(copy["sealed"]))


def open_full_list(vault, list_key):
    cipher = ChaCha20Poly1305(list_key)
    context = bound(b"equipoise/full-list/1", vault["study"].encode())
    rest = Layout(cipher.decrypt(bytes(12), bytes.fromhex(vault["full_list"]), context))
    assert rest.take(8) == b"EQLIST1\0"
    seed, size_count = rest.take(32), rest.take(1)[0]
    sizes = [rest.number() for _ in range(8)][:size_count]
    arm_count, slots = rest.take(1)[0], []
    for _ in range(16):
        ratio = rest.number()
        slots.append([rest.arm(), ratio])
    arms = slots[:arm_count]
    lists = [[s["stratum"], [arms[i][0] for i in rest.take(s["length"])]] for s in vault["strata"]]
    kits = sorted(kit for c in vault["consignments"] for kit in c["kits"])
    kit_arms = [[kit, arms[rest.take(1)[0]][0]] for kit in kits]
    assert rest.at == len(rest.plain)
    return {"seed": seed.hex(), "block_sizes": sizes, "arms": arms, "lists": lists, "kits": kit_arms}


def replay(vault, opened):
    """The list and kits drawn again from the opened seed."""
    for stratum, arms in opened["lists"]:
        case = dict(opened, stratum=stratum, length=len(arms))
        assert draw_list(case)["arms"] == arms, stratum
    names, span = [arm for arm, _ in opened["arms"]], vault["kit_range"]
    per_arm = [[c["site"], len(c["kits"]) // len(names)] for c in vault["consignments"]]
    case = dict(span, seed=opened["seed"], arms=names, kits_per_arm=per_arm)
    drawn = draw_kits(case)
    assert [[kit, arm] for kit, _, arm in drawn] == opened["kits"]
    assert all(kit in c["kits"] for c in vault["consignments"] for kit, site, _ in drawn if site == c["site"])


def open_working_list(vault, vault_private, opened):
    """Checks that classes and arms agree, and returns the class of each arm."""
    context = bound(b"equipoise/working-list/1", vault["study"].encode())
    plain = hpke_open(bytes.fromhex(vault["vault_key"]), vault_private, context, bytes.fromhex(vault["working_list"]))
    rest = Layout(plain)
    assert rest.take(8) == b"EQWORK1\0"
    rest.take(32)
    breakers = sum(h["rights"]["break_blind"] for h in vault["holders"])
    pairs = set()
    for _, arms in opened["lists"]:
        for arm in arms:
            pairs.add((arm, rest.take(1)[0]))
            rest.take(32 + 112 * breakers)
    for _, arm in opened["kits"]:
        pairs.add((arm, rest.take(1)[0]))
    assert rest.at == len(plain)
    classes = dict(pairs)
    assert len(classes) == len(pairs)
    expected = list(range(len(opened["arms"])))
    Stream(b"equipoise/classes/1", bytes.fromhex(opened["seed"]), b"").shuffle(expected)
    assert [classes[arm] for arm, _ in opened["arms"]] == expected
    return classes


def break_envelope(vault, keys, envelope, copy):
    at, person, private = envelope["placement"], copy["person"], keys[copy["person"]]
    vault_public = bytes.fromhex(vault["vault_key"])
    study, stratum, position = at["study"].encode(), at["stratum"].encode(), number(at["position"])
    outer = bound(b"equipoise/envelope/1", study, at["subject"].encode(), stratum, position,
                  bytes.fromhex(envelope["list_digest"]), bytes.fromhex(envelope["entry_digest"]), person.encode())
    inner = bound(b"equipoise/entry-arm/1", study, stratum, position, person.encode())
    sealed_arm = hpke_open(vault_public, private, outer, bytes.fromhex(copy["sealed"]))
    payload = Layout(hpke_open(vault_public, private, inner, sealed_arm))
    arm, salt = payload.arm(), payload.take(32)
    commitment = hashlib.sha256(bound(b"equipoise/entry/1", study, stratum, position, salt, arm.encode()))
    assert commitment.hexdigest() == envelope["entry_digest"]
    return [at["subject"], person, arm]


def main():
    sealed = json.load(sys.stdin)
    vault, keys = sealed["vault"], {k["person"]: bytes.fromhex(k["private_key"]) for k in sealed["keys"]}
    assert digest_of(vault) == vault["list_digest"]
    shares = [open_key(vault, keys, "open the list", copy)[:33] for copy in vault["list_shares"]]
    found = {combine(quorum) for quorum in itertools.combinations(shares, vault["list_threshold"])}
    assert len(found) == 1
    opened = open_full_list(vault, found.pop())
    replay(vault, opened)
    private = {open_key(vault, keys, "unlock the vault", copy)[:32] for copy in vault["unlock_keys"]}
    assert len(private) == 1
    opened["classes"] = sorted(open_working_list(vault, private.pop(), opened).items())
    broken = [break_envelope(vault, keys, e, copy) for e in sealed["envelopes"] for copy in e["copies"]]
    json.dump(dict(opened, list_digest=vault["list_digest"], envelopes=broken), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

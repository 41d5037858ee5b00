"""Replays drawn lists and kits from their seeds, independently of the Rust program.

Standard library only. Written from docs/allocation-and-vault.md. It checks its
ChaCha20 against RFC 8439 (section 2.3.2) before it draws anything.

    python3 replay_list.py < list_input.json > list_output.json
"""

import hashlib
import json
import struct
import sys


def chacha20_block(key, counter, nonce):
    """One block of ChaCha20; counter and nonce together fill the last 16 bytes."""

    def quarter(s, a, b, c, d):
        for left, right, turn in ((a, b, 16), (c, d, 12), (a, b, 8), (c, d, 7)):
            s[left] = (s[left] + s[right]) & 0xFFFFFFFF
            target = d if left == a else b
            mixed = s[target] ^ s[left]
            s[target] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF

    start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
    start += list(struct.unpack("<4I", counter + nonce))
    state = start[:]
    for _ in range(10):
        for indices in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(state, *indices)
        for indices in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(state, *indices)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, start)))


def check_chacha20():
    """The test vector of RFC 8439, section 2.3.2."""
    block = chacha20_block(
        bytes(range(32)), struct.pack("<I", 1), bytes.fromhex("000000090000004a00000000")
    )
    expected = (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )
    assert block.hex() == expected, "ChaCha20 differs from RFC 8439"


def bound(*fields):
    """Each field after its length in four little-endian bytes."""
    return b"".join(struct.pack("<I", len(field)) + field for field in fields)


class Stream:
    """ChaCha20 keyed by a purpose, a seed and a name, as 32-bit words."""

    def __init__(self, purpose, seed, name):
        self.key = hashlib.sha256(bound(purpose, seed, name)).digest()
        self.counter, self.words = 0, []

    def word(self):
        if not self.words:
            block = chacha20_block(self.key, struct.pack("<Q", self.counter), bytes(8))
            self.words = list(struct.unpack("<16I", block))
            self.counter += 1
        return self.words.pop(0)

    def below(self, limit):
        accepted = 2**32 - 2**32 % limit
        while True:
            word = self.word()
            if word < accepted:
                return word % limit

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def draw_list(case):
    stream = Stream(b"equipoise/permuted-blocks/1", bytes.fromhex(case["seed"]), case["stratum"].encode())
    total = sum(ratio for _, ratio in case["arms"])
    arms, sizes = [], []
    while len(arms) < case["length"]:
        choices = case["block_sizes"]
        size = choices[0] if len(choices) == 1 else choices[stream.below(len(choices))]
        block = [arm for arm, ratio in case["arms"] for _ in range(ratio * size // total)]
        stream.shuffle(block)
        arms += block
        sizes.append(size)
    return {"arms": arms[: case["length"]], "block_sizes": sizes}


def draw_kits(case):
    stream = Stream(b"equipoise/kits/1", bytes.fromhex(case["seed"]), b"")
    numbers = list(range(case["first"], case["last"] + 1))
    width, drawn, kits = len(str(case["last"])), 0, []
    for site, per_arm in case["kits_per_arm"]:
        for arm in case["arms"]:
            for _ in range(per_arm):
                other = drawn + stream.below(len(numbers) - drawn)
                numbers[drawn], numbers[other] = numbers[other], numbers[drawn]
                kits.append([str(numbers[drawn]).zfill(width), site, arm])
                drawn += 1
    return sorted(kits)


if __name__ == "__main__":
    check_chacha20()
    cases = json.load(sys.stdin)
    lists = [draw_list(case) for case in cases["lists"]]
    kits = [draw_kits(case) for case in cases["kits"]]
    json.dump({"lists": lists, "kits": kits}, sys.stdout, indent=1)
    print()

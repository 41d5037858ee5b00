# Blocks of Philox 4x32-10 from randomgen, for keys and counters of many shapes, and the test vectors that the
# generator's authors publish with Random123 (file kat_vectors), which randomgen is held against here.
# Its generator counts before it draws, so the counter is set one below.
# Run: python3 philox.py > philox.csv        (randomgen 2.5.1, NumPy 2.4.6)
import numpy
from randomgen import Philox

ALL = 2**32 - 1


def block(key, counter):
    whole = sum(word << (32 * place) for place, word in enumerate(counter))
    before = (whole - 1) % 2**128
    generator = Philox(counter=before, key=key[0] + (key[1] << 32), number=4, width=32)
    return [int(word) for word in generator.random_raw(4)]


published = [
    ([0, 0], [0, 0, 0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([ALL, ALL], [ALL, ALL, ALL, ALL], [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0xA4093822, 0x299F31D0],
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]
weyl = [(0x9E3779B9 * step) & ALL for step in range(1, 60)]
cases = [(key, counter) for key, counter, _ in published]
cases += [(weyl[i : i + 2], weyl[i + 2 : i + 6]) for i in range(0, 36, 3)]
cases += [(weyl[:2], [weyl[9], occasion << 12 | block, 12 << 8, 5]) for block in (0, 1) for occasion in (0, 7)]
for key, counter, words in published:
    assert block(key, counter) == words
print("key_0,key_1,counter_0,counter_1,counter_2,counter_3,word_0,word_1,word_2,word_3")
for key, counter in cases:
    print(",".join(f"{word:08x}" for word in [*key, *counter, *block(key, counter)]))

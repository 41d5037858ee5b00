# Blocks of Philox 4x64-10 from NumPy, for keys and counters of many shapes. Its generator counts before it
# draws, so the counter is set one below.
# Run: python3 philox.py > philox.csv        (NumPy 2.4.6)
import numpy
from numpy.random import Philox

ALL = 2**64 - 1


def block(key, counter):
    whole = sum(word << (64 * place) for place, word in enumerate(counter))
    before = (whole - 1) % 2**256
    words = [(before >> (64 * place)) & ALL for place in range(4)]
    exactly = [numpy.array(part, dtype=numpy.uint64) for part in (words, key)]
    return Philox(counter=exactly[0], key=exactly[1]).random_raw(4)


weyl = [(0x9E3779B97F4A7C15 * step) & ALL for step in range(1, 40)]
cases = [([0, 0], [0, 0, 0, 0]), ([ALL, ALL], [ALL, ALL, ALL, ALL])]
cases += [(weyl[i : i + 2], weyl[i + 2 : i + 6]) for i in range(0, 30, 3)]
cases += [(weyl[:2], [block, occasion, weyl[9], 12]) for block in (0, 1) for occasion in (0, 7)]
print("key_0,key_1,counter_0,counter_1,counter_2,counter_3,block_0,block_1,block_2,block_3")
for key, counter in cases:
    print(",".join(f"{int(word):016x}" for word in [*key, *counter, *block(key, counter)]))

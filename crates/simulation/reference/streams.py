# Words of random streams as docs/simulation.md describes them: what stands in key and counter, from SHA-256 of
# Python's hashlib and Philox 4x32-10 of randomgen. The name of a process comes to its FNV-1a digest of 64 bits.
# Run: python3 streams.py > streams.csv        (randomgen 2.5.1, NumPy 2.4.6)
import hashlib

from randomgen import Philox

ALL = 2**32 - 1


def digest(name):
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number


def words(seed, trial, participant, process, occasion, block):
    of_seed = hashlib.sha256(b"equipoise trials 4\0" + seed.to_bytes(8, "little")).digest()
    name = digest(process)
    first = int.from_bytes(of_seed[:4], "little")
    second = int.from_bytes(of_seed[4:8], "little") ^ name >> 32
    counter = [name & ALL, occasion << 12 | block, participant << 8 | trial >> 32, trial & ALL]
    whole = sum(word << (32 * place) for place, word in enumerate(counter))
    generator = Philox(counter=(whole - 1) % 2**128, key=first + (second << 32), number=4, width=32)
    return [int(word) for word in generator.random_raw(4)]


cases = [
    (1, 0, 1, "skin", 0, 0),
    (1, 0, 1, "skin", 0, 1),
    (1, 0, 1, "measure noise", 11, 0),
    (20_251_130, 999_999, 43, "arrival", 0, 0),
    (7, 2**40 - 1, 2**24 - 1, "visit", 2**20 - 1, 3),
    (2**64 - 1, 2**32, 200, "entry_questions.new_treatment", 0, 2),
]
print("seed,trial,participant,process,occasion,block,word_0,word_1,word_2,word_3")
for case in cases:
    print(",".join(str(field) for field in case) + "," + ",".join(f"{word:08x}" for word in words(*case)))

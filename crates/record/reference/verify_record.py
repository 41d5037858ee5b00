"""Recomputes a stored record from its written layout (docs/record-format.md), independently of the program.

Usage: python3 verify_record.py FOLDER [EXPECTED_HEAD]
Prints the number of events and the head; exits with 1 and the first fault if something does not agree.
Needs Python 3.8 and nothing else.
"""

import hashlib
import json
import pathlib
import sqlite3
import sys


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def count(number):
    return number.to_bytes(8, "big")


def sized(data):
    return count(len(data)) + data


def recompute(database):
    (environment,) = database.execute("SELECT environment FROM store").fetchone()
    head = digest(sized(b"equipoise/record/genesis/1"), sized(environment.encode()))
    sequence, positions, emptied, redacted = 0, {}, set(), set()
    for sequence, (row, stream, position, body, stored) in enumerate(
        database.execute("SELECT sequence, stream, position, body, hash FROM events ORDER BY sequence"), 1
    ):
        cells = database.execute(
            "SELECT cell, commitment, salt, content FROM contents WHERE sequence = ? ORDER BY cell", (row,)
        ).fetchall()
        commitments = [commitment for _, commitment, _, _ in cells]
        head = digest(
            sized(b"equipoise/record/event/1"), head, sized(body), count(len(cells)), *commitments
        )
        assert head == stored, f"event {sequence}: the hash differs"
        for number, (cell, commitment, salt, content) in enumerate(cells, 1):
            assert cell == number, f"event {sequence}: cell {number} is missing"
            if content is None:
                emptied.add((sequence, cell))
            else:
                made = digest(sized(b"equipoise/record/commitment/1"), sized(salt), sized(content))
                assert made == commitment, f"event {sequence}: the commitment of cell {cell} differs"
        event = json.loads(body)
        named = event["stream"]
        named = named if isinstance(named, str) else "subject/" + named["subject"]
        positions[named] = positions.get(named, 0) + 1
        places = (row, event["sequence"], stream, position, event["position"])
        assert places == (sequence, sequence, named, positions[named], positions[named]), f"event {sequence}: its place differs"
        if event["fact"]["kind"] == "content_redacted":
            redacted.add((event["fact"]["sequence"], event["fact"]["cell"]))
    assert emptied == redacted, f"emptied cells and redactions differ: {sorted(emptied ^ redacted)}"
    return sequence, head.hex()


if __name__ == "__main__":
    file = pathlib.Path(sys.argv[1]) / "record.sqlite"
    try:
        events, head = recompute(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True))
        assert sys.argv[2:] in ([], [head]), f"the head is {head}, not {sys.argv[2]}"
    except AssertionError as fault:
        sys.exit(str(fault))
    print(f"{events} events, head {head}")

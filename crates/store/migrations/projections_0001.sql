-- The list of participants: a cache, made from the record up to `made_from`.

CREATE TABLE subjects (
    subject TEXT PRIMARY KEY,
    site TEXT,
    status TEXT,
    events INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE made_from (
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

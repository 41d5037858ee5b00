-- Who has looked at which participant. Grows only; each batch carries the hash over it and the batch before.
CREATE TABLE readings (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  study TEXT NOT NULL,
  subject TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE INDEX readings_by_subject ON readings (study, subject);
CREATE TABLE batches (
  last_sequence INTEGER PRIMARY KEY,
  hash BLOB NOT NULL
) STRICT;

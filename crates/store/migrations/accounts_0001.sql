-- One row: whether participants are real, fixed when the file is made.
CREATE TABLE installation (
  environment TEXT NOT NULL CHECK (environment IN ('live', 'rehearsal')),
  created INTEGER NOT NULL
) STRICT;

-- `skeleton` is the log-in name without case and look-alike letters; names are never used again.
CREATE TABLE accounts (
  person TEXT PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  skeleton TEXT NOT NULL UNIQUE,
  printed_name TEXT NOT NULL,
  email TEXT NOT NULL,
  administrator INTEGER NOT NULL,
  active INTEGER NOT NULL DEFAULT 1,
  password TEXT,
  temporary INTEGER NOT NULL DEFAULT 0,
  second_factor BLOB,
  last_step INTEGER NOT NULL DEFAULT 0,
  language TEXT NOT NULL DEFAULT 'en',
  identity_verified_by TEXT,
  signature_accepted INTEGER,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
  person TEXT NOT NULL REFERENCES accounts (person),
  digest BLOB NOT NULL,
  PRIMARY KEY (person, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
  digest BLOB PRIMARY KEY,
  person TEXT NOT NULL REFERENCES accounts (person),
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person had typed and not saved yet, one draft a form and person.
CREATE TABLE drafts (
  person TEXT NOT NULL REFERENCES accounts (person),
  place TEXT NOT NULL,
  answers TEXT NOT NULL,
  kept INTEGER NOT NULL,
  PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;

-- Grows only; each row carries the hash of the one before it.
CREATE TABLE account_log (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  about TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  origin TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER account_log_is_not_changed BEFORE UPDATE ON account_log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER account_log_is_not_deleted BEFORE DELETE ON account_log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

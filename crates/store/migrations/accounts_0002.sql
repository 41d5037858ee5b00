-- What a person registered an authenticator by. `credential` is the authenticator's own name for the key, never given twice; `key` holds the
-- public key and the counter as the protocol's library writes them. Whatever happens to a passkey stands in the account log.
CREATE TABLE passkeys (
  credential BLOB PRIMARY KEY,
  person TEXT NOT NULL REFERENCES accounts (person),
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  added INTEGER NOT NULL,
  used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_person ON passkeys (person);

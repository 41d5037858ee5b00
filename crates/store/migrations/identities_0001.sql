-- Who the participants are, each sealed under the store's key and bound to the number.
-- The row with the empty number proves the key.

CREATE TABLE identities (
    subject TEXT PRIMARY KEY,
    nonce BLOB NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB NOT NULL
) STRICT;

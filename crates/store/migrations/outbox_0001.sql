-- Mails to be sent. None holds a value, a participant's number or a name of a site: whoever gets one has to log in.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY,
    -- What the mail is about, for one person once.
    once TEXT NOT NULL UNIQUE,
    made INTEGER NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Where the mail leads; emptied once it was sent, because an invitation's link is a secret.
    link TEXT NOT NULL,
    sent INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL,
    trouble TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX mails_to_send ON mails (next) WHERE sent IS NULL;
-- Up to which event each study's record was looked through.
CREATE TABLE looked_through (
    study TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT;

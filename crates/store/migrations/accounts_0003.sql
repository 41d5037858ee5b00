-- Whom a provider of single sign-on means by its own name for somebody. A provider names one person once, and a person has one name with it.
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  person TEXT NOT NULL REFERENCES accounts (person),
  bound INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (issuer, person)
) STRICT, WITHOUT ROWID;

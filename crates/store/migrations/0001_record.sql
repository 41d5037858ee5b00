-- The record: events, their contents beside them, and what refuses to change them.
--
-- The triggers keep a mistaken program or a careless hand from changing history.
-- They are no proof: whoever owns the file can drop them. `verify` is the proof.

CREATE TABLE store (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'rehearsal'))
) STRICT;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    stream TEXT NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 1),
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (stream, position)
) STRICT;

CREATE TABLE contents (
    sequence INTEGER NOT NULL REFERENCES events (sequence),
    cell INTEGER NOT NULL CHECK (cell >= 1),
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    salt BLOB CHECK (length(salt) = 32),
    content BLOB,
    PRIMARY KEY (sequence, cell),
    CHECK ((salt IS NULL) = (content IS NULL))
) STRICT, WITHOUT ROWID;

-- Replacing a row deletes it without asking the delete triggers, so insertion itself keeps the order.
CREATE TRIGGER events_follow_in_order BEFORE INSERT ON events
WHEN NEW.sequence IS NOT (SELECT ifnull(max(sequence), 0) + 1 FROM events)
    OR NEW.position IS NOT (SELECT ifnull(max(position), 0) + 1 FROM events WHERE stream = NEW.stream)
BEGIN
    SELECT raise(ABORT, 'an event must follow the last of the record and of its stream');
END;

CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'events are never deleted');
END;

CREATE TRIGGER contents_come_with_their_event BEFORE INSERT ON contents
WHEN NEW.sequence IS NOT (SELECT max(sequence) FROM events)
    OR NEW.cell IS NOT (SELECT ifnull(max(cell), 0) + 1 FROM contents WHERE sequence = NEW.sequence)
BEGIN
    SELECT raise(ABORT, 'a content comes with its event');
END;

-- A content can only be emptied, and only right after the event that says who approved it and why.
CREATE TRIGGER contents_are_only_redacted BEFORE UPDATE ON contents
WHEN NEW.sequence IS NOT OLD.sequence
    OR NEW.cell IS NOT OLD.cell
    OR NEW.commitment IS NOT OLD.commitment
    OR NEW.salt IS NOT NULL
    OR NEW.content IS NOT NULL
    OR NOT EXISTS (
        SELECT 1 FROM events
        WHERE sequence = (SELECT max(sequence) FROM events)
            AND json_extract(CAST(body AS TEXT), '$.fact.kind') = 'content_redacted'
            AND json_extract(CAST(body AS TEXT), '$.fact.sequence') = OLD.sequence
            AND json_extract(CAST(body AS TEXT), '$.fact.cell') = OLD.cell
    )
BEGIN
    SELECT raise(ABORT, 'a content is never changed, and emptied only by a redaction on record');
END;

CREATE TRIGGER contents_are_never_deleted BEFORE DELETE ON contents
BEGIN
    SELECT raise(ABORT, 'contents are never deleted');
END;

CREATE TRIGGER the_store_is_one BEFORE INSERT ON store
WHEN EXISTS (SELECT 1 FROM store)
BEGIN
    SELECT raise(ABORT, 'the environment of a store is never changed');
END;

CREATE TRIGGER the_store_is_never_updated BEFORE UPDATE ON store
BEGIN
    SELECT raise(ABORT, 'the environment of a store is never changed');
END;

CREATE TRIGGER the_store_is_never_deleted BEFORE DELETE ON store
BEGIN
    SELECT raise(ABORT, 'the environment of a store is never changed');
END;

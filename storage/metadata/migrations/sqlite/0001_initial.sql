-- Times are milliseconds since the Unix epoch. Digests are text, `algorithm:hex`.

CREATE TABLE repositories (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL
);

-- One row per content. `storage_key` names the bytes in the blob driver and is never used twice,
-- so a late removal of an old key cannot touch a newer upload of the same digest.
CREATE TABLE blobs (
    digest       TEXT    PRIMARY KEY,
    size         INTEGER NOT NULL,
    storage_key  TEXT    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL
) WITHOUT ROWID;

-- What makes a blob readable through a repository.
CREATE TABLE blob_links (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    digest         TEXT    NOT NULL REFERENCES blobs (digest),
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest)
) WITHOUT ROWID;
CREATE INDEX blob_links_digest ON blob_links (digest);

-- `descriptor` is the entry of the subject's referrers list, kept for manifests that have a subject.
-- `content` comes last, so that reading the other columns does not touch the pages it spills into.
CREATE TABLE manifests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    digest         TEXT    NOT NULL,
    media_type     TEXT    NOT NULL,
    artifact_type  TEXT,
    subject        TEXT,
    size           INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    descriptor     TEXT,
    content        BLOB    NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX manifests_subject ON manifests (repository_id, subject, id) WHERE subject IS NOT NULL;

-- What a manifest needs in its repository, so that nobody parses manifests to find edges.
CREATE TABLE manifest_references (
    manifest_id    INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    digest         TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    required       INTEGER NOT NULL,
    repository_id  INTEGER NOT NULL,
    PRIMARY KEY (manifest_id, digest)
) WITHOUT ROWID;
CREATE INDEX manifest_references_digest ON manifest_references (repository_id, digest);

CREATE TABLE tags (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    name           TEXT    NOT NULL,
    manifest_id    INTEGER NOT NULL REFERENCES manifests (id),
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX tags_manifest ON tags (manifest_id);

-- Sessions name their repository by text: an upload that is never finished creates no repository.
CREATE TABLE uploads (
    id           TEXT    PRIMARY KEY,
    repository   TEXT    NOT NULL,
    algorithm    TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    touched_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_touched ON uploads (touched_at);

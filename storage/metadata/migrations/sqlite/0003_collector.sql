-- What keeps content that nothing points to, what is taken away when, and what can be brought back.

-- Until when a link stays though no manifest needs it: whoever pushed the blob, or asked whether it is there, may be
-- about to push one that does.
ALTER TABLE blob_links ADD COLUMN protected_until INTEGER NOT NULL DEFAULT 0;
UPDATE blob_links SET protected_until = created_at + 86400000;

-- When the bytes were found not to be what the digest says; they are not read any more.
ALTER TABLE blobs ADD COLUMN damaged_at INTEGER;
CREATE INDEX blobs_damaged ON blobs (digest) WHERE damaged_at IS NOT NULL;

-- `held_at` is when something last held the manifest: a push, somebody about to push who asked for it, a tag that left,
-- or an index or subject that was deleted. `orphaned`: the index that it was a part of was deleted, and nothing has held
-- it since.
ALTER TABLE manifests ADD COLUMN held_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN orphaned INTEGER NOT NULL DEFAULT 0;
UPDATE manifests SET held_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000;

-- Bytes that no row of `blobs` names, and from when on they may be removed.
CREATE TABLE unwanted_bytes (
    storage_key  TEXT    PRIMARY KEY,
    due_at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX unwanted_bytes_due ON unwanted_bytes (due_at);

-- Where each tag pointed, and who moved it. No digest: the tag was not there before, or is not there after.
CREATE TABLE tag_history (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id   INTEGER NOT NULL REFERENCES repositories (id),
    tag             TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    old_digest      TEXT,
    new_digest      TEXT,
    principal_kind  TEXT    NOT NULL,
    principal       TEXT    NOT NULL,
    token           TEXT
);
CREATE INDEX tag_history_tag ON tag_history (repository_id, tag, id);
CREATE INDEX tag_history_repository ON tag_history (repository_id, id);

-- Manifests that can still be brought back. What they need of the blobs stays stored as long.
CREATE TABLE deleted_manifests (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id   INTEGER NOT NULL REFERENCES repositories (id),
    digest          TEXT    NOT NULL,
    media_type      TEXT    NOT NULL,
    size            INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    deleted_at      INTEGER NOT NULL,
    principal_kind  TEXT    NOT NULL,
    principal       TEXT    NOT NULL,
    content         BLOB    NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX deleted_manifests_at ON deleted_manifests (deleted_at);
CREATE INDEX deleted_manifests_repository ON deleted_manifests (repository_id, id);
CREATE TABLE deleted_references (
    manifest_id  INTEGER NOT NULL REFERENCES deleted_manifests (id) ON DELETE CASCADE,
    digest       TEXT    NOT NULL,
    PRIMARY KEY (manifest_id, digest)
) WITHOUT ROWID;
CREATE INDEX deleted_references_digest ON deleted_references (digest);

-- What background work found and did: one row per run, `state` is JSON.
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    state       TEXT    NOT NULL
);
CREATE INDEX runs_kind ON runs (kind, id);

-- Where a registry goes its own way; without a value it does what is configured for all.
-- Times are milliseconds, 0 is never. `redirect` is `never`, `always` or `large`.
ALTER TABLE registries ADD COLUMN untagged_after INTEGER;
ALTER TABLE registries ADD COLUMN orphaned_after INTEGER;
ALTER TABLE registries ADD COLUMN redirect TEXT;

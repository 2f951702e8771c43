-- Who there is, what they may do, and what they did. Secrets are never kept: passwords as argon2 hashes, tokens as sha256.

CREATE TABLE projects (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL UNIQUE,
    description  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
);

-- A repository belongs to the registry with the longest prefix of its name, by whole components.
CREATE TABLE registries (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL REFERENCES projects (id),
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL,
    visibility   TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (project_id, name)
);

INSERT INTO projects (name, description, created_at)
VALUES ('default', '', CAST(strftime('%s', 'now') AS INTEGER) * 1000);
INSERT INTO registries (project_id, name, prefix, kind, visibility, description, created_at)
SELECT id, 'root', '', 'local', 'private', '', created_at FROM projects;

-- Users, and robots, which belong to a project. What one is follows from `kind`, never from the name.
-- Tokens that were made under an earlier `epoch` are not accepted any more.
CREATE TABLE principals (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT    NOT NULL CHECK (kind IN ('user', 'robot')),
    name           TEXT    NOT NULL UNIQUE,
    project_id     INTEGER REFERENCES projects (id),
    description    TEXT    NOT NULL,
    system_role    TEXT,
    password_hash  TEXT,
    disabled       INTEGER NOT NULL DEFAULT 0,
    epoch          INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    CHECK ((kind = 'robot') = (project_id IS NOT NULL))
);
CREATE INDEX principals_user ON principals (name) WHERE kind = 'user';
CREATE INDEX principals_project ON principals (project_id, name) WHERE project_id IS NOT NULL;

CREATE TABLE groups (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL UNIQUE,
    description  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
);

CREATE TABLE group_members (
    group_id      INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    principal_id  INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, principal_id)
) WITHOUT ROWID;
CREATE INDEX group_members_principal ON group_members (principal_id);

-- The role that a principal, or a group, has in a project.
CREATE TABLE members (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    principal_id  INTEGER REFERENCES principals (id) ON DELETE CASCADE,
    group_id      INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    role          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CHECK ((principal_id IS NULL) <> (group_id IS NULL)),
    UNIQUE (project_id, principal_id),
    UNIQUE (project_id, group_id)
);
CREATE INDEX members_principal ON members (principal_id) WHERE principal_id IS NOT NULL;
CREATE INDEX members_group ON members (group_id) WHERE group_id IS NOT NULL;

-- What a principal, a group, or, with neither, everyone may do to the repositories that the pattern matches.
-- `actions` are words with commas between them, in alphabetical order; none of them says: nothing.
CREATE TABLE rules (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    registry_id   INTEGER NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    pattern       TEXT    NOT NULL,
    principal_id  INTEGER REFERENCES principals (id) ON DELETE CASCADE,
    group_id      INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    actions       TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CHECK (principal_id IS NULL OR group_id IS NULL)
);
CREATE INDEX rules_registry ON rules (registry_id);
CREATE INDEX rules_principal ON rules (principal_id) WHERE principal_id IS NOT NULL;
CREATE INDEX rules_group ON rules (group_id) WHERE group_id IS NOT NULL;

-- Tags that, once they are there, neither move nor go.
CREATE TABLE immutable_tags (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    registry_id         INTEGER NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    repository_pattern  TEXT    NOT NULL,
    tag_pattern         TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    UNIQUE (registry_id, repository_pattern, tag_pattern)
);

-- Personal access tokens of users, and the tokens of robots. `patterns` are words with spaces between them.
CREATE TABLE access_tokens (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    principal_id      INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    name              TEXT    NOT NULL,
    secret_hash       TEXT    NOT NULL UNIQUE,
    actions           TEXT    NOT NULL,
    patterns          TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER,
    last_used_at      INTEGER,
    last_used_from    TEXT,
    last_used_client  TEXT,
    UNIQUE (principal_id, name)
);

-- What `docker login` keeps in place of a password. All tokens that followed from one login are a family.
CREATE TABLE refresh_tokens (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    family           TEXT    NOT NULL,
    principal_id     INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    access_token_id  INTEGER REFERENCES access_tokens (id) ON DELETE CASCADE,
    secret_hash      TEXT    NOT NULL UNIQUE,
    service          TEXT    NOT NULL,
    client           TEXT,
    address          TEXT,
    created_at       INTEGER NOT NULL,
    used_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    replaced_at      INTEGER
);
CREATE INDEX refresh_tokens_principal ON refresh_tokens (principal_id, family);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_access_token ON refresh_tokens (access_token_id) WHERE access_token_id IS NOT NULL;
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);

-- Logins that failed lately. `account` is as the client sent it, cut to a bounded length; '' counts a whole address.
CREATE TABLE login_failures (
    account   TEXT    NOT NULL,
    address   TEXT    NOT NULL,
    failures  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) WITHOUT ROWID;
CREATE INDEX login_failures_last ON login_failures (last_at);

-- Counts every change of who may do what, so that each process notices that what it remembers is old.
CREATE TABLE access_generation (
    number  INTEGER NOT NULL
);
INSERT INTO access_generation (number) VALUES (1);

-- `detail` is what was changed, or why that was refused.
CREATE TABLE audit (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL,
    principal_kind  TEXT    NOT NULL,
    principal       TEXT    NOT NULL,
    token           TEXT,
    action          TEXT    NOT NULL,
    project         TEXT,
    target          TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    detail          TEXT,
    address         TEXT,
    client          TEXT,
    request_id      TEXT
);
-- Read by time, whatever else is asked for. The id, which decides between equal times, is the end of every index.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_target ON audit (target, at);
CREATE INDEX audit_principal ON audit (principal, at);
CREATE INDEX audit_project ON audit (project, at);
CREATE INDEX audit_action ON audit (action, at);
CREATE INDEX audit_outcome ON audit (outcome, at);

-- An upload is only for whoever began it.
ALTER TABLE uploads ADD COLUMN principal TEXT NOT NULL DEFAULT '';

-- Licensed distribution: what a project publishes, and to whom. Documents name a resource by its `uuid`, lists are in
-- the order of its `id`. What ends in `_key` is compared in place of what people wrote. `metadata` is JSON as it was
-- sent. Keys and tokens are kept as hashes alone.

CREATE TABLE environments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        TEXT    NOT NULL UNIQUE,
    project_id  INTEGER NOT NULL REFERENCES projects (id),
    name        TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    code_key    TEXT    NOT NULL,
    isolation   TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (project_id, code_key)
);
CREATE INDEX environments_project ON environments (project_id, id);

-- `platforms` is JSON.
CREATE TABLE products (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    name            TEXT    NOT NULL,
    code            TEXT,
    code_key        TEXT,
    distribution    TEXT    NOT NULL,
    url             TEXT,
    platforms       TEXT,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (project_id, code_key)
);
CREATE INDEX products_project ON products (project_id, id);
CREATE INDEX products_environment ON products (environment_id) WHERE environment_id IS NOT NULL;

CREATE TABLE packages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    product_id      INTEGER NOT NULL REFERENCES products (id),
    name            TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    engine          TEXT,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (project_id, key)
);
CREATE INDEX packages_project ON packages (project_id, id);
CREATE INDEX packages_product ON packages (product_id, id);
CREATE INDEX packages_environment ON packages (environment_id) WHERE environment_id IS NOT NULL;

-- Whose releases a repository has: those of a package, or those of a product that are in no package.
CREATE TABLE licensed_repositories (
    repository  TEXT    NOT NULL PRIMARY KEY,
    project_id  INTEGER NOT NULL REFERENCES projects (id),
    product_id  INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    package_id  INTEGER REFERENCES packages (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX licensed_repositories_product ON licensed_repositories (product_id, COALESCE(package_id, 0));
CREATE INDEX licensed_repositories_package ON licensed_repositories (package_id) WHERE package_id IS NOT NULL;
CREATE INDEX licensed_repositories_project ON licensed_repositories (project_id);

-- `version_key` compares as versions do. `manifest_digest` is what is under the version's tag in the repository.
CREATE TABLE releases (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             TEXT    NOT NULL UNIQUE,
    project_id       INTEGER NOT NULL REFERENCES projects (id),
    environment_id   INTEGER REFERENCES environments (id),
    product_id       INTEGER NOT NULL REFERENCES products (id),
    package_id       INTEGER REFERENCES packages (id),
    version          TEXT    NOT NULL,
    version_key      TEXT    NOT NULL,
    channel          TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    tag              TEXT,
    name             TEXT,
    description      TEXT,
    backdated        INTEGER,
    yanked_at        INTEGER,
    repository_id    INTEGER REFERENCES repositories (id),
    manifest_digest  TEXT,
    metadata         TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    CHECK ((repository_id IS NULL) = (manifest_digest IS NULL))
);
CREATE UNIQUE INDEX releases_version ON releases (product_id, COALESCE(package_id, 0), version);
CREATE UNIQUE INDEX releases_tag ON releases (product_id, COALESCE(package_id, 0), tag) WHERE tag IS NOT NULL;
CREATE INDEX releases_newest ON releases (product_id, COALESCE(package_id, 0), channel, version_key);
CREATE INDEX releases_project ON releases (project_id, id);
CREATE INDEX releases_product ON releases (product_id, id);
CREATE INDEX releases_package ON releases (package_id, id) WHERE package_id IS NOT NULL;
CREATE INDEX releases_called ON releases (project_id, version, id);
CREATE INDEX releases_tagged ON releases (project_id, tag, id) WHERE tag IS NOT NULL;
CREATE INDEX releases_manifest ON releases (repository_id, manifest_digest) WHERE manifest_digest IS NOT NULL;
CREATE INDEX releases_environment ON releases (environment_id) WHERE environment_id IS NOT NULL;

-- What of a repository belongs to a release: its manifests, what they consist of, and what refers to them.
-- `created_at` is the date that counts for the first of its manifests that it came with.
CREATE TABLE release_contents (
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    digest         TEXT    NOT NULL,
    release_id     INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest, release_id)
) WITHOUT ROWID;
CREATE INDEX release_contents_release ON release_contents (release_id);

-- `product_id` and `version_key` are those of the release. The bytes are `digest` in the repository, `kind` says
-- whether a blob or a manifest; `upload` is where they arrive. `status_at` is since when the status is what it is.
CREATE TABLE artifacts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    product_id      INTEGER NOT NULL REFERENCES products (id),
    release_id      INTEGER NOT NULL REFERENCES releases (id),
    version_key     TEXT    NOT NULL,
    filename        TEXT    NOT NULL,
    filetype        TEXT,
    filesize        INTEGER,
    platform        TEXT,
    arch            TEXT,
    signature       TEXT,
    checksum        TEXT,
    status          TEXT    NOT NULL,
    status_at       INTEGER NOT NULL,
    upload          TEXT,
    repository_id   INTEGER REFERENCES repositories (id),
    kind            TEXT,
    digest          TEXT,
    size            INTEGER,
    media_type      TEXT,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (release_id, filename),
    CHECK ((repository_id IS NULL) = (digest IS NULL) AND (kind IS NULL) = (digest IS NULL)),
    CHECK (status <> 'UPLOADED' OR digest IS NOT NULL)
);
CREATE INDEX artifacts_project ON artifacts (project_id, id);
CREATE INDEX artifacts_product ON artifacts (product_id, id);
CREATE INDEX artifacts_release ON artifacts (release_id, id);
CREATE INDEX artifacts_called ON artifacts (project_id, filename, version_key, id);
CREATE INDEX artifacts_content ON artifacts (repository_id, digest) WHERE digest IS NOT NULL;
CREATE INDEX artifacts_unfinished ON artifacts (status, status_at, id) WHERE status <> 'UPLOADED';
CREATE INDEX artifacts_platform ON artifacts (project_id, platform, id) WHERE platform IS NOT NULL;
CREATE INDEX artifacts_arch ON artifacts (project_id, arch, id) WHERE arch IS NOT NULL;
CREATE INDEX artifacts_environment ON artifacts (environment_id) WHERE environment_id IS NOT NULL;

CREATE TABLE entitlements (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    name            TEXT    NOT NULL,
    code            TEXT    NOT NULL,
    code_key        TEXT    NOT NULL,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (project_id, code_key)
);
CREATE INDEX entitlements_project ON entitlements (project_id, id);
CREATE INDEX entitlements_environment ON entitlements (environment_id) WHERE environment_id IS NOT NULL;

-- What a license has to be entitled to, to have a release.
CREATE TABLE constraints (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    release_id      INTEGER NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    entitlement_id  INTEGER NOT NULL REFERENCES entitlements (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    UNIQUE (release_id, entitlement_id)
);
CREATE INDEX constraints_entitlement ON constraints (entitlement_id);

-- Durations are in milliseconds; without one, licenses never expire.
CREATE TABLE policies (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                     TEXT    NOT NULL UNIQUE,
    project_id               INTEGER NOT NULL REFERENCES projects (id),
    environment_id           INTEGER REFERENCES environments (id),
    product_id               INTEGER NOT NULL REFERENCES products (id),
    name                     TEXT    NOT NULL,
    duration                 INTEGER,
    expiration_strategy      TEXT    NOT NULL,
    expiration_basis         TEXT    NOT NULL,
    renewal_basis            TEXT    NOT NULL,
    transfer_strategy        TEXT    NOT NULL,
    authentication_strategy  TEXT    NOT NULL,
    metadata                 TEXT    NOT NULL,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
);
CREATE INDEX policies_project ON policies (project_id, id);
CREATE INDEX policies_product ON policies (product_id, id);
CREATE INDEX policies_environment ON policies (environment_id) WHERE environment_id IS NOT NULL;

CREATE TABLE policy_entitlements (
    policy_id       INTEGER NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    entitlement_id  INTEGER NOT NULL REFERENCES entitlements (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (policy_id, entitlement_id)
) WITHOUT ROWID;
CREATE INDEX policy_entitlements_entitlement ON policy_entitlements (entitlement_id);

-- The users of a project's products. They are no principals: all that they can have is what their licenses are for.
CREATE TABLE customers (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    email           TEXT    NOT NULL,
    first_name      TEXT,
    last_name       TEXT,
    role            TEXT    NOT NULL,
    banned          INTEGER NOT NULL DEFAULT 0,
    password_hash   TEXT,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (project_id, email)
);
CREATE INDEX customers_project ON customers (project_id, id);
CREATE INDEX customers_environment ON customers (environment_id) WHERE environment_id IS NOT NULL;

-- `product_id` is that of the policy. `key_hint` is how its holder knows the key again. `used_at`: the last download.
CREATE TABLE licenses (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            TEXT    NOT NULL UNIQUE,
    project_id      INTEGER NOT NULL REFERENCES projects (id),
    environment_id  INTEGER REFERENCES environments (id),
    product_id      INTEGER NOT NULL REFERENCES products (id),
    policy_id       INTEGER NOT NULL REFERENCES policies (id),
    owner_id        INTEGER REFERENCES customers (id) ON DELETE SET NULL,
    key_hash        TEXT    NOT NULL,
    key_hint        TEXT    NOT NULL,
    name            TEXT,
    expiry          INTEGER,
    suspended       INTEGER NOT NULL DEFAULT 0,
    used_at         INTEGER,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (key_hash, project_id)
);
CREATE INDEX licenses_project ON licenses (project_id, id);
CREATE INDEX licenses_product ON licenses (product_id, id);
CREATE INDEX licenses_policy ON licenses (policy_id, id);
CREATE INDEX licenses_owner ON licenses (owner_id, id) WHERE owner_id IS NOT NULL;
CREATE INDEX licenses_environment ON licenses (environment_id) WHERE environment_id IS NOT NULL;

CREATE TABLE license_entitlements (
    license_id      INTEGER NOT NULL REFERENCES licenses (id) ON DELETE CASCADE,
    entitlement_id  INTEGER NOT NULL REFERENCES entitlements (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (license_id, entitlement_id)
) WITHOUT ROWID;
CREATE INDEX license_entitlements_entitlement ON license_entitlements (entitlement_id);

-- Users of a license besides its owner.
CREATE TABLE license_customers (
    license_id   INTEGER NOT NULL REFERENCES licenses (id) ON DELETE CASCADE,
    customer_id  INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (license_id, customer_id)
) WITHOUT ROWID;
CREATE INDEX license_customers_customer ON license_customers (customer_id, license_id);

-- Tokens of whoever takes part in licensed distribution: one of the bearers. `permissions` is JSON; all, without it.
CREATE TABLE bearer_tokens (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                   TEXT    NOT NULL UNIQUE,
    project_id             INTEGER NOT NULL REFERENCES projects (id),
    environment_id         INTEGER REFERENCES environments (id),
    kind                   TEXT    NOT NULL,
    customer_id            INTEGER REFERENCES customers (id) ON DELETE CASCADE,
    product_id             INTEGER REFERENCES products (id) ON DELETE CASCADE,
    license_id             INTEGER REFERENCES licenses (id) ON DELETE CASCADE,
    bearer_environment_id  INTEGER REFERENCES environments (id) ON DELETE CASCADE,
    principal_id           INTEGER REFERENCES principals (id) ON DELETE CASCADE,
    name                   TEXT,
    secret_hash            TEXT    NOT NULL UNIQUE,
    permissions            TEXT,
    expires_at             INTEGER,
    used_at                INTEGER,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    CHECK (
        CASE WHEN customer_id IS NULL THEN 0 ELSE 1 END + CASE WHEN product_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN license_id IS NULL THEN 0 ELSE 1 END + CASE WHEN bearer_environment_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN principal_id IS NULL THEN 0 ELSE 1 END = 1
    )
);
CREATE INDEX bearer_tokens_project ON bearer_tokens (project_id, id);
CREATE INDEX bearer_tokens_customer ON bearer_tokens (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX bearer_tokens_product ON bearer_tokens (product_id, id) WHERE product_id IS NOT NULL;
CREATE INDEX bearer_tokens_license ON bearer_tokens (license_id, id) WHERE license_id IS NOT NULL;
CREATE INDEX bearer_tokens_bearer_environment ON bearer_tokens (bearer_environment_id, id)
    WHERE bearer_environment_id IS NOT NULL;
CREATE INDEX bearer_tokens_principal ON bearer_tokens (principal_id, id) WHERE principal_id IS NOT NULL;
CREATE INDEX bearer_tokens_environment ON bearer_tokens (environment_id) WHERE environment_id IS NOT NULL;

-- How often what was downloaded, on which day since the Unix epoch. `artifact_id` is 0 for all of a release,
-- `license_id` for whoever needed none. What was counted outlives what was downloaded.
CREATE TABLE downloads (
    release_id   INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    artifact_id  INTEGER NOT NULL,
    license_id   INTEGER NOT NULL,
    project_id   INTEGER NOT NULL REFERENCES projects (id),
    number       INTEGER NOT NULL,
    PRIMARY KEY (release_id, day, artifact_id, license_id)
) WITHOUT ROWID;
CREATE INDEX downloads_artifact ON downloads (artifact_id, day) WHERE artifact_id <> 0;
CREATE INDEX downloads_license ON downloads (license_id, day) WHERE license_id <> 0;
CREATE INDEX downloads_project ON downloads (project_id, day);

-- What happened, until it has been delivered. `payload` is JSON.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        TEXT    NOT NULL UNIQUE,
    project_id  INTEGER NOT NULL REFERENCES projects (id),
    at          INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    payload     TEXT    NOT NULL
);
CREATE INDEX events_project ON events (project_id, id);

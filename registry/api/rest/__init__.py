"""`/v1`: the management of accounts, projects, access rules and the audit log, as JSON:API."""

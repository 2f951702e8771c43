"""All requirements, by what they are about. A module of checks has a `Checklist` for each group and category."""

from __future__ import annotations

from conformance.checks import (
    auth,
    auth_challenges,
    auth_uses,
    base,
    chunk_order,
    clients,
    concurrency,
    concurrency_deletes,
    concurrency_lists,
    conditional,
    delete_blobs,
    deletes,
    errors,
    index_kinds,
    manifest_kinds,
    manifest_parts,
    mounts,
    names,
    proxying,
    pull_blobs,
    pull_manifests,
    push_blobs,
    push_chunks,
    push_digests,
    push_manifests,
    push_tags,
    ranges,
    referrer_entries,
    referrer_filters,
    referrers,
    security_answers,
    security_framing,
    security_headers,
    security_isolation,
    security_manifests,
    security_names,
    security_strangers,
    security_tokens,
    subjects,
    tags,
    uploads,
)
from conformance.requirement import Checklist, Requirement

MODULES = (
    base,
    pull_manifests,
    pull_blobs,
    ranges,
    push_blobs,
    push_digests,
    push_chunks,
    chunk_order,
    uploads,
    mounts,
    push_manifests,
    manifest_parts,
    names,
    push_tags,
    manifest_kinds,
    index_kinds,
    subjects,
    tags,
    referrers,
    referrer_entries,
    referrer_filters,
    deletes,
    delete_blobs,
    errors,
    proxying,
    conditional,
    clients,
    security_framing,
    security_isolation,
    security_strangers,
    security_names,
    security_manifests,
    security_answers,
    security_tokens,
    concurrency,
    concurrency_deletes,
    security_headers,
    concurrency_lists,
    auth_challenges,
    auth,
    auth_uses,
)


def requirements() -> list[Requirement]:
    """All of them, in the order of the modules. Raises `ValueError` if two have the same id."""
    found = [
        requirement
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, Checklist)
        for requirement in value.requirements
    ]
    ids = [requirement.id for requirement in found]
    twice = {identifier for identifier in ids if ids.count(identifier) > 1}
    if twice:
        raise ValueError(f"ids that are not unique: {', '.join(sorted(twice))}")
    return found

"""What registries do wrong that only some clients notice."""

from __future__ import annotations

import re

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Proxy
from tests.conformance.mutants.rules import (
    Asked,
    Mutant,
    answers,
    asks,
    on,
    refuses,
    sends,
    status,
    takes_for,
    with_header,
    with_query,
)


def _tagged(pattern: str) -> Asked:
    return asks("manifest", "PUT", lambda request: re.fullmatch(pattern, request.reference) is not None)


def _sorted_ranges(request: Request) -> Request:
    """Ranges are brought into their order first."""
    unit, _, ranges = (request.header("Range") or "").partition("=")
    ordered = sorted(ranges.split(","), key=lambda one: int(one.partition("-")[0] or 0), reverse=True)
    return request.to(request.target, Range=f"{unit}={','.join(ordered)}")


async def _blobs_as_manifests(request: Request, proxy: Proxy) -> Reply:
    """Whatever has a digest is found among the manifests."""
    reply = await proxy.ask(request)
    if request.route == "manifest" and request.method == "HEAD" and request.is_by_digest and reply.status == 404:
        return await proxy.ask(request.to(f"/v2/{request.name}/blobs/{request.reference}"))
    return reply


def _unescaped(request: Request) -> bool:
    return "mount=sha256%3A" in request.target


REPLAYING = (
    Mutant(
        "tags-have-no-underscore",
        {"clients.helm.push": "answered 400"},
        refuses(_tagged(r"[^_]+_[^_]*"), 400, "MANIFEST_INVALID"),
        spared=["clients.crane.push"],
    ),
    Mutant(
        "tags-have-no-suffix",
        {"clients.cosign.sign": "answered 400", "clients.podman.sigstore": "answered 400"},
        refuses(_tagged(r".*\.sig"), 400, "MANIFEST_INVALID"),
        spared=["clients.crane.push"],
    ),
    Mutant(
        "long-hexadecimal-tag-is-a-digest",
        {"clients.kaniko.cache": "answered 400"},
        refuses(_tagged(r"[0-9a-f]{64}"), 400, "DIGEST_INVALID"),
        spared=["clients.crane.push"],
    ),
    Mutant(
        "attestation-is-no-image",
        {"clients.buildkit.push-attested": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b"in-toto")), 400, "MANIFEST_INVALID"),
        spared=["clients.buildkit.cache-as-image"],
    ),
    Mutant(
        "ranges-come-in-another-order",
        {"clients.podman.pull-parts": "3 in their order", "pull.range.several": "expected the bytes"},
        takes_for(asks("blob", "GET", with_header("Range", ",")), _sorted_ranges),
        spared=["pull.range.first"],
    ),
    Mutant(
        "mount-is-not-unescaped",
        {"clients.docker.push-mounted": "answered 400", "clients.skopeo.copy-mounted": "answered 400"},
        refuses(asks("uploads", "POST", _unescaped), 400, "DIGEST_INVALID"),
        spared=["clients.containerd.push-mounted"],
    ),
    Mutant(
        "post-has-no-type",
        {"clients.crane.push": "answered 415", "clients.cosign.sign": "answered 415"},
        refuses(asks("uploads", "POST", with_header("Content-Type", "json")), 415, "UNSUPPORTED"),
        spared=["clients.podman.push"],
    ),
    Mutant(
        "blobs-are-manifests-too",
        {
            "clients.containerd.digest-of-a-blob": "answered 200",
            "pull.manifest.of-a-blob": "answered 200, expected 404",
        },
        lambda: _blobs_as_manifests,
        spared=["clients.containerd.pull"],
    ),
    Mutant(
        "zeros-are-no-digest",
        {"clients.oras.referrers-ping": "answered 400"},
        answers(on("referrers", "GET", asked=lambda request: "0000" in request.reference), status(400)),
        spared=["clients.oras.attach"],
    ),
    Mutant(
        "catalog-is-a-crash",
        {"security.lists.huge-pages": "answered 500"},
        answers(on("catalog", "GET", asked=with_query("n")), status(500)),
        spared=["clients.crane.ls"],
    ),
    Mutant(
        "cancelling-is-a-crash",
        {"clients.ko.push-check": "answered 500", "clients.podman.cancel": "answered 500"},
        answers(on("upload", "DELETE"), status(500)),
        spared=["clients.podman.push"],
    ),
)

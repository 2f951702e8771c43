"""What registries do wrong with conditions of pulls, and with those that come by way of a proxy."""

from __future__ import annotations

from tests.conformance.mutants.messages import Reply
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    becomes,
    error,
    header,
    instead,
    on,
    takes_for,
    with_header,
    with_query,
    without,
)

CONDITIONING = (
    Mutant(
        "ns-is-refused",
        {"proxy.ns.accepted": "answered 400", "clients.containerd.mirror": "answered 400"},
        instead(asks("manifest blob", asked=with_query("ns")), lambda _: error(400, "UNSUPPORTED")),
        spared=["proxy.ns.not-invented"],
    ),
    Mutant(
        "ns-is-answered-by-all",
        {"proxy.ns.not-invented": "but no ns was sent", "proxy.ns.echoed": "expected registry.example"},
        answers(on("manifest blob"), header("OCI-Namespace", "docker.io")),
        spared=["proxy.ns.own"],
    ),
    Mutant(
        "ns-finds-everything",
        {"proxy.ns.unknown": "answered 200, expected 404"},
        answers(on("manifest blob", "GET", 404, with_query("ns")), becomes(200, b"{}")),
    ),
    Mutant(
        "etag-is-always-the-same",
        {"pull.etag.moves": "before and after"},
        answers(on("manifest", status=200), header("ETag", '"manifest"')),
    ),
    Mutant(
        "etag-is-not-quoted",
        {"pull.etag.form": "is not quoted"},
        answers(
            on("manifest blob", status=200), header("ETag", lambda _, reply: (reply.header("ETag") or "").strip('"'))
        ),
    ),
    Mutant(
        "there-is-no-etag",
        {
            "pull.etag.manifest": "without the header ETag",
            "pull.etag.blob": "ETag",
            "clients.updaters.unchanged": "ETag",
        },
        answers(on("manifest blob"), without("ETag")),
    ),
    Mutant(
        "nothing-ever-changes",
        {"pull.if-none-match.other": "answered 304, expected 200", "pull.if-none-match.moved": "answered 304"},
        instead(asks("manifest blob", "GET", with_header("If-None-Match")), lambda _: Reply(304)),
        spared=["pull.if-none-match.manifest"],
    ),
    Mutant(
        "everything-has-changed",
        {"pull.if-none-match.manifest": "answered 200, expected 304", "pull.if-none-match.blob": "answered 200"},
        takes_for(
            asks("manifest blob", asked=with_header("If-None-Match")),
            lambda request: request.to(request.target, If_None_Match=None),
        ),
        spared=["pull.if-none-match.other"],
    ),
    Mutant(
        "only-one-etag-is-read",
        {"pull.if-none-match.list": "answered 200, expected 304"},
        takes_for(
            asks("manifest", asked=with_header("If-None-Match", ",")),
            lambda request: request.to(request.target, If_None_Match=None),
        ),
        spared=["pull.if-none-match.manifest"],
    ),
    Mutant(
        "not-modified-with-body",
        {"pull.if-none-match.no-body": "304 and a body"},
        raw=lambda _, content: content + b'{"a": "body"}' if b" 304 " in content[:20] else content,
    ),
)

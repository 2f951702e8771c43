"""The doctor names each fault of a deployment, and the setting to change; of what is right it says nothing."""

from __future__ import annotations

import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.doctor.advice import Advice, all_advice
from conformance.doctor.cli import main as doctor
from conformance.doctor.examining import examine
from conformance.doctor.finding import Diagnosis
from conformance.doctor.proxies import is_traefik, proxies_in
from conformance.doctor.visit import Orders
from conformance.login import Credentials
from conformance.wire import Answer, Target
from registry.cli import main
from registry.config.table import SECTIONS, SETTINGS
from tests.clients.programs import require, service
from tests.conformance.misled import Wrong, connects, nginx
from tests.conformance.standin import Manners, standing_in
from tests.daemon import Daemon, free_port

ROOT = Path(__file__).parents[2]
LARGEST = 3 << 20
IS_REGISTRY = {"Docker-Distribution-Api-Version": "registry/2.0"}
NOWHERE = "http://127.0.0.1:1/token"
DOCKER_REGISTRY = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
auth:
  htpasswd: {{realm: registry, path: {folder}/passwords}}
"""

RIGHT = {
    "plain": Wrong([], wait_s=1.0),
    "tls": Wrong([], tls="valid", wait_s=1.0),
}
FAULTS = {
    "no X-Forwarded-Proto": Wrong(
        ["forwarded.scheme"],
        "proxy_set_header X-Forwarded-Proto $scheme;",
        changes={"            proxy_set_header X-Forwarded-Proto $scheme;\n": ""},
        tls="valid",
    ),
    "client_max_body_size": Wrong(
        ["size.body"], "client_max_body_size 0;", changes={"client_max_body_size 0;": "client_max_body_size 2m;"}
    ),
    "buffering": Wrong(["push.buffered"], "proxy_request_buffering off;", changes={"proxy_request_buffering off;": ""}),
    "a limit of the buffer": Wrong(
        ["size.cut", "push.failed"],
        "client_body_temp_path",
        adds="client_body_temp_path gone;",
        changes={"proxy_request_buffering off;": ""},
    ),
    "stripped slash": Wrong(["path.slash"], "rewrite ^/(.*)/$ /$1 permanent;", adds="rewrite ^/(.*)/$ /$1 permanent;"),
    "path prefix": Wrong(
        ["path.prefix"],
        "location /v2/ { proxy_pass",
        path="/registry",
        changes={"location / {": "location /registry/ {", "http://berth;": "http://berth/;"},
    ),
    "prefix of names": Wrong(
        ["path.name", "push.failed"], "proxy_redirect", adds="rewrite ^/v2/(.+)$ /v2/team/$1 break;"
    ),
    "gzip": Wrong(["compression"], "gzip off;", adds="gzip on; gzip_types *; gzip_proxied any;"),
    "no HEAD": Wrong(["head.refused"], "$request_method = HEAD", adds="if ($request_method = HEAD) { return 405; }"),
    "lost Range": Wrong(["range.ignored"], 'proxy_set_header Range ""', adds='proxy_set_header Range "";'),
    "idle time-out": Wrong(["time.silent"], "client_body_timeout 300s;", adds="client_body_timeout 1s;", wait_s=4.0),
    # Beyond the nine.
    "lost port": Wrong(
        ["forwarded.host"], "proxy_set_header Host $http_host;", changes={"Host $http_host": "Host $host"}
    ),
    "lost headers of answers": Wrong(
        ["headers.digest", "headers.subject", "headers.link", "headers.range", "headers.version"],
        "proxy_hide_header Docker-Content-Digest",
        adds="".join(
            f"proxy_hide_header {name};"
            for name in ("Docker-Content-Digest", "OCI-Subject", "Link", "Range", "Docker-Distribution-Api-Version")
        ),
    ),
    "lost challenge": Wrong(
        ["login.challenge"], "proxy_hide_header WWW-Authenticate", adds="proxy_hide_header WWW-Authenticate;"
    ),
    "lost credentials": Wrong(
        ["login.lost"], "proxy_set_header Authorization", adds='proxy_set_header Authorization "";'
    ),
    "no chunks": Wrong(
        ["push.chunked"], "proxy_http_version 1.1;", adds="if ($http_transfer_encoding) { return 411; }"
    ),
    "a cache": Wrong(
        ["cache"],
        "proxy_cache off;",
        changes={"proxy_buffering off;": ""},
        adds="proxy_cache cache; proxy_cache_valid 200 404 1m; proxy_ignore_headers Cache-Control Vary Expires;"
        "proxy_cache_key $request_method$request_uri;",
    ),
    "pages of its own": Wrong(
        ["errors"], "proxy_intercept_errors off;", adds="proxy_intercept_errors on; error_page 404 /404.html;"
    ),
    "a charset": Wrong(["headers.type"], "charset", adds="charset utf-8; charset_types *;"),
    "no keep-alive": Wrong(["keep-alive"], "keepalive_timeout 75s;", adds="keepalive_timeout 0;"),
    "small headers": Wrong(
        ["size.headers"],
        "large_client_header_buffers",
        changes={"client_max_body_size 0;": "client_max_body_size 0; large_client_header_buffers 4 3k;"},
    ),
    "a limit of requests": Wrong(["rate"], "limit_req", adds="limit_req zone=slow burst=20 nodelay;"),
    "no PATCH": Wrong(["push.methods"], "limit_except", adds='if ($request_method = "PATCH") { return 403; }'),
    "no docker": Wrong(["agents"], "$http_user_agent", adds="if ($http_user_agent ~ ^docker) { return 403; }"),
    "other bytes": Wrong(
        ["bytes", "length", "head.length"],
        "sub_filter",
        adds="sub_filter_types *; sub_filter schemaVersion SchemaVersion;",
    ),
    "no backend": Wrong(["v2.unreached"], "proxy_pass", changes={"http://berth;": "http://127.0.0.1:1;"}),
    "another place": Wrong(["v2.missing"], "proxy_pass", adds="return 404;"),
    "ending": Wrong(["tls.expires"], "nginx -s reload", tls="ending"),
    "expired": Wrong(["tls.expired"], "nginx -s reload", tls="expired"),
    "another name": Wrong(["tls.name"], "server_name", tls="misnamed"),
}


PROXIES = RIGHT | FAULTS
WARNINGS = {"buffering", "no keep-alive", "a limit of requests", "ending"}


def visit(url: str, who: Credentials | None = None, *, wait_s: float = 0.0, ca: Path | None = None) -> Diagnosis:
    """What the doctor says, after a short visit."""
    orders = Orders(f"{secrets.token_hex(4)}/one", who or Credentials(), largest=LARGEST, wait_s=wait_s)
    return examine(Target(url, timeout_s=10.0, ca=None if ca is None else str(ca)), orders)


def told(diagnosis: Diagnosis) -> dict[str, str]:
    """All that was found, by ids."""
    return {finding.id: f"{finding.level}: {finding.seen}" for finding in diagnosis.findings}


def test_each_fault_of_a_proxy_is_named(tmp_path: Path) -> None:
    """What is wrong is found, and nothing else; nginx is recognised, and the advice names its setting."""
    environment = {
        "BERTH_ADMIN_PASSWORD": "the password of admin",
        "BERTH_SERVER__LOCATIONS": "absolute",
        "BERTH_SERVER__TRUSTED_PROXIES": "127.0.0.1",
    }
    with Daemon(tmp_path / "data", "--workers", "1", environment=environment, auth="builtin") as berth:
        words = ("token", "create", "admin", "doctor", "--actions", "pull,push,delete", "--quiet")
        who = Credentials("admin", berth.command(*words).strip())

        def found(name: str, url: str) -> Diagnosis:
            wrong = PROXIES[name]
            ca = tmp_path / f"{wrong.tls}.pem" if wrong.tls else None
            return visit(url, who, wait_s=wrong.wait_s, ca=ca)

        with nginx(tmp_path, berth.address, PROXIES) as urls, ThreadPoolExecutor(6) as threads:
            visits = {name: threads.submit(found, name, url) for name, url in urls.items()}
            diagnoses = {name: future.result() for name, future in visits.items()}
            assert set(told(visit(urls["tls"]))) == {"tls.self-signed"}
            assert set(told(visit(urls["tls"].replace("https", "http")))) == {"reach.tls-expected"}
            with standing_in(Manners(301, {"Location": f"{urls['tls']}/v2/"})) as url:
                redirected = visit(url, who, ca=tmp_path / "valid.pem")
        # It would wait for bodies that were announced, and never came.
        berth.kill()
    assert (set(told(redirected)), redirected.url) == ({"reach.redirected"}, urls["tls"])
    seen = {name: (set(told(one)), told(one), one.blind) for name, one in diagnoses.items()}
    assert {name: one for name, one in seen.items() if one[0] != set(PROXIES[name].finds)} == {}
    for name, diagnosis in diagnoses.items():
        wrong = PROXIES[name]
        assert "nginx" in diagnosis.proxies, name
        if wrong.finds:
            assert wrong.setting in " ".join(all_advice()[wrong.finds[0]].changes(diagnosis.proxies)), name
    assert {name for name, one in diagnoses.items() if one.is_healthy} == {*RIGHT, *WARNINGS}
    assert [diagnoses[name].blind for name in RIGHT] == [[], []]
    assert dict(diagnoses["expired"].blind)["login.credentials"].startswith("no password is sent")


@pytest.mark.parametrize(
    ("text", "manners", "wait_s", "finds"),
    [
        ("clock", Manners(headers=IS_REGISTRY, clock_s=-600), 0, {"clock"}),
        ("clock", Manners(headers=IS_REGISTRY, clock_s=60), 0, {"clock"}),
        ("clock", Manners(401, {**IS_REGISTRY, "WWW-Authenticate": f'Bearer realm="{NOWHERE}"'}), 0, {"login.realm"}),
        ("clock", Manners(401, {**IS_REGISTRY, "X-Amzn-Remapped-Www-Authenticate": "Basic"}), 0, {"login.challenge"}),
        ("clock", Manners(302, {"Location": "/sign-in"}), 0, {"v2.sign-in"}),
        ("clock", Manners(302, {"Location": "/v2"}), 0, {"path.slash"}),
        ("clock", Manners(), 0, {"headers.version"}),
        ("time", Manners(headers=IS_REGISTRY, listens_s=0.8), 2.0, {"time.slow", "time.silent"}),
        ("download", Manners(headers=IS_REGISTRY, late_s=1.1), 0, {"download.late"}),
        ("headers", Manners(headers=IS_REGISTRY), 0, set()),
    ],
)
def test_what_nginx_does_not_do_is_named(text: str, manners: Manners, wait_s: float, finds: set[str]) -> None:
    """Clocks, realms, renamed headers, pages to sign in, and limits on the whole of an upload are found."""
    # It takes nothing but uploads, and has one image.
    reads = not wait_s
    orders = Orders("some/name", tag="latest" if reads else None, read_only=reads, wait_s=wait_s)
    with standing_in(manners) as url:
        diagnosis = examine(Target(url, timeout_s=5.0), orders, text)
    assert set(told(diagnosis)) == finds, told(diagnosis)


def test_registry_that_cannot_be_reached() -> None:
    """Names without an address, closed ports, and the wrong protocol are findings, and no tracebacks."""
    assert set(told(visit("https://doctor.invalid"))) == {"reach.name"}
    assert set(told(visit(f"http://127.0.0.1:{free_port()}"))) == {"reach.refused"}
    with standing_in(Manners()) as url:
        assert set(told(visit(url.replace("http", "https")))) == {"reach.no-tls"}


def test_docker_registry_is_healthy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of Debian's docker-registry, which has no proxy and its faults of its own, nothing is said; it is left empty."""
    require("docker-registry")
    monkeypatch.setenv("CONFORMANCE_PASSWORD", "the password of ci")
    port, config = free_port(), tmp_path / "config.yml"
    config.write_text(DOCKER_REGISTRY.format(folder=tmp_path, port=port))
    (tmp_path / "passwords").write_text("ci:$2b$04$q6GImOFAznkJRjSyiz4lMuBi4RrnfgifGvpUMMFqrczQgDNedbo8K\n")

    def ready() -> None:
        assert connects(port)

    with service("docker-registry", "serve", config, folder=tmp_path, ready=ready):
        url = f"http://127.0.0.1:{port}"
        code = main(["doctor", url, "--user", "ci", "--largest", "3MiB", "--wait", "2", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (code, report["findings"], report["healthy"], report["left"]) == (0, [], True, "")
    assert {one["id"] for one in report["notExamined"]} == {"subject", "pages"}
    assert len(report["examined"]) > 25


def test_report_says_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault ends the command with 1; the report has the exchange, who suffers, why, and what to change."""
    with standing_in(Manners(404, {"CF-RAY": "1"})) as url:
        assert main(["doctor", f"{url}/registry/", "--read-only"]) == 1
        text = capsys.readouterr().out
        assert doctor([f"{url}/registry", "--read-only", "--json"]) == 1
        report = json.loads(capsys.readouterr().out)
    assert text.startswith(
        f"{url}/registry behind Cloudflare\n\nFAULT  v2.missing\n  seen    GET /registry/v2/ answered"
    )
    for word in ("  who     ", "  why     ", "  change  ", f"→ GET {url}/registry/v2/", "← 404", "Not examined:"):
        assert word in text
    assert report["findings"][0]["change"][0] in text.replace("\n          ", " ")


@pytest.mark.parametrize(
    "words",
    [
        ["ftp://host"],
        ["http://host:none"],
        ["http://me:secret@host"],
        ["http://host", "--tag", "latest"],
        ["http://host", "--user", "me"],
        ["http://host", "--filter", "nothing has this"],
        ["http://host", "--ca", "/not/there"],
    ],
)
def test_arguments_that_make_no_sense(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told in one line, and end the command with 2."""
    monkeypatch.delenv("CONFORMANCE_PASSWORD", raising=False)
    assert main(["doctor", *words]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n"), error.startswith("berth: ")) == ("", 1, True)


@pytest.mark.parametrize(
    ("proxy", "headers", "body", "says"),
    [
        ("nginx", [("Server", "openresty/1.25")], b"", "client_max_body_size 0;"),
        ("nginx", [], b"<hr><center>nginx</center>", "client_max_body_size 0;"),
        ("haproxy", [], b"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond", "req.body_size"),
        ("cloudflare", [("CF-RAY", "8f")], b"", "DNS only"),
        ("aws", [("Server", "awselb/2.0")], b"", "AWS WAF"),
        ("cloudfront", [("Via", "1.1 a.cloudfront.net (CloudFront)")], b"", "cannot be lifted"),
        ("google", [("Via", "1.1 google")], b"", "Cloud Run"),
        ("azure", [("Server", "Microsoft-Azure-Application-Gateway/v2")], b"", "fileUploadLimitInMb"),
        ("envoy", [("Server", "istio-envoy")], b"", "max_request_bytes"),
        ("caddy", [("Via", "1.1 Caddy")], b"", "request_body max_size"),
        ("apache", [("Server", "Apache/2.4.62 (Debian)")], b"", "LimitRequestBody 0"),
        ("varnish", [("Via", "1.1 varnish (Varnish/7.1)")], b"", "Lift the limit"),
    ],
)
def test_proxies_are_recognised(proxy: str, headers: list[tuple[str, str]], body: bytes, says: str) -> None:
    """By headers and by pages of errors; the advice on large bodies is in the words of that proxy."""
    answer = Answer("GET", "http://host/", [], "", 413, headers, body)
    assert proxies_in([answer]) == {proxy}
    assert says in " ".join(all_advice()["size.body"].changes([proxy]))


def test_traefik_is_recognised() -> None:
    """It answers 404 as Go does, but for hosts that it does not know alone."""
    stranger = Answer("GET", "http://host/v2/", [], "", 404, [], b"404 page not found\n")
    known = Answer("GET", "http://host/v2/", [], "", 401, [], b"")
    assert is_traefik(stranger, known)
    assert not is_traefik(stranger, stranger)
    assert "readTimeout: 0" in " ".join(all_advice()["time.slow"].changes(["traefik"]))


def test_everything_that_can_be_found_has_advice() -> None:
    """Each finding in the code has a section in advice.toml, and each section is of one."""
    sources = "".join(path.read_text() for path in (ROOT / "conformance" / "doctor").glob("*.py"))
    named = set(re.findall(r'"([a-z0-9]+(?:[.-][a-z0-9]+)*)"', sources))
    found = set(re.findall(r'(?:found|Finding)\(\s*"([^"]+)"', sources))
    assert found <= set(all_advice()) <= named
    examples = [advice.changes([]) for advice in all_advice().values()]
    assert all(1 <= len(lines) <= 3 for lines in examples)


def test_advice_names_settings_of_berth() -> None:
    """What is said of Berth's settings is about ones that exist."""
    named = set(re.findall(rf"\b((?:{'|'.join(SECTIONS)})\.[a-z_]+)\b", " ".join(map(berths, all_advice().values()))))
    assert len(named) > 5
    assert named <= set(SETTINGS)


def berths(advice: Advice) -> str:
    """What is said of Berth, without the settings of others."""
    return " ".join(part for part in advice.registry.split("; ") if not part.startswith("Distribution"))

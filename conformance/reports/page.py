"""The report as one HTML page that needs nothing else: what came of it first, then what is wrong, then all the rest."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from conformance.reports.style import STYLE
from conformance.reports.summary import Run
from conformance.runner import Outcome, Result
from conformance.wire import Answer

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    '<meta name="viewport" content="width=device-width">'
)
_TITLES = {
    Outcome.FAILED: ("What is wrong", "A MUST that does not hold."),
    Outcome.WARNED: ("What could be better", "A SHOULD that does not hold: there may be reasons for it."),
    Outcome.UNSUPPORTED: ("What is not offered", "The registry need not do this, and says that it does not."),
    Outcome.SKIPPED: ("What could not be judged", "What the check builds on does not work, or was not given."),
    Outcome.PASSED: ("What holds", "Every check that passed, with what was sent and received."),
}
_MESSAGE_MAX = 2000
# Of what holds, less of each body is needed.
_BODY_MAX = {Outcome.PASSED: 300}


def as_page(run: Run) -> str:
    """The whole run with every exchange, as HTML."""
    title = f"{run.url}: OCI distribution {run.scope.version}"
    parts = [_HEAD, f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>", _summary(run)]
    parts += [_section(run, outcome) for outcome in _TITLES if run.count(outcome)]
    return "".join([*parts, "</body></html>\n"])


def _summary(run: Run) -> str:
    kind = "good" if run.conforms else "bad"
    facts = {
        "Specification": f"OCI distribution {run.scope.version}",
        "Checks": f"{len(run.results)} in {run.seconds:.1f} s" + ("" if run.complete else ", a part of all"),
        "Begun": run.started,
        "Repositories": f"{run.scope.repository}, {run.scope.other}",
        "User": run.scope.credentials.user or "none",
        "Not removed": run.left,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts.items() if value)
    verdict = f"{run.verdict[0].upper()}{run.verdict[1:]}."
    return (
        f'<header><h1>{_text(run.url)}</h1><p class="verdict {kind}">{_text(verdict)}</p>'
        f"<dl>{rows}</dl>{_table(run)}</header>"
    )


def _table(run: Run) -> str:
    shown = [outcome for outcome in _TITLES if run.count(outcome)]
    titles = "".join(f'<th><a class="outcome {one}" href="#{one}">{one}</a></th>' for one in shown)
    rows = "".join(
        f"<tr><th>{group}</th>" + "".join(f"<td>{counts[one] or '–'}</td>" for one in shown) + "</tr>"
        for group, counts in run.by_group().items()
    )
    return f"<table><thead><tr><td></td>{titles}</tr></thead><tbody>{rows}</tbody></table>"


def _section(run: Run, outcome: Outcome) -> str:
    title, about = _TITLES[outcome]
    groups: dict[str, list[Result]] = {}
    for result in run.with_outcome(outcome):
        groups.setdefault(f"{result.requirement.group}: {result.requirement.category}", []).append(result)
    count = run.count(outcome)
    lists = "".join(_group(name, results) for name, results in groups.items())
    return f'<section id="{outcome}"><h2>{title} <small>{count}</small></h2><p>{about}</p>{lists}</section>'


def _group(name: str, results: Sequence[Result]) -> str:
    return f"<h3>{_text(name)} <small>{len(results)}</small></h3>" + "".join(map(_result, results))


def _result(result: Result) -> str:
    requirement, outcome = result.requirement, result.outcome
    is_open = " open" if outcome is Outcome.FAILED else ""
    message = f'<p class="message">{_text(result.message[:_MESSAGE_MAX])}</p>' if result.message else ""
    exchanges = [_exchange(answer, _BODY_MAX.get(outcome)) for answer in result.exchanges]
    if is_open and len(exchanges) > 1:
        # The last one tells most of a failure.
        *before, last = exchanges
        many = f"{len(before)} requests before" if len(before) > 1 else "1 request before"
        exchanges = [f"<details><summary>{many}</summary>{''.join(before)}</details>", last]
    about = f"{requirement.section} · since {requirement.since} · {result.seconds * 1000:.0f} ms"
    return (
        f'<details{is_open}><summary><span class="outcome {outcome}">{outcome}</span> <b>{requirement.level}</b>'
        f" {_text(requirement.text)} <code>{_text(requirement.id)}</code>"
        f"{'' if is_open else message}</summary>{message if is_open else ''}"
        f"<p><small>{_text(about)}</small></p>{''.join(exchanges)}</details>"
    )


def _exchange(answer: Answer, body_max: int | None) -> str:
    shown = answer.shown()
    came = answer.status or "no answer"
    sent = _message(shown["requestHeaders"], shown["requestBody"], body_max)
    received = _message(shown["headers"], shown["body"], body_max)
    passed = "".join(f"<div>← redirected from {_text(one)}</div>" for one in _listed(shown["redirectedFrom"]))
    return (
        f'<div class="exchange"><div><b>{_text(shown["request"])}</b></div>{sent}{passed}'
        f"<div><b>← {came}</b> <small>{answer.seconds * 1000:.1f} ms</small></div>{received}</div>"
    )


def _message(headers: object, body: object, body_max: int | None) -> str:
    lines = [f"{name}: {value}" for name, value in _listed(headers)]
    text = str(body)
    if body_max is not None and len(text) > body_max:
        text = f"{text[:body_max]}…"
    if text:
        lines += ["", text]
    return f"<pre>{_text(chr(10).join(lines))}</pre>" if lines else ""


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _text(value: object) -> str:
    """A text of whoever wrote it, as HTML that only shows it: its control characters, and those that turn text, too."""
    shown = "".join(one if one.isprintable() or one in "\n\t" else _SIGN for one in str(value))
    return escape(shown)


_SIGN = "\N{REPLACEMENT CHARACTER}"

"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from html import escape

from conformance.reports.summary import Run
from conformance.runner import Outcome, Result
from conformance.wire import Answer

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .3rem 0; padding: .3rem .7rem; }
summary { cursor: pointer; } summary small { opacity: .7; }
pre { background: var(--soft); border-radius: .3rem; overflow-x: auto; padding: .5rem; white-space: pre-wrap; }
.outcome { border-radius: .3rem; color: #fff; font-size: .8rem; padding: .1rem .4rem; }
.passed { background: #2b8a3e; } .failed { background: #c92a2a; } .warned { background: #a65f00; }
.unsupported { background: #1971c2; } .skipped { background: #5c636a; }
"""


def as_page(run: Run) -> str:
    """The whole run with every exchange, as HTML."""
    verdict = "conforms" if run.conforms else "does not conform"
    counts = " ".join(
        f'<span class="outcome {outcome}">{run.count(outcome)} {outcome}</span>'
        for outcome in Outcome
        if run.count(outcome)
    )
    groups: dict[str, list[Result]] = {}
    for result in run.results:
        groups.setdefault(f"{result.requirement.group}: {result.requirement.category}", []).append(result)
    sections = "".join(
        f"<h2>{escape(title)}</h2>" + "".join(map(_result, results)) for title, results in groups.items()
    )
    title = f"{run.url} {verdict} to the OCI distribution specification {run.scope.version}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{counts}</p><p>{len(run.results)} checks in {run.seconds:.1f} s, {escape(run.started)}</p>{sections}"
        "</body></html>\n"
    )


def _result(result: Result) -> str:
    requirement = result.requirement
    is_open = " open" if result.outcome is Outcome.FAILED else ""
    message = f"<p><strong>{escape(result.message)}</strong></p>" if result.message else ""
    return (
        f'<details{is_open}><summary><span class="outcome {result.outcome}">{result.outcome}</span>'
        f" {requirement.level} <code>{escape(requirement.id)}</code> {escape(requirement.text)}"
        f" <small>{escape(requirement.section)}</small></summary>{message}"
        + "".join(map(_exchange, result.exchanges))
        + "</details>"
    )


def _exchange(answer: Answer) -> str:
    shown = json.dumps(answer.shown(), indent=1)
    return f"<pre>{escape(shown)}</pre>"

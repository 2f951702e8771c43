"""Reports as files: JUnit XML for CI servers, JSON for programs, a badge for a README."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

from conformance.reports.summary import Run, as_dict
from conformance.requirement import Level
from conformance.runner import Outcome, Result

# What XML 1.0 cannot hold.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GREEN, _RED = "#2f9e44", "#c92a2a"


def as_json(run: Run) -> str:
    """The whole run with every exchange, as JSON."""
    return json.dumps(as_dict(run), indent=2) + "\n"


def as_junit(run: Run) -> str:
    """The run as JUnit XML. Warnings and what is not supported are skipped tests with a reason."""
    suite = ET.Element(
        "testsuite",
        name=f"OCI distribution {run.scope.version}",
        tests=str(len(run.results)),
        failures=str(run.count(Outcome.FAILED)),
        skipped=str(len(run.results) - run.count(Outcome.FAILED) - run.count(Outcome.PASSED)),
        time=f"{run.seconds:.3f}",
        timestamp=run.started,
        hostname=_storable(run.url),
    )
    for result in run.results:
        _add_case(suite, result)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _add_case(suite: ET.Element, result: Result) -> None:
    requirement = result.requirement
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{requirement.group}.{requirement.category}",
        name=f"{requirement.level} {requirement.id}",
        time=f"{result.seconds:.3f}",
    )
    if result.outcome is Outcome.PASSED:
        return
    about = f"{requirement.text} ({requirement.section})"
    if result.outcome is Outcome.FAILED:
        failure = ET.SubElement(case, "failure", message=_storable(result.message))
        failure.text = _storable(f"{about}\n{_exchanges(result)}")
    else:
        ET.SubElement(case, "skipped", message=_storable(f"{result.outcome}: {result.message}"))


def _exchanges(result: Result) -> str:
    return json.dumps([answer.shown() for answer in result.exchanges], indent=1)


def _storable(text: str) -> str:
    return _NOT_XML.sub("?", text)


def as_badge(run: Run) -> str:
    """A small SVG that says whether the registry conforms, or how many of the MUSTs fail."""
    label, value = f"OCI distribution {run.scope.version}", _badge_value(run)
    left, right = 7 * len(label) + 10, 7 * len(value) + 10
    color = _GREEN if run.conforms else _RED
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{label}: {value}"><title>{label}: {value}</title>'
        f'<rect width="{left}" height="20" fill="#495057"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{label}</text><text x="{left + right / 2:g}" y="14">{value}</text></g></svg>\n'
    )


def _badge_value(run: Run) -> str:
    held, failed = run.count(Outcome.PASSED, Level.MUST), run.count(Outcome.FAILED, Level.MUST)
    if not run.conforms:
        return f"{failed} of {held + failed} fail" if failed else "not judged"
    # Whoever chose some checks knows nothing of the others.
    return "conforms" if run.complete else f"{held} checks hold"

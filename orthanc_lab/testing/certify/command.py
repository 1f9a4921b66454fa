"""``orthanc-lab certify http://localhost:8042``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.protocol.signals import exit_code_of
from orthanc_lab.server.file_words import check_writable, words_of
from orthanc_lab.testing.certify.certification import Certification
from orthanc_lab.testing.certify.junit import junit
from orthanc_lab.testing.certify.page import page
from orthanc_lab.testing.certify.results import ScenarioResult
from orthanc_lab.testing.certify.target import TargetError
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.scenarios import LEDGER

__all__ = ["main"]

_OWN = "orthanc-lab"
_DIFFERENT, _FAILED = 1, 255


def main(arguments: Sequence[str] | None = None) -> int:
    """Certify a server; returns 0 without a difference, 1 with some, 255 if it was not done, or compared nothing."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    address = chosen.url or os.environ.get("ORTHANC_URL")
    if not address:
        parser.error("the address of a server is required, here or in ORTHANC_URL")
    try:
        ledger = _ledger(chosen.accept)
        for path in (chosen.html, chosen.junit):
            check_writable(path)
        certification = Certification(
            address, accepted=ledger, among_studies=chosen.among_studies, only=chosen.only, verify=not chosen.insecure
        )
        print(certification.plan(), flush=True)
        if not (chosen.yes or _agreed()):
            print("Nothing was done.", file=sys.stderr)
            return _FAILED
        certificate = certification.run(_tell)
    except (OSError, TargetError, ValueError) as error:
        print(words_of(error) if isinstance(error, OSError) else error, file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt as interrupt:
        print("\nInterrupted; what the last scenario had made is deleted.", file=sys.stderr)
        return exit_code_of(interrupt)
    for path, text in ((chosen.html, page), (chosen.junit, junit)):
        if path is not None:
            path.write_text(text(certificate), encoding="utf-8")
    print(certificate)
    if certificate.passed:
        return 0
    return _DIFFERENT if certificate.differing else _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orthanc-lab certify",
        description="Tell which answers of a server differ from those of Orthanc 1.12.7. The server is written to, and "
        "what was written is deleted; it says first what it will do, and asks.",
    )
    parser.add_argument("url", nargs="?", help="address of the server (else that in ORTHANC_URL)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with all that differs")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML, a test case for each scenario")
    parser.add_argument("--accept", metavar="LEDGER", help=f"file of accepted differences; {_OWN}: its own")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="only scenarios whose names contain this text; may be repeated",
    )
    parser.add_argument("--among-studies", action="store_true", help="also if the server holds studies")
    parser.add_argument("--insecure", action="store_true", help="accept any certificate of the server")
    return parser


def _ledger(name: str | None) -> Ledger | None:
    if name is None:
        return None
    return Ledger.read(LEDGER if name == _OWN else Path(name))


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("Nobody can be asked here; --yes says that it may be done.", file=sys.stderr)
        return False
    return input("Do it? [y/N] ").strip().lower() in ("y", "yes")


def _tell(result: ScenarioResult) -> None:
    if result.differing:
        print(f"{result.name}: {len(result.differing)} of {len(result.compared)} answers differ", flush=True)

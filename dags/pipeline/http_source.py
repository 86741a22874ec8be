"""Pulls the answers of an HTTP API into bronze: as they are, each once, and no faster than the API likes."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from time import sleep
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.http.hooks.http import HttpHook
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity import wait_exponential_jitter as back_off

from medallion.errors import MedallionError
from medallion.sources import PERIOD, HttpSource, Pages
from pipeline.bronze import Bronze

log = logging.getLogger(__name__)

TIMEOUT = (10, 60)  # seconds to connect, and between two bytes of an answer
ATTEMPTS = 5
MAX_BYTES = 64 * 1024 * 1024  # of an answer, unpacked; the cleaning job reads no larger document either
MAX_PAGES = 10_000
LONGEST_WAIT = 120  # seconds; where the API asks for more, the task ends, and Airflow tries it minutes later
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
SHOWN = 200  # characters of an answer that says what is wrong


class NotNowError(MedallionError):
    """Another try may do better; `wait` is how many seconds the API asks to wait, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class NotLetInError(AirflowFailException):
    """The API does not know who asks, whatever is asked for."""


@dataclass(frozen=True)
class Api:
    """A session with an API, and the seconds between two requests."""

    name: str
    session: requests.Session
    url: str
    interval: float

    def ask(self, url: str, query: dict[str, Any]) -> bytes:
        """The body of an answer, which is JSON.

        Tries again, ever later, when it is worth it. Raises AirflowFailException when it is not, and
        NotNowError or AirflowException when Airflow should try again later.
        """
        tries = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=_wait,
            retry=retry_if_exception_type(NotNowError),
            before_sleep=lambda state: log.warning("%s", state.outcome and state.outcome.exception()),
            sleep=sleep,
            reraise=True,
        )
        return tries(self._ask_once, url, query)

    def _ask_once(self, url: str, query: dict[str, Any]) -> bytes:
        sleep(self.interval)
        try:
            # A redirect to another host would take the connection's headers there.
            answer = self.session.get(url, params=query, timeout=TIMEOUT, allow_redirects=False, stream=True)
            content = _content(answer)
        except (requests.RequestException, ValueError) as error:  # such is a redirect to what is no URL
            raise NotNowError(f"{self.name}: GET {url}: {type(error).__name__}: {error}") from error
        asked = f"{self.name}: GET {answer.url}: expected 200 and JSON, got {answer.status_code}"
        if answer.status_code in TRANSIENT:
            raise _not_now(asked, answer.headers.get("Retry-After"))
        if content is None:
            raise AirflowFailException(f"{asked} and over {MAX_BYTES:,} bytes. Next: ask for less at a time.")
        if answer.status_code != 200:
            told = f"{asked}: {content[:SHOWN].decode(errors='replace')}"
            final = NotLetInError if answer.status_code == 401 else AirflowFailException
            raise final(f"{told}. Next: mend source in the product, or the connection.")
        try:
            json.loads(content)
        except (ValueError, RecursionError) as error:
            raise NotNowError(f"{asked} and {len(content)} bytes that are none: {error}") from error
        return content


def pull_answers(source: HttpSource, period: str, bronze: Bronze) -> int:
    """Pulls a period's answers that bronze doesn't have; returns how many.

    They are named after their part, the period and the page, so that no try or run pulls one again.
    """
    hook = HttpHook(method="GET", http_conn_id=source.connection)
    interval = 60 / source.max_per_minute if source.max_per_minute else 0
    made = 0
    with hook.get_conn() as session:
        api = Api(source.connection, session, hook.url_from_endpoint(source.path), interval)
        for part, parameters in (source.parts or {"": {}}).items():
            folder = f"{folder_of(source, part)}{period}/"
            query = {key: _filled(value, period) for key, value in {**source.query, **parameters}.items()}
            made += _pull_pages(api, query, source.pages, folder, bronze)
    return made


def folder_of(source: HttpSource, part: str) -> str:
    """Below which bronze has a part's periods; without parts it is ""."""
    return f"{source.label}={part}/period=" if part else "period="


def _pull_pages(api: Api, query: dict[str, Any], pages: Pages | None, folder: str, bronze: Bronze) -> int:
    there = bronze.names(folder)
    made, url, seen = 0, api.url, set[str]()
    for page in count(1):
        name = f"{folder}{page}.json"
        if {name, f"{folder}{page + 1}.json"} <= there:
            continue  # what it says of the next page was followed
        if name not in there:
            made += bronze.create(name, api.ask(url, query), "application/json")
        following = _following(bronze.read(name), pages) if pages else None
        if following is None:
            break
        if page == MAX_PAGES:
            raise AirflowFailException(f"{api.name}: no end after {MAX_PAGES:,} pages. Next: ask for less.")
        if following in seen:
            raise AirflowFailException(f"{api.name}: page {page} leads back to {following!r}: a circle.")
        seen.add(following)
        if pages and pages.parameter:
            query = {**query, pages.parameter: following}
        else:
            url, query = _of_same_host(url, following), {}
    return made


def _content(answer: requests.Response) -> bytes | None:
    """An answer's body; None where it is too large, however small it came packed."""
    content = bytearray()
    with answer:
        for piece in answer.iter_content(chunk_size=64 * 1024):
            content += piece
            if len(content) > MAX_BYTES:
                return None
    return bytes(content)


def _following(body: bytes, pages: Pages) -> str | None:
    """What an answer says of the page after it."""
    found: Any = json.loads(body)
    for name in pages.next.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return None if found in (None, "", False) else str(found)


def _of_same_host(url: str, following: str) -> str:
    try:
        target = urljoin(url, following)
        elsewhere = urlsplit(target)[:2] != urlsplit(url)[:2]
    except ValueError:  # no URL at all
        target, elsewhere = "", True
    if elsewhere:
        raise AirflowFailException(
            f"{url}: expected the next page on the same host, got {following}, to which the connection's "
            "secrets must not go. Next: see what the API answers."
        )
    return target


def _filled(value: Any, period: str) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.replace(PERIOD, period) if isinstance(value, str) else value


def _not_now(asked: str, header: str | None) -> Exception:
    wait = _seconds(header) if header else None
    if wait is not None and wait > LONGEST_WAIT:
        return AirflowException(f"{asked}, to come back in {wait:.0f} s. Next: the task is tried again.")
    return NotNowError(asked, wait)


def _seconds(retry_after: str) -> float | None:
    """Retry-After in seconds: it says either those or a time (RFC 9110, 10.2.3)."""
    try:
        if retry_after.strip().isdigit():
            return float(retry_after)
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


_back_off: Callable[[RetryCallState], float] = back_off(initial=1, max=30)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, NotNowError) else None
    return _back_off(state) if asked is None else asked

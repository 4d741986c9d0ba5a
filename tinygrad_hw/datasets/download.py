"""Fetching one file from the first mirror that has it, whole and verified, into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tinygrad_hw.datasets.idx import IDXError

if TYPE_CHECKING:
    import http.client

T = TypeVar("T")

TIMEOUT = 10.0  # seconds to the answer, then seconds without a byte
ATTEMPTS = 2  # on a mirror that answered and then broke off
CHUNK = 1 << 16


class DownloadError(RuntimeError):
    """No mirror gave the file; the message has the reason for each."""


def fetch(
    urls: Sequence[str], check: Callable[[bytes], T], *, limit: int, progress: bool
) -> tuple[bytes, T]:
    """The bytes behind the first of ``urls`` that ``check`` accepts, and what it made of them.

    ``check`` raises :class:`IDXError` on wrong bytes. A mirror that cannot be reached, or has no
    such file, is passed over; one that breaks off, or whose bytes are wrong, is tried once more.
    """
    import http.client
    import urllib.error

    reasons: dict[str, object] = {}
    for url in urls:
        for _ in range(ATTEMPTS):
            try:
                raw = _get(url, limit, progress)
                return raw, check(raw)
            except urllib.error.HTTPError as error:
                reasons[url] = str(error)
                error.close()
                break
            except urllib.error.URLError as error:
                reasons[url] = error.reason
                break
            except (OSError, http.client.HTTPException, IDXError) as error:
                reasons[url] = str(error) or type(error).__name__
    raise DownloadError("; ".join(f"{url}: {reason}" for url, reason in reasons.items()))


def _open(url: str) -> http.client.HTTPResponse:
    """The response, or URLError after ``TIMEOUT`` in all. By itself urlopen takes that long for
    each of a host's many addresses, and as long as it likes to look them up: minutes of silence
    behind a firewall that drops packets."""
    import threading
    import urllib.error
    import urllib.request
    from concurrent.futures import Future

    answer: Future[http.client.HTTPResponse] = Future()

    def ask() -> None:
        try:
            answer.set_result(urllib.request.urlopen(url, timeout=TIMEOUT))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(TIMEOUT)
    except TimeoutError as error:
        raise urllib.error.URLError(f"no answer in {TIMEOUT:g} seconds") from error


def _get(url: str, limit: int, progress: bool) -> bytes:
    from tqdm import tqdm

    with _open(url) as response:
        length = response.length or 0
        name = url.rpartition("/")[2]
        parts: list[bytes] = []
        size = 0
        # disable=None: no bar where nobody watches (not a terminal)
        with tqdm(
            desc=name, total=length or None, unit="B", unit_scale=True,
            disable=None if progress else True,
        ) as bar:
            while chunk := response.read(CHUNK):
                parts.append(chunk)
                size += len(chunk)
                bar.update(len(chunk))
                if size > limit:
                    raise IDXError(f"more than {limit} bytes came")
    if size < length:
        raise OSError(f"broke off after {size} of {length} bytes")
    return b"".join(parts)

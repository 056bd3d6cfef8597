"""Object stores and other remote file systems, by URI, with the credentials that an Airflow connection holds.

Whatever goes wrong there becomes a `SourceRefused`, or a `SourceDown` where another try may help, in words of our
own: those of the libraries can hold addresses with signatures.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import fsspec
from botocore import exceptions as boto

from tangga.sources import connections
from tangga.sources.records import SourceDown, SourceRefused

S3 = ("s3", "s3a")

_NETWORK = {"connect_timeout": 10, "read_timeout": 30, "retries": {"mode": "standard", "max_attempts": 3}}

_OWN_EXTRA = {"endpoint_url", "region_name", "aws_session_token", "profile_name", "verify"}

_DOWN = (boto.ConnectionError, boto.HTTPClientError, ConnectionError, TimeoutError)

_DOWN_CODES = {"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "500", "502", "503", "504"}


@dataclass(frozen=True)
class Store:
    """An open store. `uri` is its folder as messages call it, `root` the same as its file system does."""

    fs: fsspec.AbstractFileSystem = field(repr=False)
    uri: str
    root: str
    connection: str | None

    @contextmanager
    def told(self, where: str | None = None) -> Iterator[None]:
        """Turns failures into refusals; what is merely not there stays a `FileNotFoundError`."""
        where = where or self.uri
        remedy = f"connection '{self.connection}' in Airflow" if self.connection else "the credentials of this machine"
        try:
            yield
        except SourceRefused:
            raise
        except _DOWN as error:
            raise SourceDown(
                f"{where}: the store cannot be reached ({type(error).__name__}); see to it that it runs and that this "
                f"machine reaches it, or correct {remedy}."
            ) from None
        except (
            boto.BotoCoreError,
            ValueError,
            TypeError,
        ) as error:  # nothing was asked: no credentials, no address, ...
            raise SourceRefused(
                f"{where}: the store cannot be opened ({type(error).__name__}); correct {remedy}, or name a "
                "'connection' in tangga.yml."
            ) from None
        except OSError as error:
            code = code_of(error)
            if code == "NoSuchBucket":
                raise SourceRefused(
                    f"{where}: there is no such bucket; correct 'path' in tangga.yml, or create the bucket."
                ) from None
            if isinstance(error, FileNotFoundError):
                raise
            if code in _DOWN_CODES:
                raise SourceDown(f"{where}: the store is out of order ({code}); try again later.") from None
            if isinstance(error, PermissionError):
                raise SourceRefused(
                    f"{where}: the store does not let us in ({code}); correct {remedy}, or what it may do there."
                ) from None
            raise SourceRefused(
                f"{where}: the store refuses ({code}); correct 'path' in tangga.yml, or {remedy}."
            ) from None


def opened(uri: str, connection_id: str | None) -> Store:
    """The store of a URI. Raises `SourceRefused` when it cannot be opened with what the connection holds."""
    for name in ("botocore", "aiobotocore", "s3fs", "fsspec", "aiohttp"):  # at DEBUG they log headers and signatures
        logging.getLogger(name).setLevel(logging.WARNING)
    scheme, uri = urlsplit(uri).scheme, uri.rstrip("/")
    options = _options(scheme, uri, connection_id)
    try:
        fs = fsspec.filesystem(scheme, **options, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        raise SourceRefused(
            f"{uri}: Tangga lacks what reads {scheme}:// ({error.name or error}); install the package, or use s3."
        ) from None
    except Exception as error:  # its text may hold an option's value
        raise SourceRefused(
            f"{uri}: cannot be opened with the options of connection '{connection_id}' ({type(error).__name__}); "
            "correct its extra in Airflow."
        ) from None
    if scheme in S3:
        fs.retries = 1  # it would multiply those of `_NETWORK`: a store that is down would hold a task for an hour
    return Store(fs, uri, fs._strip_protocol(uri), connection_id)


def _options(scheme: str, uri: str, connection_id: str | None) -> dict[str, Any]:
    network = {"config_kwargs": _NETWORK} if scheme in S3 else {}
    if connection_id is None:
        return network
    connection = connections.resolve(connection_id)
    if scheme not in S3:
        return dict(connection.extra)
    if connection.kind != "aws":
        raise SourceRefused(
            f"{uri}: connection '{connection_id}' is of type '{connection.kind}'; make it one of type aws."
        )
    unknown = sorted(set(connection.extra) - _OWN_EXTRA)
    if unknown:
        raise SourceRefused(
            f"{uri}: the extra of connection '{connection_id}' has {', '.join(unknown)}, which Tangga does not know; "
            f"use {', '.join(sorted(_OWN_EXTRA))}."
        )
    if bool(connection.user) != bool(connection.password):
        raise SourceRefused(
            f"{uri}: connection '{connection_id}' has only one of login (the access key) and password (the secret "
            "key); give both, or neither for the credentials of this machine."
        )
    client = {name: connection.extra[name] for name in ("region_name", "verify") if name in connection.extra}
    given = {
        "key": connection.user,
        "secret": connection.password,
        "token": connection.extra.get("aws_session_token"),
        "profile": connection.extra.get("profile_name"),
        "endpoint_url": connection.extra.get("endpoint_url"),
        "client_kwargs": client,
    }
    return network | {name: value for name, value in given.items() if value}


def code_of(error: OSError) -> str:
    """What the store calls its refusal, or what the machine does: never the text, which may quote."""
    response = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") or (os.strerror(error.errno) if error.errno else type(error).__name__)

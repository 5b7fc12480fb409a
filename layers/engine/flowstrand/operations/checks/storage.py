"""Where payloads are: a bucket that is there and is nobody else's; or, of a local server, a file that is whole and private."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code
from flowstrand.local.stores import DATABASE
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.operations.checks.finding import Finding, Probe, error, warning
from flowstrand.operations.place import Stack

_MISSING = frozenset({"404", "NoSuchBucket"})
_NOT_SET = "NoSuchPublicAccessBlockConfiguration"
_SECRETS = ("lease-secret", "ticket-secret", "dev-key", "worker-key")


def bucket_probes(stack: Stack) -> Iterator[Probe]:
    """Three looks at the payloads' bucket."""
    bucket = stack.names.payload_bucket
    subject = f"the payloads' bucket {bucket}"
    yield Probe(subject=subject, look=lambda: _there(stack, bucket, subject))
    yield Probe(subject=f"{subject}: public access", look=lambda: _private(stack, bucket, subject))
    yield Probe(subject=f"{subject}: versions", look=lambda: _versioned(stack, bucket, subject))


def _there(stack: Stack, bucket: str, subject: str) -> Iterator[Finding]:
    try:
        stack.clients.s3.head_bucket(Bucket=bucket)
    except ClientError as refused:
        if error_code(refused) not in _MISSING:
            raise
        yield error("BUCKET_MISSING", subject, "there is no such bucket", "see whether the stack is whole")


def _private(stack: Stack, bucket: str, subject: str) -> Iterator[Finding]:
    try:
        found = dict(stack.clients.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
    except ClientError as refused:
        if error_code(refused) in _MISSING:
            return  # that it is not there is told by the other look
        if error_code(refused) != _NOT_SET:
            raise
        found = {}
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    if open_ways := [name for name in names if not found.get(name)]:
        message = f"public access is not blocked: {', '.join(open_ways)} off"
        yield error("BUCKET_PUBLIC", subject, message, "deploy the stack again with its own template")


def _versioned(stack: Stack, bucket: str, subject: str) -> Iterator[Finding]:
    try:
        status = stack.clients.s3.get_bucket_versioning(Bucket=bucket).get("Status")
    except ClientError as refused:
        if error_code(refused) in _MISSING:
            return
        raise
    if status != "Enabled":
        message = "it keeps no versions, so what nothing refers to cannot be pruned"
        yield warning("BUCKET_UNVERSIONED", subject, message, "deploy the stack again with its own template")


def folder_probes(data: Path) -> Iterator[Probe]:
    """Two looks at a data folder."""
    database = data / DATABASE
    yield Probe(subject=f"the database {database}", look=lambda: _whole(database))
    yield Probe(subject=f"the secrets in {data}", look=lambda: _private_files(data))


def _whole(path: Path) -> Iterator[Finding]:
    database = SqliteDatabase(path)
    try:
        faults = [str(row[0]) for row in database.execute("PRAGMA quick_check(5)")]
    finally:
        database.close()
    if faults != ["ok"]:
        message = f"SQLite finds it damaged: {'; '.join(faults)}"
        yield error(
            "DATABASE_DAMAGED", f"the database {path}", message, "stop the server, and take a copy from before"
        )


def _private_files(data: Path) -> Iterator[Finding]:
    for name in _SECRETS:
        file = data / name
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            message = "others than its owner may read it"
            yield error(
                "SECRET_READABLE", str(file), message, f"chmod 600 {file}, and rotate it if others are about"
            )

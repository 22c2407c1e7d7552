"""Requests around documents: mostly as clients send them, now and then malformed in every part."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from graphql import GraphQLSchema

from tests.fuzz.documents import Drawn, drawn_document
from tests.fuzz.values import Dice

BEARER = b"{token}"
"""Stands for the token of somebody who is signed in."""

NESTED = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 3_000 + b"]" * 3_000 + b"}}"
BODIES = [
    b"",
    b"1",
    b"null",
    b"[]",
    b'"{ __typename }"',
    b"{",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"[" * 50_000,
    NESTED,
    b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    b'{"query": "{ __typename }", "query": "{ viewer { id } }"}',
    b'{"query": NaN}',
    b'[{"query": "{ __typename }"}]',
    b"x" * 70_000,
    b"query=%7B__typename%7D",
    json.dumps({"query": "{" * 20_000}).encode(),
    json.dumps({"query": "{ a " + "...F " * 900 + "}"}).encode(),
    json.dumps({"documentId": "sha256:nothing"}).encode(),
    json.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}).encode(),
    json.dumps({"extensions": {"persistedQuery": [1]}}).encode(),
]
CONTENT_TYPES = [
    b"application/json; charset=utf-8",
    b"application/json; charset=utf-16",
    b"text/plain, application/json",
    b"text/plain",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded",
    b"application/json;" + b";" * 500,
    b"\xff\xfe",
    b"",
]
ACCEPTS = [
    b"application/graphql-response+json",
    b"text/event-stream",
    b"text/html",
    b"application/xml",
    b"*/*;q=0",
    b"application/json;q=nonsense",
    b"," * 900,
    b"\xff",
]
CREDENTIALS = [
    b"Bearer",
    b"Bearer ",
    b"Basic YTpi",
    b"Bearer " + b"x" * 5_000,
    b"Bearer a.b.c",
    b"\xff\xfe",
    b"Bearer \xff",
]
EXTRAS: list[tuple[bytes, bytes]] = [
    (b"content-encoding", b"gzip"),
    (b"transfer-encoding", b"chunked"),
    (b"content-length", b"99999999999999999999"),
    (b"content-length", b"-1"),
    (b"x-forwarded-for", b"1.2.3.4, evil"),
    (b"origin", b"null"),
    (b"user-agent", b"\x1b[31m\xff" * 100),
    (b"content-type", b"application/json"),
]


@dataclass(frozen=True)
class Request:
    """What is sent. In a header, BEARER is to be replaced."""

    method: str
    query_string: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def drawn_request(dice: Dice, schema: GraphQLSchema) -> Request:
    """A request about a drawn document; every part of it is malformed now and then."""
    drawn = drawn_document(dice, schema)
    method = dice.choice(["GET", "PUT", "OPTIONS", "TRACE", "HEAD", "NONSENSE"]) if dice.one_in(40) else "POST"
    body = _odd_body(dice) if dice.one_in(40) else _body(drawn)
    query_string = _query_string(drawn) if method != "POST" or dice.one_in(40) else b""
    accept = b"text/event-stream" if "subscription" in drawn.text and not dice.one_in(4) else b"application/json"
    headers = [
        (b"content-type", dice.choice(CONTENT_TYPES) if dice.one_in(40) else b"application/json"),
        (b"accept", dice.choice(ACCEPTS) if dice.one_in(20) else accept),
        (b"authorization", dice.choice(CREDENTIALS) if dice.one_in(40) else b"Bearer " + BEARER),
    ]
    kept = [header for header in headers if not dice.one_in(60)]
    return Request(method, query_string, kept + ([dice.choice(EXTRAS)] if dice.one_in(40) else []), body)


def _odd_body(dice: Dice) -> bytes:
    if dice.one_in(3):
        return bytes(dice.between(0, 255) for _ in range(dice.between(0, 60)))
    return dice.choice(BODIES)


def _body(drawn: Drawn) -> bytes:
    asked: dict[str, Any] = {"query": drawn.text, "variables": drawn.variables, "operationName": drawn.operation_name}
    return json.dumps(asked | {"extensions": {"cost": True}}).encode()


def _query_string(drawn: Drawn) -> bytes:
    asked = {"query": drawn.text, "variables": json.dumps(drawn.variables)}
    return urlencode(asked, errors="surrogatepass").encode()

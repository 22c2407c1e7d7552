"""Documents that cost as much as they can: each at a bound, or far past it and to be refused cheaply."""

import json

from graphql import GraphQLObjectType, GraphQLSchema

BOMB_LEVELS = 90


def hostile_bodies(schema: GraphQLSchema) -> list[bytes]:
    """Request bodies, made for that schema."""
    documents = [
        _doubling_fragments(),
        _many_duplicates(),
        _wide(schema),
        "{ viewer { " + "apiKeys(first: 100) { nodes { id name hint } } " * 40 + "} }",
        "{ " + "...on Query { " * 60 + "__typename" + " }" * 61,
        "{" * 900,
        '{ node(id: "' + "x" * 60_000 + '") { id } }',
        "query (" + " ".join(f"$v{number}: Int = 1" for number in range(140)) + ") { __typename }",
        "{ " + " ".join(f"f{number}" for number in range(900)) + " }",
        "{ __schema " + "{ types { fields { type " + "{ fields { type " * 3 + "{ name }" + " } }" * 4 + " } }",
        "#" + "\n#" * 30_000 + "\n{ __typename }",
    ]
    bodies = [json.dumps({"query": document}).encode() for document in documents]
    deep = b'{"query": "{ __typename }", "variables": ' + b'{"a": [' * 4_000 + b"]}" * 4_000 + b"}"
    return [*bodies, deep, b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 60_000 + b"}}"]


def _doubling_fragments() -> str:
    """Written out, it would be of more fields than there are atoms."""
    fragments = [f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(BOMB_LEVELS)]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{BOMB_LEVELS} on Query {{ __typename }}"])


def _many_duplicates() -> str:
    return "{ viewer { " + "id " * 990 + "} }"


def _wide(schema: GraphQLSchema) -> str:
    """A selection of every field that the account has, as often as the tokens suffice."""
    account = schema.type_map["Account"]
    assert isinstance(account, GraphQLObjectType)
    leaves = " ".join(name for name in account.fields if name in {"id", "email", "createdAt", "hasPassword"})
    return "{ viewer { " + f"... on Account {{ {leaves} }} " * 48 + "} }"

"""How much a document may ask for, and the sentences that say so."""

from dataclasses import dataclass

from transport.rejections import ErrorEntry, error_entry


@dataclass(frozen=True, slots=True)
class Bounds:
    """The contract's bounds on a document, and below them those that keep checking it cheap.

    Depth, aliases, root fields, cost and credentials count as if every fragment stood written out where it is spread.
    """

    tokens: int = 1_000
    depth: int = 12
    aliases: int = 15
    root_fields: int = 20
    cost: int = 10_000
    credentials: int = 1
    # `__schema` down to the name of a type wrapped nine times: what GraphiQL and code generators ask.
    introspection_depth: int = 15
    comments: int = 1_000
    # Selection sets inside each other as written, inline fragments included: what recursion has to bear.
    nesting: int = 64
    directives: int = 50
    fragments: int = 100
    # Selections of all operations and fragments, spreads included: a bomb may hold no field at all.
    selections: int = 50_000
    # Graphql-core compares every two fields of one name in one place with each other.
    fields_of_one_name: int = 50
    number_length: int = 40


_SENTENCES = {
    "tokens": "The document has more than {limit} tokens.",
    "comments": "The document has more than {limit} comments.",
    "depth": "The document is {actual} fields deep; at most {limit} are allowed.",
    "aliases": "The document has {actual} aliases, fragments written out; at most {limit} are allowed.",
    "root_fields": "The document has {actual} root fields, fragments written out; at most {limit} are allowed.",
    "cost": "The document costs {actual}; at most {limit} is allowed.",
    "credentials": "The document has {actual} root fields that take a password, a code, a ticket or a mailed token; "
    "at most {limit} is allowed.",
    "introspection_depth": "The introspection is {actual} fields deep; at most {limit} are allowed.",
    "nesting": "Selections are nested {actual} levels deep; at most {limit} are allowed.",
    "directives": "The document has {actual} directives; at most {limit} are allowed.",
    "fragments": "The document has {actual} fragments; at most {limit} are allowed.",
    "selections": "The document has {actual} selections, fragments written out; at most {limit} are allowed.",
    "fields_of_one_name": "The document selects one field {actual} times in one place; at most {limit} are allowed.",
    "number_length": "A number in the document has {actual} characters; at most {limit} are allowed.",
}


def too_costly(bound: str, limit: int, actual: int | None = None) -> ErrorEntry:
    """The error that names the bound, its number, and how far past it the document is."""
    message = _SENTENCES[bound].format(limit=_grouped(limit), actual=_grouped(actual or 0))
    return error_entry("DOCUMENT_TOO_COSTLY", message, bound=_camel_case(bound), limit=limit)


def _grouped(number: int) -> str:
    return f"{number:,}"


def _camel_case(bound: str) -> str:
    first, *others = bound.split("_")
    return first + "".join(word.capitalize() for word in others)

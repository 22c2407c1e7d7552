"""Documents that clients ask for by a hash: a manifest of trusted ones, and Apollo's automatic persisted queries."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transport.parameters import Parameters
from transport.rejections import Rejection, bad_request, error_entry, faulty_document

_PREFIX = "sha256:"
_LONGEST_HASH = 128
_APQ_VERSION = 1
_MOST_REGISTERED = 1_000
_MOST_REGISTERED_CHARACTERS = 2_000_000


class ManifestError(ValueError):
    """The manifest cannot be used; the message says why and names no content of it."""


def load_manifest(path: Path) -> dict[str, str]:
    """Hash to text, as Relay, Apollo and graphql-codegen write it, `sha256:` taken off. Raises ManifestError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ManifestError(f"the manifest cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError):
        raise ManifestError("the manifest is not JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise ManifestError("the manifest must be a JSON object")
    entries = _apollo_entries(content) if "operations" in content else content
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in entries.items()):
        raise ManifestError("the manifest must lead from hashes to the texts of documents")
    return {_plain(key): text for key, text in entries.items()}


def _apollo_entries(content: dict[str, Any]) -> dict[Any, Any]:
    """Apollo's form: `{"format": "apollo-persisted-query-manifest", "operations": [{"id": …, "body": …}, …]}`."""
    operations = content["operations"]
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise ManifestError("`operations` of the manifest must be a list of objects")
    return {operation.get("id"): operation.get("body") for operation in operations}


class TrustedDocuments:
    """Finds the text of the document that a request asks for.

    With `only_listed`, nothing else than the manifest's documents runs. Without, a client may send any text, and have
    it kept under its hash (bounded, in memory, this process only).
    """

    def __init__(self, listed: Mapping[str, str] | None = None, *, only_listed: bool = False) -> None:
        self._listed = {_plain(key): text for key, text in (listed or {}).items()}
        self._only_listed = only_listed
        self._registered: OrderedDict[str, str] = OrderedDict()
        self._registered_characters = 0

    def text_of(self, asked: Parameters) -> str:
        """Raises Rejection: nothing asked for, an unknown hash, a text where only listed ones run, a hash that lies."""
        digest = _asked_hash(asked)
        if digest is None:
            return self._free_text(asked)
        text = self._listed.get(digest) or self._registered.get(digest)
        if asked.query is not None:
            return self._checked(asked.query, digest, text)
        if text is None:
            raise self._not_found()
        return text

    def register(self, asked: Parameters) -> None:
        """Keeps a text that came with its hash; called once the document has proven good."""
        digest = _asked_hash(asked)
        if asked.query is None or digest is None or digest in self._listed or digest in self._registered:
            return
        self._registered[digest] = asked.query
        self._registered_characters += len(asked.query)
        while len(self._registered) > _MOST_REGISTERED or self._registered_characters > _MOST_REGISTERED_CHARACTERS:
            _, dropped = self._registered.popitem(last=False)
            self._registered_characters -= len(dropped)

    def _free_text(self, asked: Parameters) -> str:
        if self._only_listed:
            message = "Only persisted documents run here: ask by `documentId` or `extensions.persistedQuery`."
            raise _refused("PERSISTED_QUERY_REQUIRED", message)
        if asked.query is None:
            raise bad_request("The request has no `query`, `documentId` or `extensions.persistedQuery`.")
        return asked.query

    def _checked(self, text: str, digest: str, listed: str | None) -> str:
        # SECURITY: the hash decides under which name a text is kept, so nobody may choose it freely.
        if listed == text:
            return text
        if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
            raise bad_request("The hash is not the SHA-256 of the query.")
        if self._only_listed:
            raise _refused("PERSISTED_QUERY_REQUIRED", "Only persisted documents run here, and this is none of them.")
        return text

    def _not_found(self) -> Rejection:
        if self._only_listed:
            return _refused("PERSISTED_QUERY_NOT_FOUND", "There is no persisted document of this hash.")
        # Apollo's clients look for exactly this message, and send the text along once.
        return _refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


def _refused(code: str, message: str) -> Rejection:
    return faulty_document(error_entry(code, message))


def _asked_hash(asked: Parameters) -> str | None:
    if asked.document_id is not None:
        return _plain(asked.document_id)
    persisted = asked.extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != _APQ_VERSION:
        raise bad_request("`extensions.persistedQuery` must be an object of version 1.")
    digest = persisted.get("sha256Hash")
    if not isinstance(digest, str) or not 0 < len(digest) <= _LONGEST_HASH:
        raise bad_request("`extensions.persistedQuery.sha256Hash` must be a hash.")
    return _plain(digest)


def _plain(key: str) -> str:
    return key.removeprefix(_PREFIX)

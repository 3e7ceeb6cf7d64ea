"""How does a document become the bytes that are hashed and signed? Always the same way."""

import hashlib
import json

from pydantic import BaseModel


def canonical(document: BaseModel) -> bytes:
    """Give sorted keys, no spaces, UTF-8: RFC 8785 for documents without JSON floats."""
    plain = document.model_dump(mode="json")
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sha256(document: BaseModel) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()

"""Whose events does intake listen to? Nobody's: it is where a case begins."""

from collections.abc import Mapping

from shared.contracts.base import Event

LISTENS: Mapping[str, tuple[type[Event], ...]] = {}

"""How does a case's state become text and back? The latest are remembered, parsed."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

State = TypeVar("State")
MOST_KNOWN = 4_096  # texts of the cases under way at one replica, at some kilobytes each


@dataclass(frozen=True, slots=True)
class States(Generic[State]):
    """Writes states as JSON and reads them; the same text gives the same (frozen) state.

    The column keeps the text as it is (`json`, not `jsonb`): a state that this replica wrote or
    read lately is found by its text, and one that another replica changed has another text.
    """

    adapter: TypeAdapter[State]
    # Not a dict: finding its oldest entry takes longer the more have been taken from its front.
    _known: OrderedDict[str, State] = field(default_factory=OrderedDict)

    def read(self, text: str) -> State:
        """Give the state; raises pydantic's ValidationError for a text that is none."""
        known = self._known.get(text)
        if known is None:
            return self._remember(text, self.adapter.validate_json(text))
        self._known.move_to_end(text)
        return known

    def text(self, state: State) -> str:
        text = self._json(state).decode()
        self._known.pop(text, None)
        self._remember(text, state)
        return text

    def _json(self, state: State) -> bytes:
        """Give what the adapter would: a model writes itself in half the time of a union."""
        if isinstance(state, BaseModel):
            return state.__pydantic_serializer__.to_json(state)
        return self.adapter.dump_json(state)

    def _remember(self, text: str, state: State) -> State:
        """Keep it as the latest; the one that nobody asked for the longest makes room."""
        while len(self._known) >= MOST_KNOWN:
            self._known.popitem(last=False)
        self._known[text] = state
        return state

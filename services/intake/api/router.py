"""Which routes does intake have?"""

from fastapi import APIRouter

from services.intake.api import admin, cases, events, stow
from services.intake.api.edge import Edge


def routers(edge: Edge) -> tuple[APIRouter, ...]:
    return tuple(module.router(edge) for module in (events, stow, cases, admin))

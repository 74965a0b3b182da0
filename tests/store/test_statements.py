"""Statements are compiled once: one that SQLAlchemy cannot know again costs more in compiling than in running."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType

import pytest
from sqlalchemy.sql import ClauseElement, Executable

from app import store

MODULES = [importlib.import_module(f"app.store.{found.name}") for found in pkgutil.iter_modules(store.__path__)]


def statements(module: ModuleType) -> Iterator[tuple[str, ClauseElement]]:
    for name, value in vars(module).items():
        for one in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(one, Executable) and isinstance(one, ClauseElement):
                yield name, one


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_statement_is_known_again(module: ModuleType) -> None:
    assert [name for name, one in statements(module) if one._generate_cache_key() is None] == []


def test_these_are_the_stores_statements() -> None:
    assert sum(1 for module in MODULES for _ in statements(module)) > 100

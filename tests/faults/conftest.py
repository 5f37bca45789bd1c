"""Processes of these tests are forked from a server that has loaded everything."""

from __future__ import annotations

import pytest

from .table.running import server


@pytest.fixture(scope="session", autouse=True)
def loaded_server() -> None:
    """Before another test starts the server empty: each process would load it all again, for 2 s."""
    server()

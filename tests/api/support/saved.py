"""Backups of a folder, and what is in them."""
import os
import shutil

import pytest

from backends import rows
from harness import basic, succeed


ROOT = pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: root alone can mount, and be another user")


class Only:
    """The one account of a server, for load.Load."""

    def __init__(self, server):
        self.server = server

    def headers(self, _):
        return {"Authorization": basic(f"{self.server.user}/token", self.server.token)}


def titles(folder, file="docket.db"):
    """(account, id) → title of every task, for Load.check()."""
    return {("main", number): title
            for number, title in rows(folder, "SELECT id, title FROM task", file=file)}


def sound(folder):
    assert succeed("check", "--data", folder).stdout.endswith("\nsound\n")


def as_folder(file, place):
    """A data folder with a copy of the backup as its database."""
    place.mkdir()
    shutil.copy(file, place / "docket.db")
    return place

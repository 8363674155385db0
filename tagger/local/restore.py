"""Restore a backup into a home's own database: only the servers run, and nothing of the site."""

import os
from collections.abc import Mapping
from pathlib import Path

from . import addresses, homes
from .refusal import StartRefused
from .run import manage, say, secret, site_environment, sockets_folder, start_servers
from .supervisor import StopRequested, Supervisor


def restore(environment: Mapping[str, str], source: str) -> None:
    """Run `manage.py restore` for this home. Raises StartRefused."""
    if environment.get("DATABASE_URL"):
        raise StartRefused("DATABASE_URL is set: run `manage.py restore` for that database")
    folder = Path(source).absolute()
    home = homes.claim(homes.home_path(environment), traversable=os.geteuid() == 0)
    supervisor = Supervisor(say)
    with supervisor.listening(), sockets_folder() as sockets:
        try:
            addresses.write(home.path, {}, sockets)
            found = start_servers(environment, home, sockets, supervisor)
            found |= {"SECRET_KEY": secret(environment, home, found["DATABASE_URL"]), "DEBUG": "0"}
            addresses.write(home.path, found, sockets)
            site = site_environment(environment, found, home, port=8000)
            supervisor.run_once(manage(site, "restore", str(folder)))
        except StopRequested:
            say("Stopping …")
        finally:
            supervisor.stop_all()
            addresses.forget(home.path)

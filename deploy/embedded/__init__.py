"""Real PostgreSQL and Redis from Python packages, on unix sockets, for the demo and the tests. Never for production.

Uses only the binaries of the packages: their own start-up code opens every parent folder to the world when run as
root. Started as root, the servers run as an ordinary user. Standard library only.
"""

from deploy.embedded.processes import Child, spawn, stop_all
from deploy.embedded.servers import Servers, start

__all__ = ["Child", "Servers", "spawn", "start", "stop_all"]

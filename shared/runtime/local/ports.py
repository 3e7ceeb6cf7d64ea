"""Which ports on this machine are free, and who listens on one?"""

import contextlib
import socket

import psutil

from shared.runtime.local.failure import SetupError

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free now. All are held until the last is found, so none repeats."""
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind((HOST, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports


def is_free(port: int) -> bool:
    """Whether a server could listen here; one that was just stopped does not count as in use."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
        return True


def demand_free(port: int, server: str, variable: str) -> None:
    """Raises SetupError naming the port, its holder and the variable that moves us elsewhere."""
    if is_free(port):
        return
    holder = holder_of(port)
    raise SetupError(
        f"port {port} for {server} is taken" + (f" by {holder}" if holder else ""),
        mend=f"stop that program, or choose another port with {variable}",
    )


def is_listening(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def listens(pid: int, port: int) -> bool:
    """Whether this very process, or a child of it, listens on the port: not a stranger's server."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
        return any(_has_listener(member, port) for member in family)
    except psutil.Error:
        return False


def _has_listener(process: psutil.Process, port: int) -> bool:
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in process.net_connections(kind="tcp")
    )


def holder_of(port: int) -> str:
    """The name and pid of the program that listens, as far as we may see it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            local = connection.laddr
            if connection.status == psutil.CONN_LISTEN and local and local.port == port:
                if connection.pid is None:
                    return ""
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""

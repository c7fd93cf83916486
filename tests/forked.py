"""The program without its imports: a server has made them, and forks a process for each command line.

`program()` is a command like `snstdp` itself (arguments, folder, environment, streams and exit code are those of the
caller), of which many can be run in a second. What is about the start of the program runs the installed one.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    code = server.recv(16)
sys.exit(int(code) if code else 1)
"""


@functools.cache
def program() -> Path:
    """Return the path of the command; its server is started once in a process and ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="forked-")
    address, command = str(Path(folder.name) / "socket"), Path(folder.name) / "snstdp"
    command.write_text(_CLIENT.format(python=sys.executable, address=address))
    command.chmod(0o755)
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import forked; forked.serve({address!r})"
    server = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"

    def stop() -> None:
        server.stdin.close()  # type: ignore[union-attr]
        server.wait()
        folder.cleanup()

    atexit.register(stop)
    return command


def serve(address: str) -> None:
    """Import what commands need, and answer until the standard input is closed."""
    for name in ("typer", "snstdp_cli.pipeline", "snstdp_cli.plots", "snstdp_cli.report"):
        importlib.import_module(name)
    from snstdp_cli.brian_import import prepare_brian

    prepare_brian()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([0, listener], [], [])
            if 0 in ready:
                break
            asked, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(asked)
            asked.close()
            _reap(os.WNOHANG)
    _reap(0)


def _reap(options: int) -> None:
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:
        pass


def _answer(asked: socket.socket) -> None:
    """Run one command line as `snstdp` does, send its exit code, and end."""
    length, streams, _, _ = socket.recv_fds(asked, 4, 3)
    content = b""
    while len(content) < int.from_bytes(length, "big"):
        content += asked.recv(65536)
    arguments, folder, environment = json.loads(content)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = arguments
    code: Any = 1
    try:
        from snstdp_cli.cli import main

        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()
        asked.sendall(str(int(code or 0)).encode())
        os._exit(0)

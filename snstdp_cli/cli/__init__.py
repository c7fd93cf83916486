"""The command line: translate, call one workflow, show progress, print. Only this package prints or exits."""

from snstdp_cli.cli.app import app, main

__all__ = ["app", "main"]

"""`python -m snstdp_cli` works like `snstdp`."""

from snstdp_cli.cli import main

if __name__ == "__main__":
    main()

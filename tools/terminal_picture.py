"""Draw what a terminal shows (ANSI text on standard input) as an SVG without external fonts.

tmux capture-pane -e -p -t SESSION | python tools/terminal_picture.py docs/figures/demo.svg "snstdp run"
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

text = sys.stdin.read().rstrip()
width = max(len(Text.from_ansi(line)) for line in text.splitlines())
console = Console(record=True, width=max(width, 60), file=io.StringIO())
console.print(Text.from_ansi(text))
svg = console.export_svg(title=sys.argv[2], unique_id="terminal")
svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)
Path(sys.argv[1]).write_text(svg.replace("Fira Code", "ui-monospace, Menlo, Consolas"))

"""What the name of a rule means: one of the package's, or a file of the user's and a name in it."""

from __future__ import annotations


def is_rule_file(name: str) -> bool:
    """Tell whether a rule's name leads to a file: `my_rules.py:MY_RULE`, or the file alone, which is refused later."""
    return ".py:" in name or name.endswith(".py")

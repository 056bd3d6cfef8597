"""Reading a YAML file that a person wrote, and saying where it is wrong without repeating what is in it."""

from __future__ import annotations

from pathlib import Path

import yaml


class SettingsError(ValueError):
    """`tangga.yml` cannot be used; the message says which keys and what is allowed."""


def read_yaml(path: Path) -> dict:
    """The block of keys in a file. Raises `SettingsError`."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _Yaml)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); give a file with CONFIG=") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8 text; save it as such") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{path}{line}: is not YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: is empty; it needs at least 'business' and 'sources'")
    return raw


class _Yaml(yaml.SafeLoader):
    """YAML in which a key cannot be given twice; the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

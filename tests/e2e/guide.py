"""Follows docs/deployment.md: runs its commands, with the examples replaced by real values."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.pages import Block, all_blocks, read_page

GUIDE = "deployment.md"
# Like the reader's shell: its directory and variables are kept from block to block.
SHELL = """
set -euo pipefail
set -a
if [ -e "$STATE" ]; then . "$STATE"; fi
{commands}
{{ export -p; printf 'cd %q\\n' "$PWD"; }} > "$STATE"
"""


def guide_blocks() -> Iterator[Block]:
    """Return every fenced block of the guide, in order."""
    return all_blocks(read_page(GUIDE))


@dataclass(slots=True)
class Reader:
    """Runs what the guide says."""

    directory: Path
    environment: Mapping[str, str]
    run_sql: Callable[[str, str], None]  # the database and the statements
    replacements: dict[str, str]  # the guide's examples and this reader's values
    settings: dict[str, Any]  # what this reader adds to each block of settings
    used: set[str] = field(default_factory=set)

    def follow(self, section: str, *, without: tuple[str, ...] = ()) -> list[str]:
        """Run a section; return what its commands printed, block by block.

        Args:
            section: its heading.
            without: the texts of blocks that cannot be run here.
        """
        found = [block for block in guide_blocks() if block.section == section]
        assert found, f"the guide has no section {section} with commands"
        assert set(without) <= {block.text for block in found}
        return [self.do(block) for block in found if block.text not in without]

    def do(self, block: Block) -> str:
        """Run one block; return what was printed."""
        text = self._replace(block.text)
        match block.language:
            case "bash":
                return self._run(text)
            case "sql":
                self.run_sql(block.label, text)
            case "json":
                self._set(json.loads(text), replaces=block.label == "settings")
            case _:
                raise AssertionError(f"a block in an unknown language: {block}")
        return ""

    def _replace(self, text: str) -> str:
        for example, own in self.replacements.items():
            if example in text:
                self.used.add(example)
                text = text.replace(example, own)
        return text

    def _run(self, commands: str) -> str:
        done = subprocess.run(  # noqa: S603 - the commands are the guide's own
            ["/bin/bash", "-c", SHELL.format(commands=commands)],
            cwd=self.directory,
            env={**self.environment, "STATE": str(self.directory / "state.sh")},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def _set(self, block: dict[str, Any], *, replaces: bool) -> None:
        """Set the environment's block of cdk.json, or add to it."""
        file = self.directory / "staging-sync" / "cdk.json"
        content = json.loads(file.read_text())
        environments = content["context"]["environments"]
        before = {} if replaces else environments["staging"]
        environments["staging"] = {**before, **block, **self.settings}
        file.write_text(json.dumps(content))

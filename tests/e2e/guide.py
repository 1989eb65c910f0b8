"""docs/deployment.md, followed by a reader who copies its commands and replaces its examples."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.pages import Block, all_blocks, read_page

GUIDE = "deployment.md"
# One shell, as the reader's: where it is and what it has set is kept from block to block.
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
    """Somebody who does what the guide says."""

    directory: Path
    environment: Mapping[str, str]
    run_sql: Callable[[str, str], None]  # in which database, and what
    replacements: dict[str, str]  # an example, and what stands there for this reader
    settings: dict[str, Any]  # what this reader adds to each block of settings
    used: set[str] = field(default_factory=set)

    def follow(self, section: str, *, without: tuple[str, ...] = ()) -> list[str]:
        """Do what a section says; return what its commands printed, block by block.

        Args:
            section: its heading.
            without: the text of blocks that cannot be followed here.
        """
        found = [block for block in guide_blocks() if block.section == section]
        assert found, f"the guide has no section {section} with commands"
        assert set(without) <= {block.text for block in found}
        return [self.do(block) for block in found if block.text not in without]

    def do(self, block: Block) -> str:
        """Do what one block says; return what was printed."""
        text = self._replace(block.text)
        match block.language:
            case "bash":
                return self._run(text)
            case "sql":
                self.run_sql(block.label, text)
            case "json":
                self._set(json.loads(text), replaces=block.label == "settings")
            case _:
                raise AssertionError(f"nobody knows what to do with {block}")
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
        """Put settings into the environment's block of cdk.json, in their place or beside them."""
        file = self.directory / "staging-sync" / "cdk.json"
        content = json.loads(file.read_text())
        environments = content["context"]["environments"]
        before = {} if replaces else environments["staging"]
        environments["staging"] = {**before, **block, **self.settings}
        file.write_text(json.dumps(content))

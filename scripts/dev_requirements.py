"""Print the development requirements of pyproject.toml, one a line: the one place that lists them."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
sys.stdout.write("\n".join(line.replace(" ", "") for line in project["optional-dependencies"]["dev"]) + "\n")

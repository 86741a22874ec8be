"""The machine that measurements were taken on."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from local.java import java_home


def named(described: dict[str, Any]) -> str:
    """The machine in a few words, of what `describe` says."""
    return f"{described['cpu']}, {described['cores']} cores, {described['memory_gib']} GiB"


def describe() -> dict[str, Any]:
    """Processor, cores, memory in GiB, and the versions of system, Python and Java."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    command = [str(java_home() / "bin" / "java"), "-version"]
    java = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": java.stderr.splitlines()[0],
    }

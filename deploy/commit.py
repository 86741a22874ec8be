"""Whether what is shipped is committed, so that a commit tells what runs somewhere, and brings it back."""

import logging
import subprocess
from pathlib import Path

from deploy.errors import DeployError
from deploy.plan import FOLDERS
from medallion.release import PACKAGES

SHIPPED = sorted({*FOLDERS, *PACKAGES, "requirements.txt"})
STATUS = ("git", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *SHIPPED)

log = logging.getLogger(__name__)


def require_committed(root: Path) -> None:
    """Raises DeployError where a shipped file differs from the commit; without git it is shipped as it is."""
    try:
        done = subprocess.run(STATUS, cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        log.warning("There is no git: what is shipped is not compared with a commit")
        return
    if done.returncode:
        log.warning("What is shipped is not compared with a commit: %s", done.stderr.strip())
        return
    # Each is two letters for what differs, a space and the name.
    changed = [entry[3:] for entry in done.stdout.split("\0") if entry]
    if changed:
        raise DeployError(
            "The checkout: expected files as they are committed, got others:\n  "
            + "\n  ".join(changed)
            + "\nNext: commit them, or set them aside (git stash --include-untracked). DRY_RUN=1 only looks."
        )

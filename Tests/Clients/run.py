"""Asks `vestige serve` with the clients that people already have, and other servers with `vestige query --on`.

    python3 Tests/Clients/run.py [path of vestige]

The clients are installed once, into .build/clients.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = ROOT / ".build" / "clients"


def interpreter():
    """A Python with the pinned clients."""
    stamp = HOME / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    python = HOME / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return python


def main():
    vestige = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build" / "release" / "vestige").resolve()
    python = interpreter()
    if pathlib.Path(sys.executable) != python:
        sys.exit(subprocess.run([python, __file__, vestige]).returncode)
    with tempfile.TemporaryDirectory() as folder:
        workspace = os.path.join(folder, "clients.vestige")
        # A small world, collected from the lab.
        subprocess.run(
            [vestige, "demo", "--no-serve", "--quiet", "--devices", "60", "--ot-devices", "20", "--days", "2", "--workspace", workspace],
            check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        server = subprocess.Popen(
            [vestige, "serve", "--workspace", workspace, "--listen", "127.0.0.1:0"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        try:
            address = None
            for line in server.stderr:
                if match := re.search(r"http://[0-9.]+:[0-9]+", line):
                    address = match.group()
                    break
            if not address:
                sys.exit("vestige serve did not start")
            os.environ |= {"VESTIGE": str(vestige), "VESTIGE_URL": address, "VESTIGE_WORKSPACE": workspace, "VESTIGE_ROOT": str(ROOT)}
            suite = unittest.defaultTestLoader.discover(str(HERE), "test_*.py")
            result = unittest.TextTestRunner(verbosity=2).run(suite)
        finally:
            server.terminate()
            server.wait(timeout=20)
            server.stderr.close()
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()

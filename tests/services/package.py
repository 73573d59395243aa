"""The Debian package."""

import glob
import os
import subprocess

BUILT_AS = {"DEB_BUILD_OPTIONS": "noautodbgsym werror", "FLIPBACK_COMMIT": "0123456789ab", "SOURCE_DATE_EPOCH": "1700000000"}


def built(tree, into):
    """The package, from this tree. What CI has compiled is compiled the same way, and taken from ccache."""
    done = subprocess.run([os.path.join(tree, "packaging", "build-deb"), into], env=dict(os.environ, **BUILT_AS), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    [package] = glob.glob(os.path.join(into, "*.deb"))
    return package

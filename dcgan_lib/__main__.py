"""`python -m dcgan_lib` is the command `dcgan`."""

import sys

from dcgan_lib.cli import main

sys.exit(main())

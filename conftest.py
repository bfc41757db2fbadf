"""What every test run needs: notebooks, which nbval runs in their own folder, are kept short."""

import os

os.environ["DCGAN_PROFILE"] = "quick"
if os.environ.get("DCGAN_DATA"):
    os.environ["DCGAN_DATA"] = os.path.abspath(os.environ["DCGAN_DATA"])

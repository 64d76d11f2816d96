"""An ELT service: files and JSON APIs into PostgreSQL, exactly once."""

import atexit
import gc
import os

__version__ = "0.1.0"

# numpy would start a thread for each core that waits busily; nothing here multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What modules make when they load stays: to look for garbage among it again and again, and once
# more at the end, takes 0.15 s of each process.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

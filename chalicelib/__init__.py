"""An ELT service: files and JSON APIs into PostgreSQL, exactly once."""

import atexit
import gc
import os

__version__ = "0.1.0"

# numpy would start a thread for each core that waits busily; nothing here multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What modules make when they load stays: to look for garbage among it so often, for nothing,
# takes a tenth of that time, and to look through all of it once more at the end 0.1 s.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

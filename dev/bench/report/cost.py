"""What a gigabyte costs on AWS Lambda, modelled, beside the least that a job of AWS Glue costs.

Prices in US dollars, list prices of us-east-1 without the free tier, as of 2025:
https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/glue/pricing/. The database, S3
and the network are the same for both and left out.
"""

from __future__ import annotations

GB_SECOND = 0.0000166667
"""Of memory, on x86."""
DISK_GB_SECOND = 0.0000000309
"""Of ephemeral storage beyond 512 MB."""
REQUEST = 0.20 / 1_000_000
MEMORY_GB = 1769 / 1024
"""Where Lambda gives one whole core."""
FREE_DISK_GB = 0.5
DISK_PER_GB = 2.0
"""What was read, and the combined CSV."""

DPU_HOUR = 0.44
GLUE_DPUS = 2
GLUE_SECONDS = 60
"""The fewest DPUs of a Spark job, and the shortest time that is billed."""

FORMULA = (
    "seconds × (1,769 / 1,024 GB × $0.0000166667 + (2 × GB read − 0.5) GB of disk × "
    "$0.0000000309) + $0.0000002 a request"
)


def of_lambda(seconds: float, gigabytes: float) -> float:
    """Dollars for one invocation of so many seconds that reads so many gigabytes."""
    disk = max(0.0, DISK_PER_GB * gigabytes - FREE_DISK_GB)
    return seconds * (MEMORY_GB * GB_SECOND + disk * DISK_GB_SECOND) + REQUEST


def of_glue() -> float:
    """Dollars for the smallest Spark job, however little it does."""
    return GLUE_DPUS * DPU_HOUR * GLUE_SECONDS / 3600

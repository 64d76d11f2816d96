"""An ELT service: files and JSON APIs into PostgreSQL, exactly once."""

__version__ = "0.1.0"

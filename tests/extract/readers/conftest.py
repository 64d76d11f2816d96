from tests.extract.readers.support import read

__all__ = ["read"]

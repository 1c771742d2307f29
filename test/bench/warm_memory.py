"""Memory that a virtual machine has got from its host and does not give back.

A host takes back what lies free in pieces of 2 MiB within a second or two, and to get it again takes longer than to copy
into it: 2 GiB then take 3 s instead of 1 s, whoever writes them. So a file is written into memory and most of it thrown
away again: a page of each MiB stays, and what is free between those is never free in one large piece.
"""
import ctypes
import os

MIB = 1 << 20
PAGE = 4096
PUNCH_HOLE_KEEP_SIZE = 3
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def keep(path, size):
    """As long as the file is there, in a file system in memory, `size` bytes are warm."""
    with open(path, "wb", buffering=0) as out:
        for _ in range(size // MIB):
            out.write(bytes(MIB))
        for at in range(0, size // MIB * MIB, MIB):
            if _libc.fallocate(out.fileno(), PUNCH_HOLE_KEEP_SIZE, at + PAGE, MIB - PAGE) != 0:
                raise OSError(ctypes.get_errno(), "fallocate", path)

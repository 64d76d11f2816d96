"""A TCP port in front of a unix socket, for those who reach this machine by its network only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

BLOCK = 1 << 16


@contextmanager
def forwarded(socket: Path, address: str = "127.0.0.1") -> Iterator[int]:
    """Listen on a free port of the address while the context lasts; yields the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_serve(socket, address), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(socket: Path, address: str) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):  # either side may go at any time
            inner_reader, inner_writer = await asyncio.open_unix_connection(socket)
            with closing(inner_writer):
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    return await asyncio.start_server(connected, address, 0)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and that nothing more will."""
    while block := await reader.read(BLOCK):
        writer.write(block)
        await writer.drain()
    writer.write_eof()


async def _close(server: asyncio.Server) -> None:
    """Stop listening, and end what is still connected."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)

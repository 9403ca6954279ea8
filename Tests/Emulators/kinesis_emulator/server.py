"""HTTP/1.1 on asyncio: one thread, so that everything happens in one order."""
import asyncio
import http

MOST_HEADERS, MOST_BODY = 64 << 10, 32 << 20


class Connection(asyncio.Protocol):
    """Requests are answered in order; while one waits (delay, subscription), later bytes are kept."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.buffer, self.busy = bytearray(), False
        self.transport, self.task = None, None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def data_received(self, data):
        self.buffer += data
        while not self.busy and self._next():
            pass

    def _next(self):
        """Takes a request off the buffer and answers it; False when there is none yet."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MOST_HEADERS:
                self._refuse(431)
            return False
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        try:
            method, target, _ = lines[0].split(" ")
            headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
            length = int(headers.get("content-length", 0))
        except ValueError:
            return self._refuse(400)
        if "transfer-encoding" in headers:
            return self._refuse(411)
        if length > MOST_BODY:
            return self._refuse(413)
        if len(self.buffer) < end + 4 + length:
            return False
        body = bytes(self.buffer[end + 4:end + 4 + length])
        del self.buffer[:end + 4 + length]
        keep = headers.get("connection", "").lower() != "close"
        answer = self.emulator.handle(method, target, headers, body)
        if answer.how == "send" and not answer.seconds and answer.subscription is None:
            self._send(answer, keep)
        else:
            self.busy = True
            self.task = asyncio.ensure_future(self._later(answer, keep))
        return not self.transport.is_closing()

    def _refuse(self, status):
        self.transport.write(f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        self.transport.close()
        return False

    def _head(self, answer, *more):
        phrase = http.HTTPStatus(answer.status).phrase
        return ("\r\n".join([f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in answer.headers), *more]) + "\r\n\r\n").encode()

    def _send(self, answer, keep):
        head = self._head(answer, f"Content-Length: {len(answer.body)}", *([] if keep else ["Connection: close"]))
        if answer.how == "cut":
            answer.body, keep = answer.body[:len(answer.body) // 2], False
        self.transport.write(head + answer.body)
        if not keep:
            self.transport.close()

    async def _later(self, answer, keep):
        if answer.how in ("drop", "hang") and answer.subscription is not None:
            answer.subscription.forget()
        if answer.how == "drop":
            self.transport.close()
        elif answer.how != "hang":
            if answer.seconds:
                await asyncio.sleep(answer.seconds)
            if answer.subscription is not None:
                await self._follow(answer)
            else:
                self._send(answer, keep)
            self.busy = False
            while not self.busy and not self.transport.is_closing() and self._next():
                pass

    async def _follow(self, answer):
        """Sends a subscription's frames in chunks."""
        subscription = answer.subscription
        frames = subscription.frames()
        try:
            self.transport.write(self._head(answer, "Transfer-Encoding: chunked"))
            async for frame in frames:
                self.transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))
                await self.writable.wait()
        finally:
            await frames.aclose()
            subscription.forget()
        if subscription.abrupt:
            self.transport.abort()
        else:
            self.transport.write(b"0\r\n\r\n")


async def serve(emulator, host, port, started, tls=None):
    """Calls `started(port)` when it listens; runs until cancelled."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(emulator), host, port, backlog=1024, ssl=tls)
    started(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()

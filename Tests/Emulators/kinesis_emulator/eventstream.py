"""vnd.amazon.eventstream frames.

A frame: total length (u32), length of the headers (u32), CRC-32 of these eight bytes (u32), headers, payload, CRC-32 of all before
(u32); big endian. A header: length of its name (u8), name, type (u8; 7 is text), length of the value (u16), value.
"""
import struct
import zlib

JSON = "application/x-amz-json-1.1"


def frame(headers, payload):
    packed = b"".join(struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value.encode())) + value.encode()
                      for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return body + struct.pack("!I", zlib.crc32(body))


def event(kind, payload):
    return frame({":message-type": "event", ":event-type": kind, ":content-type": JSON}, payload)


def failure(kind, payload):
    return frame({":message-type": "exception", ":exception-type": kind, ":content-type": JSON}, payload)

import CZlib
import Dataflow

/// Compresses what is given into gzip members (RFC 1952), one after the other: together they are one valid file.
final class GzipWriter {
    private var stream = z_stream()
    private var isOpen = false
    private var hasMember = false

    init() {
        // 15 + 16: the largest window, with gzip's header and trailer.
        let result = deflateInit2_(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib has no memory: \(result)")
        isOpen = true
    }

    deinit { if isOpen { deflateEnd(&stream) } }

    func write(_ bytes: UnsafePointer<UInt8>, _ count: Int, to output: TextBuffer) {
        guard count > 0 else { return }
        hasMember = true
        run(UnsafeMutablePointer(mutating: bytes), count, Z_NO_FLUSH, to: output)
    }

    /// Everything so far can be read; what follows is a member of its own.
    func endMember(to output: TextBuffer) {
        guard hasMember else { return }
        run(nil, 0, Z_FINISH, to: output)
        deflateReset(&stream)
        hasMember = false
    }

    private func run(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int, _ flush: Int32, to output: TextBuffer) {
        stream.next_in = bytes
        stream.avail_in = UInt32(count)
        repeat {
            let room = 64 << 10
            stream.next_out = output.reserve(room)
            stream.avail_out = UInt32(room)
            let result = deflate(&stream, flush)
            precondition(result != Z_STREAM_ERROR, "the state of a gzip stream is damaged")
            output.count += room - Int(stream.avail_out)
        } while stream.avail_out == 0
    }
}

/// Reads gzip members, one after the other, from pieces of any size.
final class GzipReader {
    private var stream = z_stream()
    private var isInMember = false

    init() {
        let result = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib has no memory: \(result)")
    }

    deinit { inflateEnd(&stream) }

    /// Whether the input so far ends between members.
    var isComplete: Bool { !isInMember }

    /// Reads from `input` and writes to `output`; answers how much of each was used. Both zero: more input is needed.
    func read(
        _ input: UnsafePointer<UInt8>, _ count: Int, into output: UnsafeMutablePointer<UInt8>, _ room: Int
    ) throws(MalformedValue) -> (read: Int, written: Int) {
        stream.next_in = UnsafeMutablePointer(mutating: input)
        stream.avail_in = UInt32(count)
        stream.next_out = output
        stream.avail_out = UInt32(room)
        while stream.avail_in > 0, stream.avail_out > 0 {
            isInMember = true
            let result = inflate(&stream, Z_NO_FLUSH)
            switch result {
            case Z_STREAM_END:
                isInMember = false
                inflateReset(&stream)
            case Z_OK: continue
            case Z_BUF_ERROR: return (count - Int(stream.avail_in), room - Int(stream.avail_out))
            default: throw MalformedValue("the file is no gzip, or damaged (\(stream.msg.map { String(cString: $0) } ?? "zlib says \(result)"))")
            }
        }
        // What the window still holds comes out with no more input.
        if stream.avail_out > 0, isInMember {
            let result = inflate(&stream, Z_SYNC_FLUSH)
            if result == Z_STREAM_END {
                isInMember = false
                inflateReset(&stream)
            }
        }
        return (count - Int(stream.avail_in), room - Int(stream.avail_out))
    }

    /// The text of a piece that is in memory.
    func append(_ piece: [UInt8], to text: inout [UInt8]) throws(MalformedValue) {
        var at = 0
        let room = 256 << 10
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        defer { buffer.deallocate() }
        while true {
            var used = (read: 0, written: 0)
            let result = piece.withUnsafeBufferPointer { raw -> Result<(read: Int, written: Int), MalformedValue> in
                guard let base = raw.baseAddress else { return .success((0, 0)) }
                do throws(MalformedValue) { return .success(try read(base + at, piece.count - at, into: buffer, room)) } catch { return .failure(error) }
            }
            used = try result.get()
            if used.read == 0, used.written == 0 { return }
            at += used.read
            text.append(contentsOf: UnsafeBufferPointer(start: buffer, count: used.written))
        }
    }
}

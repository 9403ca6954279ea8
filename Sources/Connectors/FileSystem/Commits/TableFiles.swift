import CKernels
import Dataflow
import Glibc

/// All that lies at a table's path, for whoever looks at it from outside.
package struct TableFiles {
    package struct File: Hashable {
        /// Below the table's path.
        package var path: String
        package var bytes: Int64
    }

    private enum Place {
        case folder(String)
        case bucket(any Bucket, prefix: String)
    }

    /// Files that readers see, sorted.
    package private(set) var files: [File] = []
    /// Files and uploads that no commit has made visible, sorted, in words.
    package private(set) var uncommitted: [String] = []
    /// Lists of commits, sorted.
    private var lists: [String] = []
    private let place: Place

    /// Throws when there is nothing at the path.
    package init(_ path: String, _ buckets: Buckets = .s3()) throws(StreamError) {
        switch try TablePath(path) {
        case .folder(let folder):
            place = .folder(folder)
            guard try FilePath.status(folder)?.isFolder == true else { throw StreamError(.user, retry: false, "there is no folder \(folder)") }
            try collect(folder, "")
        case .bucket(let name, let key):
            let bucket = try buckets.open(name, [:]), prefix = key.isEmpty ? "" : key + "/"
            place = .bucket(bucket, prefix: prefix)
            do throws(BucketError) {
                for object in try bucket.list(prefix: prefix) { add(String(object.key.dropFirst(prefix.count)), Int64(object.bytes)) }
                for upload in try bucket.openUploads(prefix: prefix) { uncommitted.append("\(upload.key.dropFirst(prefix.count)) (open upload \(upload.upload))") }
            } catch {
                throw error.streamError
            }
        }
        uncommitted.sort()
    }

    private mutating func collect(_ folder: String, _ below: String) throws(StreamError) {
        for name in try FilePath.names(folder) {
            let path = FilePath.join(folder, name), relative = below.isEmpty ? name : "\(below)/\(name)"
            // A file may go between listing and looking.
            guard let status = try FilePath.status(path) else { continue }
            if status.isFolder { try collect(path, relative) } else { add(relative, status.size) }
        }
    }

    private mutating func add(_ path: String, _ bytes: Int64) {
        if path.hasPrefix(CommitList.folder + "/") {
            // Hidden ones are being written, or were when their process ended.
            if !FilePath.name(path).hasPrefix(".") { lists.append(path) }
            return
        }
        if PartName.isHidden(FilePath.name(path)) { return uncommitted.append("\(path) (\(bytes) bytes)") }
        let isSeen = !path.split(separator: "/").contains { $0.hasPrefix("_") || $0.hasPrefix(".") }
        if isSeen { files.append(File(path: path, bytes: bytes)) }
    }

    /// What commits say they made visible, in the order of the lists.
    package func entries() throws(StreamError) -> [CommitList.Entry] {
        var entries: [CommitList.Entry] = []
        for list in lists {
            var bytes: [UInt8] = []
            try read(list) { bytes += $0 }
            entries += try CommitList.entries(bytes)
        }
        return entries
    }

    /// CRC-32C of a file's bytes, 8 hex digits.
    package func checksum(_ path: String) throws(StreamError) -> String {
        var checksum: UInt32 = 0
        try read(path) { piece in checksum = piece.withUnsafeBytes { swiftwater_crc32c(checksum, $0.baseAddress, $0.count) } }
        return PartName.hex(checksum)
    }

    /// A file's bytes, piece by piece.
    func read(_ path: String, _ body: ([UInt8]) throws(StreamError) -> Void) throws(StreamError) {
        switch place {
        case .folder(let folder):
            let full = FilePath.join(folder, path)
            let file = open(full, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw FilePath.error("opening", full) }
            defer { close(file) }
            var piece = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = piece.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw FilePath.error("reading", full) }
                if count == 0 { return }
                try body(Array(piece[..<count]))
            }
        case .bucket(let bucket, let prefix):
            do throws(BucketError) {
                guard let object = try bucket.head(prefix + path) else { throw BucketError(.notFound, "\(bucket.uri)/\(prefix)\(path) has gone") }
                var at = 0
                while at < object.bytes {
                    let piece = try bucket.get(prefix + path, at..<min(at + (8 << 20), object.bytes), ifMatch: object.etag)
                    do throws(StreamError) { try body(piece) } catch { throw BucketError(.other(retry: error.retry), error.message) }
                    at += piece.count
                }
            } catch {
                throw error.streamError
            }
        }
    }
}

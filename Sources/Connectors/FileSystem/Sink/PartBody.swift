import Dataflow

/// Something that is known after waiting for uploads; may be asked for repeatedly, on any thread, and answers the same.
typealias Later<Value> = @Sendable () throws(StreamError) -> Value

/// A file that has ended, given the checkpoint that covers it; nil: there is nothing to commit.
typealias Ended = @Sendable (CheckpointID) throws(StreamError) -> Committable?

/// Where the bytes of one part file go: a local file, or a multipart upload.
protocol PartBody: AnyObject {
    /// Bytes so far, those that an earlier attempt wrote included.
    var length: Int64 { get }

    /// No more bytes fit in this file: it has to end.
    var isFull: Bool { get }

    func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(StreamError)

    /// Bytes that lie in memory, for whatever is to become of them; those that are on their way are not among them.
    var heldBytes: Int { get }

    /// Nothing comes for a while: lets go of descriptors. It can go on all the same.
    func rest()

    /// No byte follows. `file` tells the rest of what the committable says.
    func finish(_ file: FinishedFile) throws(StreamError) -> Ended

    /// The file as it is, for a successor, while it goes on. Nil: it cannot go on over a checkpoint.
    func suspend(_ file: FinishedFile) throws(StreamError) -> Later<OpenFile>?

    /// The task ends without a checkpoint, whether the file has ended or not: what no checkpoint can name is removed.
    func abandon()
}

/// What is known of a part file besides where it lies.
struct FinishedFile: Hashable, Sendable {
    /// Below the table's folder.
    var path: String
    /// The first checkpoint that covers the whole file.
    var checkpoint: CheckpointID
    var bytes: Int64 = 0
    var rows: Int64 = 0
    /// CRC-32C of its bytes.
    var checksum: UInt32 = 0
    var lineage = FileLineage()
}

/// Where a file stands among those of its writer, for whoever checks lists of commits (`Verification`).
struct FileLineage: Hashable, Sendable {
    /// Files that the writer ended right before this one: one, or after a restore those of the writers before.
    var after: [String] = []
    /// The savepoint or checkpoint of another job from which this one began, as `job@checkpoint`.
    var origin: String?
}

/// A kind of place for part files.
protocol PartStore: Sendable {
    /// Whether files may go on over checkpoints.
    var keepsFilesOpen: Bool { get }

    /// Bytes of a file that are held in memory until they are sent; 0: none.
    var partBytes: Int { get }

    /// As it is for a writer that should hold no more than so many bytes.
    func within(_ bytes: Int) -> any PartStore

    /// Throws when there is no such place: better as the job starts than when its first file is full.
    func probe() throws(StreamError)

    func makeBody(_ name: PartName, in folder: String, line: any UploadLine) throws(StreamError) -> any PartBody

    /// Takes over what a checkpoint says of a file that another attempt was writing; nil: nothing was uploaded, its tail may go into another file.
    func adopt(_ file: OpenFile, attempt: UInt32, line: any UploadLine) -> Adoption?

    /// What a committable is about. Throws when it cannot be committed any more, before anything is done.
    func check(_ committable: Committable) throws(StreamError) -> FinishedFile

    /// Makes a file visible that was checked. Idempotent, also when several processes do it at once.
    func commit(_ committable: Committable) throws(StreamError)

    /// Makes the renames durable that commits have done, in these folders below the table's.
    func settle(folders: [String]) throws(StreamError)

    /// Writes a small file that is seen, as a whole, when the answer is called. Where a reader may take a file the moment it is committed, the bytes are
    /// durable before that, and `names` knows them.
    func stage(_ path: String, _ bytes: [UInt8]) throws(StreamError) -> Staged

    /// The small files in a folder below the table's, and those that were staged there.
    func names(in folder: String) throws(StreamError) -> [String]

    func read(_ path: String) throws(StreamError) -> [UInt8]

    func discard(_ job: JobID, vertex: Int, attemptsBelow attempt: UInt32, depth: Int, keeping committables: [Committable]) throws(StreamError)
}

/// Shows what was staged.
typealias Staged = @Sendable () throws(StreamError) -> Void

extension PartStore {
    func probe() throws(StreamError) {}

    /// Writes a small file at once.
    func put(_ path: String, _ bytes: [UInt8]) throws(StreamError) { try stage(path, bytes)() }
}

/// A file that ends with what the checkpoint held of it.
struct Adoption: Sendable {
    var upload: PartUpload
    var ended: Ended
}

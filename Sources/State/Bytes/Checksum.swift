import CKernels

/// CRC-32C, the checksum of state objects and manifests.
package enum Checksum {
    package static func crc32c(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32c($0) } }

    package static func crc32c(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return crc }
        return swiftwater_crc32c(crc, start, bytes.count)
    }
}

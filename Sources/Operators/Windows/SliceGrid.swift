import Dataflow

/// Which slices and windows a time belongs to. All in milliseconds since the epoch.
///
/// Times beyond ±2^62 count as that, so that no sum here overflows; windows are far shorter.
struct SliceGrid {
    static let limit: Int64 = 1 << 62

    /// Length of a slice.
    let slice: Int64
    private let size: Int64
    private let slide: Int64
    private let offset: Int64

    init(_ window: WindowSpec) {
        slice = window.slice
        size = window.size
        slide = window.slide
        offset = window.offset
    }

    var windowSize: Int64 { size }

    @inline(__always) static func clamped(_ time: Int64) -> Int64 { min(max(time, -limit), limit) }

    /// The start of the slice that holds `time`.
    func start(of time: Int64) -> Int64 { SliceGrid.floor(SliceGrid.clamped(time), step: slice, offset: offset) }

    /// The end of the first window that holds a slice.
    func firstEnd(ofSlice start: Int64) -> Int64 { windowEnd(atLeast: start + slice) }

    /// The end of the last window that holds a slice; before `firstEnd` if windows have gaps and the slice lies in one.
    func lastEnd(ofSlice start: Int64) -> Int64 { SliceGrid.floor(start, step: slide, offset: offset) + size }

    func belongsToWindow(slice start: Int64) -> Bool { lastEnd(ofSlice: start) >= start + slice }

    /// Whether every window that holds the slice has fired.
    func isLate(slice start: Int64, watermark: Int64) -> Bool { lastEnd(ofSlice: start) - 1 <= watermark }

    /// The least window end that is ≥ `time`.
    func windowEnd(atLeast time: Int64) -> Int64 {
        let end = SliceGrid.floor(time - size, step: slide, offset: offset) + size
        return end >= time ? end : end + slide
    }

    /// The least window end that a watermark has not fired. Ends reach beyond `limit` by a window, and so must this.
    func firstEnd(after watermark: Int64) -> Int64 { windowEnd(atLeast: min(max(watermark, -SliceGrid.limit), Int64.max - size - slide - 2) + 2) }

    private static func floor(_ time: Int64, step: Int64, offset: Int64) -> Int64 {
        // Both remainders first: `time - offset` could leave the range.
        time - floorMod(floorMod(time, step) - floorMod(offset, step), step)
    }

    private static func floorMod(_ a: Int64, _ b: Int64) -> Int64 {
        let rest = a % b
        return rest < 0 ? rest + b : rest
    }
}

import Dataflow

/// The time of the step that is under way: what a task's operators know of time.
package final class TaskClock {
    package internal(set) var now = Now(instant: .zero, wallMilliseconds: 0)

    package init() {}
}

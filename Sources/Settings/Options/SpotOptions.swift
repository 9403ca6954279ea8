/// How a TaskManager learns that its machine will be taken away.
package enum SpotOptions {
    package static let watch = ConfigKey(
        "taskmanager.spot.watch", SpotWatch.auto,
        "Whether EC2's metadata service is watched for notices that the instance ends; auto: when it answers at the start, and calls the instance a Spot instance.")
    package static let interval = ConfigKey<Duration>(
        "taskmanager.spot.interval", .seconds(5), must: "from 1 s to 60 s", { $0 >= .seconds(1) && $0 <= .seconds(60) }, "Time between two looks at the metadata service.")
    package static let deadline = ConfigKey<Duration>(
        "taskmanager.spot.evacuation-timeout", .seconds(110), must: "longer than 0", { $0 > .zero },
        "After a Spot notice the TaskManager ends as soon as its tasks have moved to others, and after so long in any case; EC2 gives 120 s.")
    package static let evacuatesOnRebalance = ConfigKey(
        "taskmanager.spot.evacuate-on-rebalance", true,
        "Whether a rebalance recommendation moves the tasks away, early and without hurry; the TaskManager stays, empty, until the instance ends.")

    package static let price = ConfigKey<Double?>(
        "spot.price-per-hour", nil, must: "at least 0", { $0.map { $0 >= 0 } ?? true }, "What the machine of one TaskManager costs an hour as a Spot instance; for the money that the Spot page tells.")
    package static let onDemandPrice = ConfigKey<Double?>(
        "spot.on-demand-price-per-hour", nil, must: "at least 0", { $0.map { $0 >= 0 } ?? true }, "What it would cost an hour on demand.")
    package static let currency = ConfigKey("spot.currency", "USD", "Of these prices: three letters.")

    static let all: [any AnyConfigKey] = [watch, interval, deadline, evacuatesOnRebalance, price, onDemandPrice, currency]
}

package enum SpotWatch: String, ConfigChoice {
    case auto
    case on = "true"
    case off = "false"
}

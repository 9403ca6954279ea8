extension MetricSnapshot {
    /// The text that Prometheus scrapes, version 0.0.4: a `HELP` and a `TYPE` line a name, then its series in order.
    ///
    /// As Flink's reporter writes them: a counter is a gauge there, a meter its rate alone, a histogram a summary. `help` gives the words for a name.
    /// `filtersLabels`: in the values of labels, too, everything but letters, digits, `_` and `:` becomes `_`, as Flink has it unless told otherwise.
    /// Source: prometheus.io, "Text-based format"; Flink 2.x, `AbstractPrometheusReporter`.
    package func prometheusText(filtersLabels: Bool = false, help: (String) -> String? = { _ in nil }) -> String {
        func line(_ name: String, _ labels: [MetricLabel], _ value: String) -> String { seriesLine(name, labels, value, filtersLabels: filtersLabels) }
        var text = ""
        var previous: String?
        for (id, value) in all {
            let name = validName(id.name)
            if name != previous {
                text += "# HELP \(name) \(escaped(help(id.name) ?? id.name, quotes: false))\n# TYPE \(name) \(value.prometheusType)\n"
                previous = name
            }
            switch value {
            case .counter(let count): text += line(name, id.labels, "\(count)")
            case .gauge(let number, _): text += line(name, id.labels, written(number))
            case .meter(_, let perSecond): text += line(name, id.labels, written(perSecond))
            case .histogram(let histogram):
                for (share, words) in [(0.5, "0.5"), (0.75, "0.75"), (0.95, "0.95"), (0.98, "0.98"), (0.99, "0.99"), (0.999, "0.999")] {
                    text += line(name, id.labels + [MetricLabel("quantile", words)], "\(histogram.quantile(share))")
                }
                text += line(name + "_sum", id.labels, written(histogram.sum)) + line(name + "_count", id.labels, "\(histogram.count)")
            }
        }
        return text
    }
}

extension MetricValue {
    fileprivate var prometheusType: String {
        switch self {
        case .counter, .gauge, .meter: "gauge"
        case .histogram: "summary"
        }
    }
}

private func seriesLine(_ name: String, _ labels: [MetricLabel], _ value: String, filtersLabels: Bool) -> String {
    if labels.isEmpty { return "\(name) \(value)\n" }
    let pairs = labels.map { label in
        // A summary's quantile is no label of ours.
        let text = filtersLabels && label.name != "quantile" ? valid(label.value) : escaped(label.value, quotes: true)
        return "\(validName(label.name, colons: false))=\"\(text)\""
    }
    return "\(name){\(pairs.joined(separator: ","))} \(value)\n"
}

/// Whole numbers without a fraction; the special ones in Prometheus' words.
private func written(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
    return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
}

/// Letters, digits, `_` and (in metric names) `:`, not a digit first; everything else becomes `_`.
private func validName(_ name: String, colons: Bool = true) -> String {
    let name = valid(name, colons: colons)
    return name.isEmpty || name.first?.isNumber == true ? "_" + name : name
}

private func valid(_ text: String, colons: Bool = true) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { scalar in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": scalar
        case ":" where colons: scalar
        default: "_"
        }
    }))
}

private func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": escaped += "\\\\"
        case "\n": escaped += "\\n"
        case "\"" where quotes: escaped += "\\\""
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

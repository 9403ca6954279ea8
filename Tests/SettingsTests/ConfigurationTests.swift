import Settings
import Testing

@Suite struct ConfigurationTests {
    @Test func ourOwnDefaultsHold() {
        let configuration = Configuration()
        #expect(configuration.get(HeartbeatOptions.interval) == .seconds(1))
        #expect(configuration.get(HeartbeatOptions.timeout) == .seconds(4))
        #expect(configuration.get(PipelineOptions.localTimeZone) == "UTC")
        #expect(configuration.get(PipelineOptions.maxParallelism) == 720)
        #expect(configuration.get(RestartOptions.type) == .exponentialDelay)
        #expect(configuration.get(CheckpointingOptions.interval) == nil)
        #expect(configuration.get(CheckpointingOptions.timeout) == .seconds(600))
        #expect(configuration.get(RestOptions.port) == 8081)
        #expect(configuration.get(JobManagerOptions.rpcPort) == 6123)
        #expect(configuration.get(TaskManagerOptions.rpcPort).ports == [6122])
        #expect(configuration.get(PipelineOptions.autoWatermarkInterval) == .milliseconds(200))
        #expect(configuration.masked.isEmpty)
    }

    @Test func everyDefaultIsAValueOfItsKeyAndReadsBackEqual() {
        for key in Catalogue.keys {
            if let text = key.fallbackText { #expect(key.problem(with: text) == nil, "\(key.name) = \(text)") }
            #expect(key.documentation.hasSuffix("."), "\(key.name)")
        }
        #expect(Set(Catalogue.keys.map(\.name)).count == Catalogue.keys.count)
    }

    @Test func setBeatsDynamicBeatsConfigBeatsLegacy() throws {
        try withFolder([
            "flink-conf.yaml": "parallelism.default: 2\nrest.port: 1\ntaskmanager.numberOfTaskSlots: 3\njobmanager.rpc.port: 7\n",
            "config.yaml": "rest:\n  port: 2\ntaskmanager.numberOfTaskSlots: 4\nparallelism:\n  default: 5\n",
        ]) { folder in
            let loaded = try Configuration.load(folder: folder, dynamic: ["rest.port=3", "parallelism.default = 6"])
            let set = try loaded.setting("parallelism.default", to: "7")
            #expect(set.get(PipelineOptions.parallelism) == 7)
            #expect(loaded.get(PipelineOptions.parallelism) == 6)
            #expect(loaded.get(RestOptions.port) == 3)
            #expect(loaded.get(TaskManagerOptions.slots) == 4)
            #expect(loaded.get(JobManagerOptions.rpcPort) == 7)
            #expect(set.resetting("parallelism.default", to: loaded) == loaded)
            #expect(loaded.origin(of: "taskmanager.numberOfTaskSlots") == .file(path: folder + "/config.yaml", line: 3))
            #expect(loaded.warnings == [])
        }
    }

    @Test func aMissingFolderMeansDefaults() throws {
        let configuration = try Configuration.load(folder: "/nowhere/at/all")
        #expect(configuration == Configuration())
    }

    @Test func oldNamesMeanTheNewOnes() throws {
        let configuration = try load(config: """
            state.checkpoints.dir: /a
            restart-strategy: fixeddelay
            high-availability: org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory
            state.savepoints.dir: /old
            execution.checkpointing.savepoint-dir: /new
            security.ssl.keystore: both.p12
            """)
        #expect(configuration.get(CheckpointingOptions.directory) == "/a")
        #expect(configuration.get(RestartOptions.type) == .fixedDelay)
        #expect(configuration.get(HighAvailabilityOptions.type) == .kubernetes)
        #expect(configuration.get(CheckpointingOptions.savepointDirectory) == "/new")
        #expect(configuration.get(SecurityOptions.internal.keystore) == "both.p12")
        #expect(configuration.get(SecurityOptions.rest.keystore) == "both.p12")
        #expect(configuration.values["state.checkpoints.dir"] == nil)
        #expect(try configuration.setting("state.checkpoints.dir", to: "/b").get(CheckpointingOptions.directory) == "/b")
    }

    @Test func unknownKeysWarnWithANearNameAndNeverFail() throws {
        let configuration = try load(config: """
            execution.checkpointing.intervall: 10 s
            my.own: 1
            env.java.opts: -Xmx1g
            taskmanager.memory.managed.fraction: 0.4
            taskmanager.memory.process.sise: 1g
            metrics.reporter.prom.port: 9249
            """)
        #expect(configuration.warnings.map { String($0[$0.lastIndex(of: "/")!...].dropFirst()) } == [
            "config.yaml:1: unknown key execution.checkpointing.intervall; did you mean execution.checkpointing.interval?",
            "config.yaml:2: unknown key my.own",
            "config.yaml:5: taskmanager.memory.process.sise has no effect here; did you mean taskmanager.memory.process.size?",
        ])
        #expect(configuration.text("metrics.reporter.prom.port") == "9249")
        #expect(configuration.text("my.own") == "1")
    }

    @Test func whatIsNoKeyWithAValueIsToldAndIgnored() throws {
        let configuration = try load(config: """
            my.list: &list [a, "b c", 3]
            again: *list
            mixed: [1, {b: 2}]
            [x, y]: 1
            nothing: ~
            my.word: "~"
            """)
        #expect(configuration.text("my.list") == "a;b c;3")
        #expect(configuration.text("my.word") == "~")
        let ignored = configuration.warnings.filter { $0.contains("ignored") }
        #expect(ignored.map { String($0[$0.lastIndex(of: "/")!...].dropFirst()) } == [
            "config.yaml:2: again is an alias and is ignored", "config.yaml:3: mixed holds more than a list of words and is ignored",
            "config.yaml:4: a key that is not a word is ignored", "config.yaml:5: nothing has no value and is ignored",
        ])
    }

    @Test func badValuesNameTheirPlaceAndWhatWasExpected() throws {
        try withFolder(["config.yaml": "rest:\n  port: 99999\nheartbeat.interval: soon\n", "flink-conf.yaml": "# c\nparallelism.default: 0\n"]) { folder in
            let error = #expect(throws: ConfigError.self) { try Configuration.load(folder: folder, dynamic: ["scheduler-mode=fast", "nonsense"]) }
            #expect(error?.problems == [
                "\(folder)/flink-conf.yaml:2: parallelism.default is \"0\", expected an integer, at least 1",
                "\(folder)/config.yaml:2: rest.port is \"99999\", expected an integer, a port from 0 to 65535",
                "\(folder)/config.yaml:3: heartbeat.interval is \"soon\", expected a duration such as 10 s, 200 ms, 1 min, 1 h or 1 d, longer than 0",
                "-D nonsense: expected key=value",
                "-D: scheduler-mode is \"fast\", expected one of none, reactive",
            ])
        }
        #expect(throws: ConfigError(["SET in line 4: parallelism.default is \"x\", expected an integer, at least 1"])) {
            try Configuration().setting("parallelism.default", to: "x", origin: .set(line: 4))
        }
    }

    @Test func brokenYAMLNamesItsLine() throws {
        for (text, place) in [
            ("a: 1\nb: [\n", "config.yaml:3:1: not YAML: "), ("a: 1\nb:\n  c: 1\n  c: 2\n", "config.yaml:4: given twice: c"),
            ("- a\n", "config.yaml:1: expected key: value, found a list"), ("just words\n", "config.yaml:1: expected key: value"),
            ("a: 1\n---\nb: 2\n", "config.yaml:2:1: not YAML: a second document begins"), ("a: \u{1}\n", "config.yaml: not YAML: "),
            ("a: " + String(repeating: "[", count: 1_000), "config.yaml:1:103: not YAML: nested too deeply"),
        ] {
            let error = #expect(throws: ConfigError.self) { try load(config: text) }
            #expect(error?.description.contains(place) == true, "\(String(describing: error))")
        }
        #expect(try load(config: "") == Configuration())
        #expect(try load(config: "# nothing\n---\n") == Configuration())
    }

    @Test func secretsAreMaskedForPeopleAndKeptForProcesses() throws {
        let configuration = try load(config: """
            security.ssl.internal.key-password: hunter2
            s3.access-key: AKIA
            s3.secret-key: xyz
            fs.azure.account.key.me: k
            rest.port: 1234
            """)
        #expect(configuration.masked.map { "\($0.name)=\($0.value)" } == [
            "fs.azure.account.key.me=******", "rest.port=1234", "s3.access-key=******", "s3.secret-key=******",
            "security.ssl.internal.key-password=******",
        ])
        #expect(configuration.get(SecurityOptions.internal.keyPassword) == "hunter2")
        let shipped = try Configuration(values: configuration.values)
        #expect(shipped.values == configuration.values)
        for (value, shown) in [
            ("jdbc:postgresql://u:hunter2@h/db?ssl=true", "jdbc:postgresql://u:******@h/db?ssl=true"), ("-Dx=1 -Dmy.password=hunter2 -Dy=2", "-Dx=1 -Dmy.password=****** -Dy=2"),
            ("https://h/p?a=b&sasl.password=hunter2", "https://h/p?a=b&sasl.password=******"), ("s3://bucket/folder@2", "s3://bucket/folder@2"),
        ] {
            #expect(Secrets.masked(value, of: "my.url") == shown)
        }
        let error = #expect(throws: ConfigError.self) { try Configuration.load(folder: "/nowhere", dynamic: ["my.secret"]) }
        #expect(error?.description.contains("******") == true)
    }

    @Test func typedValuesAreWrittenAndRead() throws {
        let configuration = try Configuration().setting(CheckpointingOptions.interval, to: .milliseconds(1500)).setting(RestartOptions.type, to: .none)
        #expect(configuration.values == ["execution.checkpointing.interval": "1500 ms", "restart-strategy.type": "none"])
        #expect(configuration.get(CheckpointingOptions.interval) == .milliseconds(1500))
        #expect(try configuration.setting(CheckpointingOptions.interval, to: nil).isSet(CheckpointingOptions.interval) == false)
    }

    @Test func theLegacyFileTakesLinesAsTheyStand() throws {
        try withFolder(["flink-conf.yaml": """
            # a comment
            jobmanager.rpc.address: flink-jobmanager  # where
            high-availability.storageDir: s3a://bucket/recovery
            pipeline.name: "a: b"
            web.upload.dir: /x#y
            rest.address:
            no colon here
            scheduler-mode: reactive
            """]) { folder in
            let configuration = try Configuration.load(folder: folder)
            #expect(configuration.get(JobManagerOptions.rpcAddress) == "flink-jobmanager")
            #expect(configuration.get(HighAvailabilityOptions.storageDirectory) == "s3a://bucket/recovery")
            #expect(configuration.get(PipelineOptions.name) == "a: b")
            #expect(configuration.get(RestOptions.uploadDirectory) == "/x#y")
            #expect(configuration.get(JobManagerOptions.schedulerMode) == .reactive)
            #expect(configuration.warnings == [
                "\(folder)/flink-conf.yaml:6: rest.address has no value and is ignored", "\(folder)/flink-conf.yaml:7: expected key: value",
            ])
        }
    }
}

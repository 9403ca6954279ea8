import Dataflow
import JobControl
import Testing
import Wire

/// HEAD's keeper against a store whose answers are chosen by hand.
struct HeadStories {
    private struct Desk {
        var keeper = HeadKeeper(job: Story.job)
        var draw = Draw(seed: 3)
        var time: Instant = .zero
        var open: (ticket: Ticket, request: StoreRequest)?
        var said: [HeadKeeper.Effect] = []
        var stored: (bytes: [UInt8], etag: String)?
        var writes = 0

        mutating func note(_ effects: [HeadKeeper.Effect]) {
            keeper.checkInvariants()
            for effect in effects {
                if case .store(let ticket, let request) = effect { open = (ticket, request) } else { said.append(effect) }
            }
        }

        mutating func claim() { note(keeper.claim(epoch: 1, draw: &draw)) }
        mutating func change(_ body: (inout Head) -> Void) -> Int {
            let (change, effects) = keeper.change(draw: &draw, body)
            note(effects)
            return change
        }

        mutating func answer(_ answer: StoreAnswer) {
            guard let (ticket, _) = open else { return }
            open = nil
            note(keeper.stored(ticket, answer, at: time, draw: &draw) ?? [])
            while open == nil, let due = keeper.deadline {
                time = max(time, due)
                note(keeper.timer(at: time, draw: &draw))
            }
        }

        /// What the request does to the store, whatever is answered.
        mutating func perform() -> StoreAnswer {
            switch open!.request {
            case .get: return stored.map { .got($0.bytes, etag: $0.etag) } ?? .notFound
            case .put(_, let bytes, let condition):
                switch condition {
                case .none: break
                case .ifNoneMatch: if stored != nil { return .conflict }
                case .ifMatch(let tag): if stored?.etag != tag { return .conflict }
                }
                writes += 1
                stored = (bytes, "e\(writes)")
                return .put(etag: "e\(writes)")
            case .list, .delete: return .deleted
            }
        }

        mutating func work() { while open != nil { answer(perform()) } }

        var head: Head? { stored.flatMap { SealedJSON.decode(Head.self, $0.bytes) } }

        mutating func write(_ body: (inout Head) -> Void) {
            var head = head ?? Head(job: Story.job, leaderEpoch: 0)
            body(&head)
            writes += 1
            stored = (SealedJSON.encode(head), "e\(writes)")
        }

        static func claimed() -> Desk {
            var desk = Desk()
            desk.claim()
            desk.work()
            desk.said = []
            return desk
        }
    }

    private static let unknown = StoreAnswer.failed("timeout", mayHaveHappened: true)

    @Test func aNewJobsHeadIsCreated() {
        var desk = Desk()
        desk.claim()
        desk.work()
        #expect(desk.head?.leaderEpoch == 1)
        #expect(desk.said == [.claimed(desk.head!)])
    }

    @Test func aClaimExceedsTheEpochThatItFinds() {
        var desk = Desk()
        desk.write { $0.leaderEpoch = 7; $0.lastCheckpoint = 30 }
        desk.claim()
        desk.work()
        #expect(desk.head?.leaderEpoch == 8)
        #expect(desk.head?.lastCheckpoint == 30)
    }

    @Test func oneOfTwoClaimsWins() {
        var desk = Desk()
        desk.claim()
        desk.answer(desk.perform())  // Found nothing; now it puts.
        desk.write { $0.leaderEpoch = 1; $0.nonce = 99 }
        desk.work()
        #expect(desk.said == [.lost(1)])
    }

    @Test func aPutOfUnknownOutcomeThatHappenedIsPublished() {
        var desk = Desk.claimed()
        let change = desk.change { $0.attempt = 5 }
        _ = desk.perform()
        desk.answer(Self.unknown)
        desk.work()
        #expect(desk.said == [.published(through: change)])
        #expect(desk.head?.attempt == 5)
    }

    @Test func aPutOfUnknownOutcomeThatDidNotHappenIsRepeatedWithTheSameBytes() {
        var desk = Desk.claimed()
        let change = desk.change { $0.attempt = 5 }
        let first = desk.open?.request
        desk.answer(Self.unknown)
        #expect(desk.open?.request == .get(key: desk.keeper.key))
        desk.answer(desk.perform())
        #expect(desk.open?.request == first)
        desk.work()
        // Whoever waits for it reads in the log why.
        #expect(desk.said == [.slow("timeout"), .published(through: change)])
    }

    @Test func aPutThatLandsLateIsRecognised() {
        var desk = Desk.claimed()
        let change = desk.change { $0.attempt = 5 }
        desk.answer(Self.unknown)
        desk.answer(desk.perform())  // Read: the old value. It is put again …
        _ = desk.perform()  // … but the first one lands now,
        desk.work()  // so that the second one conflicts, and reading shows the own nonce.
        #expect(desk.said == [.slow("timeout"), .published(through: change)])
    }

    @Test func aClaimThatLandsLateIsRecognised() {
        var desk = Desk()
        desk.claim()
        desk.answer(desk.perform())
        desk.answer(Self.unknown)
        desk.answer(desk.perform())
        _ = desk.perform()
        desk.work()
        #expect(desk.said.first == .slow("timeout") && desk.said.count == 2)
        #expect(desk.said.contains { if case .claimed = $0 { true } else { false } })
    }

    @Test func aNewerEpochEndsThisLeadersWork() {
        var desk = Desk.claimed()
        desk.write { $0.leaderEpoch = 2; $0.nonce = 1 }
        _ = desk.change { $0.attempt = 5 }
        desk.work()
        #expect(desk.said == [.lost(2)])
        #expect(desk.head?.attempt == 0)
    }

    @Test func changesDuringAPutGoTogetherInTheNextOne() {
        var desk = Desk.claimed()
        let first = desk.change { $0.attempt = 1 }
        _ = desk.change { $0.attempt = 2 }
        let last = desk.change { $0.attempt = 3 }
        let writes = desk.writes
        desk.work()
        #expect(desk.said == [.published(through: first), .published(through: last)])
        #expect(desk.writes == writes + 2)
        #expect(desk.head?.attempt == 3)
    }

    @Test func aDamagedHeadIsLeftAlone() {
        var desk = Desk()
        desk.stored = (Array("{".utf8), "e0")
        desk.claim()
        desk.work()
        guard case .damaged? = desk.said.first else { return #expect(Bool(false), "damaged") }
        #expect(desk.stored?.etag == "e0")
    }

    @Test func aDeposedLeaderStopsActing() {
        var story = Story.running()
        let bytes = story.objects["/chk"]!["\(Story.job)/HEAD"]!.bytes
        var head = SealedJSON.decode(Head.self, bytes)!
        head.leaderEpoch += 1
        head.nonce = 77
        story.objects["/chk"]!["\(Story.job)/HEAD"] = (SealedJSON.encode(head), "other")
        story.committables[SubtaskID(vertex: 1, index: 0)] = ["f"]
        story.forget()
        story.wait(.seconds(2))
        #expect(story.phase == .suspended)
        #expect(!story.sent.contains { if case .commit = $0 { true } else { false } })
        #expect(!story.sent.contains { if case .completed = $0 { true } else { false } })
        story.forget()
        story.wait(.seconds(20))
        #expect(story.sent.allSatisfy { if case .heartbeat = $0 { true } else { false } })
    }

    @Test func aNewLeaderContinuesFromHead() {
        var story = Story.running()
        story.wait(.milliseconds(2500))
        #expect(story.triggered == [1, 2])
        var next = Story(seed: 2)
        next.objects = story.objects
        next.connect("w9")
        next.submit()
        #expect(next.phase == .running)
        #expect(next.attempt == 2)
        #expect(next.machine.view.leaderEpoch == 2)
        let restore: [Deployment.Restore] = next.effects.compactMap { effect -> Deployment.Restore? in
            if case .send(.deploy(let deployment), let epoch, _) = effect {
                #expect(epoch == 2)
                return deployment.restore
            }
            return nil
        }
        #expect(restore.map(\.checkpoint) == [2])
        next.wait(.milliseconds(1500))
        #expect(next.triggered.count == 1 && next.triggered[0] > 2)
    }
}

import Language

/// Frees what closures held one after the other, so that a chain of closures of any length needs no stack to go.
final class Graveyard {
    private var pending: [Value] = []
    private var isBusy = false

    /// Takes the `count` values at `place` out and frees them: now, or when the release under way comes to them.
    func bury(_ place: UnsafeMutablePointer<Value>, count: Int) {
        guard !isBusy else {
            for index in 0..<count { pending.append((place + index).move()) }
            return
        }
        isBusy = true
        place.deinitialize(count: count)
        while let value = pending.popLast() { _ = consume value }
        isBusy = false
    }
}

/// An object that stays with the session that made it, or with meta itself (owner `meta`).
public struct Reference: Hashable, Sendable {
    /// The owner's session name.
    public let owner: String
    /// Which start of that session; a later one knows nothing of earlier objects.
    public let generation: Int
    /// From 1; never used twice in one generation.
    public let number: Int

    public init(owner: String, generation: Int, number: Int) {
        self.owner = owner
        self.generation = generation
        self.number = number
    }
}

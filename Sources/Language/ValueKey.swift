import BigInt

/// A value as `=` sees it, or `identical?`: what is equal has one hash.
public struct ValueKey: Hashable {
    private let value: Value
    private let isExact: Bool

    public init(_ value: Value) {
        self.init(value, isExact: false)
    }

    init(_ value: Value, isExact: Bool) {
        self.value = (try? value.unwrapped()) ?? value
        self.isExact = isExact
    }

    public static func == (left: ValueKey, right: ValueKey) -> Bool {
        let (a, b) = (left.value, right.value)
        return (try? left.isExact ? Value.identical(a, b) : Value.equal(a, b)) ?? false
    }

    public func hash(into hasher: inout Hasher) {
        switch value {
        case .null: hasher.combine(0)
        case .bool(let flag): hasher.combine(flag)
        case .int(let int): hasher.combine(int)
        case .double(let double): Self.hash(double, into: &hasher)
        case .big(let big): hasher.combine(Double(big.value))
        case .string(let text): hasher.combine(text.string)
        case .symbol(let symbol), .keyword(let symbol): hasher.combine(symbol.name)
        case .list(let items), .vector(let items): Self.hash(items.elements, into: &hasher)
        case .object(let object): hasher.combine(object.entries.count)
        case .tagged(let tagged): Self.hash(tagged, into: &hasher)
        case .function(let function): hasher.combine(ObjectIdentifier(function))
        case .error(let error): hasher.combine(error.message)
        case .meta, .cell: hasher.combine(1)
        }
    }

    private static func hash(_ double: Double, into hasher: inout Hasher) {
        if let int = Int(exactly: double) {
            hasher.combine(int)
        } else {
            // NaNs are one to `identical?`.
            hasher.combine(double.isNaN ? .nan : double)
        }
    }

    private static func hash(_ items: [Value], into hasher: inout Hasher) {
        hasher.combine(items.count)
        for item in items.prefix(32) { ValueKey(item).hash(into: &hasher) }
    }

    private static func hash(_ tagged: Tagged, into hasher: inout Hasher) {
        hasher.combine(tagged.type)
        switch tagged.tag {
        case .tuple?: hash(tagged.items ?? [], into: &hasher)
        case .set?, .map?: hasher.combine(tagged.count)
        case .bytes?: hasher.combine(Tag.text(tagged.fields["base64"]))
        case .date?, .symbol?: hasher.combine(Tag.text(tagged.fields["value"]))
        default: hasher.combine(tagged.canonical)
        }
    }
}

import BigInt

/// What a tagged value is, seen through its fields.
extension Tagged {
    public var tag: Tag? { Tag(rawValue: type) }

    /// The items of a tuple or set, the pairs of a map, the numbers of bytes; nil for what has none.
    public var items: [Value]? {
        switch tag {
        case .tuple?, .set?: Tag.items(fields["items"])
        case .map?: Tag.items(fields["entries"])
        case .bytes?: bytes?.map { .int(Int($0)) }
        default: nil
        }
    }

    public var count: Int? {
        tag == .bytes ? bytes?.count : items?.count
    }

    /// The keys and values of a map; nil for any other tag.
    public var entries: [(key: Value, value: Value)]? {
        guard tag == .map else { return nil }
        return items?.compactMap { entry in
            guard case .vector(let pair) = entry, pair.elements.count == 2 else { return nil }
            return (pair.elements[0], pair.elements[1])
        }
    }

    /// The text of what is written as one: decimals, fractions, dates, times, durations; nil for any other tag.
    public var text: String? {
        switch tag {
        case .decimal?, .fraction?, .date?, .time?, .dateTime?, .duration?: Tag.text(fields["value"])
        case .complex?: complexText
        default: nil
        }
    }

    /// As Python writes it: `1.0+2.0j`.
    private var complexText: String? {
        guard let re = fields["re"], let im = fields["im"] else { return nil }
        let imaginary = Printer.text(im)
        return Printer.text(re) + (imaginary.hasPrefix("-") ? "" : "+") + imaginary + "j"
    }

    /// The value of a map under a key, nil when it is not there.
    public func value(forKey key: Value) -> Value? {
        guard let place = places[ValueKey(key)], case .vector(let pair)? = items?[place] else { return nil }
        return pair.elements.last
    }

    /// Whether a decimal, fraction or complex number is zero or no number.
    var isZero: Bool {
        switch tag {
        case .decimal?:
            guard let decimal = Tag.text(fields["value"]).flatMap(DecimalText.init) else { return false }
            return decimal.isZero || decimal.special != nil && decimal.special != "Infinity"
        case .fraction?:
            return Tag.text(fields["value"]).flatMap(FractionText.init)?.numerator.allSatisfy { $0 == "0" } ?? false
        case .complex?:
            let zero = ValueKey(.double(0))
            return fields["re"].map(ValueKey.init) == zero && fields["im"].map(ValueKey.init) == zero
        default: return false
        }
    }

    func decodedBytes() -> [UInt8]? {
        tag == .bytes ? Tag.text(fields["base64"]).flatMap(Base64.decode) : nil
    }

    func itemPlaces() -> [ValueKey: Int] {
        let keys = entries?.map(\.key) ?? items ?? []
        var places: [ValueKey: Int] = [:]
        places.reserveCapacity(keys.count)
        for (place, key) in keys.enumerated() where places[ValueKey(key)] == nil { places[ValueKey(key)] = place }
        return places
    }

    func canonicalText() -> String? {
        guard let text = Tag.text(fields["value"]) else { return nil }
        switch tag {
        case .decimal?: return DecimalText(text)?.canonical
        case .dateTime?: return Self.canonical(dateTime: text)
        case .duration?:
            guard let duration = DurationText(text), let seconds = duration.seconds else { return text }
            let sign = duration.isNegative && (seconds != 0 || !duration.fraction.isEmpty) ? "-" : ""
            return "\(sign)\(seconds).\(duration.fraction)"
        case .fraction?:
            guard let parts = FractionText(text), let numerator = BigInt(parts.numerator, radix: 10),
                let denominator = BigInt(parts.denominator, radix: 10)
            else { return text }
            let divisor = numerator.greatestCommonDivisor(with: denominator)
            return "\(numerator / divisor)/\(denominator / divisor)"
        default: return nil
        }
    }

    /// With an offset the instant, without one the local date and time.
    private static func canonical(dateTime text: String) -> String? {
        var scanner = ISOScanner(text)
        guard let days = scanner.date(), scanner.take("T"), let time = scanner.time() else { return text }
        let seconds = days * 86_400 + time.seconds
        if scanner.isAtEnd { return "local \(seconds).\(time.fraction)" }
        guard let offset = scanner.offset(), offset.fraction.isEmpty else { return text }
        return "\(seconds - offset.seconds).\(time.fraction)"
    }
}

extension Value {
    public static func bytes(_ bytes: [UInt8]) -> Value {
        .tagged(.bytes, ["base64": .text(Base64.encode(bytes))])
    }

    public static func tuple(_ items: [Value]) -> Value {
        .tagged(.tuple, ["items": .vector(Items(items))])
    }

    /// - Parameter fields: such that the tag has no problem with them.
    public static func tagged(_ tag: Tag, _ fields: Object.Entries) -> Value {
        .tagged(Tagged(type: tag.rawValue, fields: Object(fields)))
    }
}

import CEditLine

extension Editor {
    /// What follows ESC in the keys that vi mode must have as well.
    private static let sequences: [(String, CELCommand)] = [
        ("[A", CEL_UP), ("OA", CEL_UP), ("[B", CEL_DOWN), ("OB", CEL_DOWN), ("[C", CEL_RIGHT), ("OC", CEL_RIGHT),
        ("[D", CEL_LEFT), ("OD", CEL_LEFT), ("[H", CEL_LINE_START), ("OH", CEL_LINE_START), ("[1~", CEL_LINE_START),
        ("[F", CEL_LINE_END), ("OF", CEL_LINE_END), ("[4~", CEL_LINE_END), ("[3~", CEL_DELETE), ("[200~", CEL_PASTE),
    ]

    /// The private key of the sequence that follows an ESC just taken, if one does.
    ///
    /// In vi mode ESC is a key by itself, and libedit cannot have it start sequences too. A terminal sends a
    /// sequence at once, so what has arrived together is one key.
    static func privateKey(after decoder: inout ScalarDecoder) -> Unicode.Scalar? {
        for (sequence, command) in sequences where decoder.take(sequence) {
            return Unicode.Scalar(cel_private_key(command))
        }
        return nil
    }
}

/// The text that is being typed, with a cursor. Lines are separated by newlines.
struct LineBuffer: Sendable, Equatable {
    private(set) var characters: [Character]
    /// Characters before the cursor.
    private(set) var cursor: Int

    init(_ text: String = "") {
        characters = Array(text)
        cursor = characters.count
    }

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }
    /// The cursor's place in the text's UTF-8.
    var offset: Int { String(characters[..<cursor]).utf8.count }

    mutating func insert(_ text: String) {
        let new = Array(text)
        characters.insert(contentsOf: new, at: cursor)
        cursor += new.count
    }

    /// Puts `text` in the place of the characters from a UTF-8 offset up to the cursor.
    mutating func replace(from offset: Int, with text: String) {
        let before = String(decoding: Array(self.text.utf8.prefix(offset)), as: UTF8.self).count
        characters.replaceSubrange(before..<cursor, with: Array(text))
        cursor = before + text.count
    }

    mutating func deleteBackward() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
    }

    mutating func deleteForward() { if cursor < characters.count { characters.remove(at: cursor) } }

    mutating func deleteWordBackward() {
        let end = cursor
        moveWordLeft()
        characters.removeSubrange(cursor..<end)
    }

    mutating func deleteToLineStart() {
        let start = lineStart
        characters.removeSubrange(start..<cursor)
        cursor = start
    }

    mutating func deleteToLineEnd() {
        let end = lineEnd
        if end == cursor { deleteForward() } else { characters.removeSubrange(cursor..<end) }
    }

    // MARK: Moves

    mutating func moveLeft() { cursor = max(0, cursor - 1) }
    mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
    mutating func moveToLineStart() { cursor = lineStart }
    mutating func moveToLineEnd() { cursor = lineEnd }
    mutating func moveToEnd() { cursor = characters.count }

    mutating func moveWordLeft() {
        while cursor > 0, !Self.isWord(characters[cursor - 1]) { cursor -= 1 }
        while cursor > 0, Self.isWord(characters[cursor - 1]) { cursor -= 1 }
    }

    mutating func moveWordRight() {
        while cursor < characters.count, !Self.isWord(characters[cursor]) { cursor += 1 }
        while cursor < characters.count, Self.isWord(characters[cursor]) { cursor += 1 }
    }

    /// Moves a line up, in the same column as far as it reaches; false on the first line.
    mutating func moveUp() -> Bool {
        let start = lineStart
        guard start > 0 else { return false }
        let column = cursor - start
        let end = start - 1
        cursor = end
        let before = lineStart
        cursor = min(before + column, end)
        return true
    }

    /// Moves a line down; false on the last line.
    mutating func moveDown() -> Bool {
        let column = cursor - lineStart
        let end = lineEnd
        guard end < characters.count else { return false }
        cursor = end + 1
        cursor = min(cursor + column, lineEnd)
        return true
    }

    private var lineStart: Int { (characters[..<cursor].lastIndex { $0.isNewline } ?? -1) + 1 }
    private var lineEnd: Int { characters[cursor...].firstIndex { $0.isNewline } ?? characters.count }

    private static func isWord(_ c: Character) -> Bool { c.isLetter || c.isNumber || c == "_" }
}

/// What the library has beyond data: the system, and what needs a library in C.
extension Router {
    func registerLibrary() {
        LibraryPatterns().register(in: machine)
    }
}
